/* Notes between supervisor and worker as bytes: both ends are the same
 * program on the same machine, so numbers go as they are. */

#include "etcl_note.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

typedef struct {
    apr_uint32_t kind;
    apr_uint32_t number;
    apr_int64_t a_us;
    apr_int64_t b_us;
} fixed_t;

const char *etcl_note_why(apr_uint32_t why)
{
    static const char *const names[ETCL_WHY_COUNT] = {
        [ETCL_WHY_SHUTDOWN] = "shutdown_signal",
        [ETCL_WHY_SCRIPT] = "script_reload",
        [ETCL_WHY_GRACEFUL] = "graceful_signal",
        [ETCL_WHY_EVICTION] = "eviction_signal",
        [ETCL_WHY_REQUESTS] = "maximum_requests",
        [ETCL_WHY_AGE] = "restart_interval",
        [ETCL_WHY_INACTIVITY] = "inactivity_timeout",
        [ETCL_WHY_REQUEST] = "request_timeout",
        [ETCL_WHY_STARTUP] = "startup_timeout",
        [ETCL_WHY_DEADLOCK] = "deadlock_timeout",
        [ETCL_WHY_CPU] = "cpu_time_limit",
        [ETCL_WHY_RSS] = "rss_limit",
        [ETCL_WHY_DESCRIPTORS] = "descriptor_limit",
    };

    return names[why < ETCL_WHY_COUNT ? why : ETCL_WHY_SHUTDOWN];
}

void etcl_note_send(int fd, const etcl_note_t *note)
{
    fixed_t fixed = { note->kind, note->number, note->a_us, note->b_us };
    union {
        const char *in;
        char *out; /* struct iovec knows no const */
    } text = { .in = note->text.ptr };
    struct iovec parts[] = { { &fixed, sizeof(fixed) },
                             { text.out, note->text.len } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t sent;

    if (note->text.len > ETCL_NOTE_TEXT_MAX) {
        return;
    }
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
}

/* Who sent it, if the socket is to say so (SO_PASSCRED). */
static pid_t sender_of(struct msghdr *message)
{
    const struct cmsghdr *head = CMSG_FIRSTHDR(message);
    struct ucred who;

    if (!head || head->cmsg_level != SOL_SOCKET ||
        head->cmsg_type != SCM_CREDENTIALS ||
        head->cmsg_len != CMSG_LEN(sizeof(who))) {
        return 0;
    }
    memcpy(&who, CMSG_DATA(head), sizeof(who));
    return who.pid;
}

apr_status_t etcl_note_recv(int fd, char buf[ETCL_NOTE_MAX], etcl_note_t *out)
{
    union {
        struct cmsghdr head; /* aligned for it */
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } extra;
    struct iovec part = { buf, ETCL_NOTE_MAX };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = extra.bytes,
                              .msg_controllen = sizeof(extra.bytes) };
    fixed_t fixed;
    ssize_t got;

    do {
        got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? APR_EAGAIN : APR_EOF;
    }
    if (!got) {
        return APR_EOF;
    }
    if ((size_t)got < sizeof(fixed)) {
        return ETCL_EPROTO;
    }
    memcpy(&fixed, buf, sizeof(fixed));
    *out = (etcl_note_t){ .kind = fixed.kind,
                          .number = fixed.number,
                          .a_us = fixed.a_us,
                          .b_us = fixed.b_us,
                          .text = { buf + sizeof(fixed),
                                    (apr_size_t)got - sizeof(fixed) },
                          .sender = sender_of(&message) };
    return APR_SUCCESS;
}

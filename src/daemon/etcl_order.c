/* Orders as bytes. Descriptors that did not all arrive are closed: a worker
 * without one of them could not live. */

#include "etcl_order.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT (sizeof(etcl_order_fds_t) / sizeof(int))
#define LEAST (COUNT - 1) /* a worker does without a ledger */

/* Aligned for the header that the kernel expects. */
typedef union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(etcl_order_fds_t))];
} ancillary_t;

apr_status_t etcl_order_send(int fd, int slot, const etcl_order_fds_t *fds)
{
    ancillary_t extra = { .bytes = "" };
    struct iovec part = { &slot, sizeof(slot) };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = extra.bytes };
    size_t count = fds->ledger_fd < 0 ? LEAST : COUNT;
    ssize_t sent;

    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    extra.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
                                   .cmsg_level = SOL_SOCKET,
                                   .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&extra.head), fds, sizeof(*fds));
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : APR_SUCCESS;
}

static void close_all(const int *fds, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        close(fds[i]);
    }
}

static apr_status_t take_fds(struct msghdr *message, etcl_order_fds_t *out)
{
    const struct cmsghdr *head = CMSG_FIRSTHDR(message);
    int fds[COUNT];
    size_t len;

    fds[LEAST] = -1;

    if (!head || head->cmsg_level != SOL_SOCKET ||
        head->cmsg_type != SCM_RIGHTS || head->cmsg_len < CMSG_LEN(0)) {
        return ETCL_EPROTO;
    }
    len = head->cmsg_len - CMSG_LEN(0);
    len = len < sizeof(fds) ? len : sizeof(fds);
    memcpy(fds, CMSG_DATA(head), len);
    if (len < LEAST * sizeof(int) || (message->msg_flags & MSG_CTRUNC)) {
        close_all(fds, len / sizeof(int));
        return ETCL_EPROTO;
    }
    memcpy(out, fds, sizeof(*out));
    return APR_SUCCESS;
}

apr_status_t etcl_order_recv(int fd, int *slot, etcl_order_fds_t *out)
{
    ancillary_t extra;
    struct iovec part = { slot, sizeof(*slot) };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = extra.bytes,
                              .msg_controllen = sizeof(extra.bytes) };
    apr_status_t rv;
    ssize_t got;

    do {
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return APR_EOF;
    }
    rv = take_fds(&message, out);
    if (rv == APR_SUCCESS && got != sizeof(*slot)) {
        close_all(&out->control_fd, out->ledger_fd < 0 ? LEAST : COUNT);
        rv = ETCL_EPROTO;
    }
    return rv;
}

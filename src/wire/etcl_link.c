/* Sockets of links: what the kernel says, put into the few words of the
 * contract. What is in a packet is nobody's business here. */

#include "etcl_link.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static apr_status_t fill_address(const char *path, struct sockaddr_un *out)
{
    apr_size_t len = strlen(path);

    if (len >= sizeof(out->sun_path)) {
        return APR_ENAMETOOLONG;
    }
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(out->sun_path, path, len);
    return APR_SUCCESS;
}

static apr_status_t open_socket(int flags, int *out)
{
    *out = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
    return *out < 0 ? errno : APR_SUCCESS;
}

/* The kernel refuses who connects to a name that no socket has any more. One
 * that a process still has is of another type than this probe's, which the
 * kernel says instead, and the process hears nothing of it. */
static int is_refused(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int refused =
        fd >= 0 &&
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
        errno == ECONNREFUSED;

    if (fd >= 0) {
        close(fd);
    }
    return refused;
}

void etcl_link_remove_stale(const char *path)
{
    struct sockaddr_un address;
    struct stat found;

    if (fill_address(path, &address) == APR_SUCCESS && !lstat(path, &found) &&
        S_ISSOCK(found.st_mode) && is_refused(&address)) {
        unlink(path);
    }
}

/* The mode of a socket's descriptor becomes that of its name, so there is no
 * moment in which others could connect, and no umask to change. */
static apr_status_t bind_for(int fd, const struct sockaddr_un *address,
                             uid_t uid, int backlog)
{
    if (fchmod(fd, 0600) ||
        bind(fd, (const struct sockaddr *)address, sizeof(*address))) {
        return errno;
    }
    if ((!geteuid() && lchown(address->sun_path, uid, (gid_t)-1)) ||
        listen(fd, backlog)) {
        apr_status_t rv = errno;

        unlink(address->sun_path);
        return rv;
    }
    return APR_SUCCESS;
}

apr_status_t etcl_link_listen(const char *path, uid_t uid, int backlog, int *fd)
{
    struct sockaddr_un address;
    apr_status_t rv = fill_address(path, &address);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = open_socket(SOCK_NONBLOCK, fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    etcl_link_remove_stale(path);
    rv = bind_for(*fd, &address, uid, backlog);
    if (rv != APR_SUCCESS) {
        close(*fd);
        *fd = -1;
    }
    return rv;
}

/* Whether the peer runs as `uid`, or, with `root_too`, as root. */
static apr_status_t check_peer(int fd, uid_t uid, int root_too)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len)) {
        return errno;
    }
    return peer.uid == uid || (root_too && !peer.uid) ? APR_SUCCESS
                                                      : ETCL_EDENIED;
}

static apr_status_t connect_to(int fd, const struct sockaddr_un *address)
{
    int failed;

    do {
        failed =
            connect(fd, (const struct sockaddr *)address, sizeof(*address));
    } while (failed && errno == EINTR);
    if (!failed) {
        return APR_SUCCESS;
    }
    return errno == EAGAIN ? APR_TIMEUP : errno;
}

apr_status_t etcl_link_connect(etcl_link_t *link, const char *path, uid_t owner,
                               apr_int64_t timeout_us)
{
    struct sockaddr_un address;
    apr_status_t rv;

    *link = (etcl_link_t){ .fd = -1 };
    rv = fill_address(path, &address);
    if (rv == APR_SUCCESS) {
        rv = open_socket(0, &link->fd);
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_link_timeout(link, timeout_us);
    }
    if (rv == APR_SUCCESS) {
        rv = connect_to(link->fd, &address);
    }
    if (rv == APR_SUCCESS) {
        rv = check_peer(link->fd, owner, 0);
    }
    if (rv != APR_SUCCESS) {
        etcl_link_close(link);
    }
    return rv;
}

apr_status_t etcl_link_accept(etcl_link_t *link, int listen_fd, uid_t uid)
{
    apr_status_t rv;

    *link = (etcl_link_t){ .fd = -1 };
    do {
        link->fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    } while (link->fd < 0 && errno == EINTR);
    if (link->fd < 0) {
        return errno;
    }
    rv = check_peer(link->fd, uid, 1);
    if (rv != APR_SUCCESS) {
        etcl_link_close(link);
    }
    return rv;
}

void etcl_link_close(etcl_link_t *link)
{
    if (link->fd >= 0) {
        close(link->fd);
    }
    link->fd = -1;
    etcl_tray_destroy(&link->tray);
}

apr_status_t etcl_link_timeout(etcl_link_t *link, apr_int64_t timeout_us)
{
    struct timeval value = { .tv_sec = (time_t)(timeout_us / 1000000),
                             .tv_usec = (suseconds_t)(timeout_us % 1000000) };

    if (timeout_us == link->timeout_us) {
        return APR_SUCCESS;
    }
    if (setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof(value)) ||
        setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof(value))) {
        return errno;
    }
    link->timeout_us = timeout_us;
    return APR_SUCCESS;
}

static void set_buffer(const etcl_link_t *link, int option, apr_int64_t len)
{
    int size =
        len > (apr_int64_t)ETCL_PACKET_MAX ? (int)len : (int)ETCL_PACKET_MAX;

    if (len) {
        setsockopt(link->fd, SOL_SOCKET, option, &size, sizeof(size));
    }
}

void etcl_link_buffers(etcl_link_t *link, apr_int64_t send_len,
                       apr_int64_t recv_len)
{
    set_buffer(link, SO_SNDBUF, send_len);
    set_buffer(link, SO_RCVBUF, recv_len);
}

/* Control data of one packet. */
typedef union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(ETCL_LINK_FDS * sizeof(int))];
} control_t;

static void attach_fd(struct msghdr *message, control_t *control, int fd)
{
    struct cmsghdr *entry;

    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(sizeof(fd));
    entry = CMSG_FIRSTHDR(message);
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(entry), &fd, sizeof(fd));
}

static apr_status_t send_failed(int nowait)
{
    switch (errno) {
    case EAGAIN:
        return nowait ? APR_EAGAIN : APR_TIMEUP;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return APR_EPIPE;
    default:
        return errno;
    }
}

apr_status_t etcl_link_send(etcl_link_t *link, etcl_span_t packet, int fd,
                            int nowait)
{
    union {
        const char *in;
        char *out; /* struct iovec knows no const */
    } bytes = { .in = packet.ptr };
    struct iovec part = { .iov_base = bytes.out, .iov_len = packet.len };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    control_t control = { .bytes = { 0 } };
    ssize_t sent;

    if (fd >= 0) {
        attach_fd(&message, &control, fd);
    }
    do {
        sent = sendmsg(link->fd, &message,
                       MSG_NOSIGNAL | (nowait ? MSG_DONTWAIT : 0));
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? send_failed(nowait) : APR_SUCCESS;
}

/* Everything that came along, in one array; returns how many. */
static int collect_fds(struct msghdr *message, int fds[ETCL_LINK_FDS])
{
    struct cmsghdr *entry;
    apr_size_t len;
    int count = 0;

    for (entry = CMSG_FIRSTHDR(message); entry;
         entry = CMSG_NXTHDR(message, entry)) {
        if (entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SCM_RIGHTS) {
            len = entry->cmsg_len - CMSG_LEN(0);
            memcpy(fds + count, CMSG_DATA(entry), len);
            count += (int)(len / sizeof(int));
        }
    }
    return count;
}

/* Hand out the one descriptor of a sound packet; close all of any other. */
static apr_status_t settle_fds(struct msghdr *message, int *fd)
{
    int fds[ETCL_LINK_FDS], count = collect_fds(message, fds);

    if (count <= 1 && !(message->msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        *fd = count ? fds[0] : -1;
        return APR_SUCCESS;
    }
    while (count) {
        close(fds[--count]);
    }
    return ETCL_EPROTO;
}

static apr_status_t recv_failed(int nowait)
{
    if (errno == EAGAIN) {
        return nowait ? APR_EAGAIN : APR_TIMEUP;
    }
    return errno;
}

/* ECONNRESET says, once, that the peer closed with packets of ours unread.
 * What it sent before is still there and is read by the next attempt; then
 * comes the end of file. */
static ssize_t recv_message(int from, struct msghdr *message, int nowait)
{
    apr_size_t control_len = message->msg_controllen;
    ssize_t got;

    do {
        message->msg_controllen = control_len;
        got = recvmsg(from, message,
                      MSG_CMSG_CLOEXEC | (nowait ? MSG_DONTWAIT : 0));
    } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    return got;
}

apr_status_t etcl_link_recv(etcl_link_t *link, char *into, apr_size_t *got,
                            int *fd, int nowait)
{
    control_t control;
    struct iovec part = { .iov_base = into, .iov_len = ETCL_PACKET_MAX };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    ssize_t len = recv_message(link->fd, &message, nowait);
    apr_status_t rv;

    *fd = -1;
    *got = 0;
    if (len < 0) {
        return recv_failed(nowait);
    }
    rv = settle_fds(&message, fd);
    if (rv == APR_SUCCESS && !len) {
        rv = APR_EOF;
        if (*fd >= 0) {
            close(*fd);
            *fd = -1;
        }
    }
    *got = rv == APR_SUCCESS ? (apr_size_t)len : 0;
    return rv;
}

/* Links: AF_UNIX SOCK_SEQPACKET connections between an Apache child and a
 * worker. One packet per call of the kernel; descriptors arrive with the
 * packet they belong to; everything is close-on-exec. */

#ifndef ETCL_LINK_H
#define ETCL_LINK_H

#include "etcl_frame.h"
#include "etcl_tray.h"

#include <sys/types.h>

#define ETCL_LINK_FDS 4 /* descriptors that one packet may carry */

/* The two ends. Fields may be read by anybody, written by etcl_link.c; what
 * is in the tray is for those who send and receive bodies. */
typedef struct {
    int fd;                 /* owned, or -1 */
    apr_int64_t timeout_us; /* in force for send and recv; 0 none */
    apr_uint32_t serial;    /* of the latest call */
    etcl_tray_t tray;       /* made at the first long body */
} etcl_link_t;

/**
 * Bind and listen at `path`, mode 0600, owned by `uid` (when root).
 *
 * Context  the Apache parent, at start. A stale socket at `path` is removed.
 * Returns  APR_SUCCESS with *fd; APR_ENAMETOOLONG; errno: EADDRINUSE when
 *          another process, perhaps in another container, has the socket
 */
apr_status_t etcl_link_listen(const char *path, uid_t uid, int backlog,
                              int *fd);

/** Remove the socket at `path` if no process has it open any more, whatever
 *  namespace its pid is in. Anything else at `path` stays. */
void etcl_link_remove_stale(const char *path);

/**
 * Connect to `path` within `timeout_us`, and check that the listener was made
 * by `owner` (SO_PEERCRED).
 *
 * Returns  APR_SUCCESS, APR_TIMEUP (backlog full), ETCL_EDENIED, errno
 */
apr_status_t etcl_link_connect(etcl_link_t *link, const char *path, uid_t owner,
                               apr_int64_t timeout_us);

/**
 * Accept on a non-blocking listener and check that the peer runs as `uid`
 * or as root.
 *
 * Returns  APR_SUCCESS, APR_EAGAIN, ETCL_EDENIED (closed), errno
 */
apr_status_t etcl_link_accept(etcl_link_t *link, int listen_fd, uid_t uid);

void etcl_link_close(etcl_link_t *link);

/** Deadline of one send or recv (SO_SNDTIMEO, SO_RCVTIMEO); a system call
 *  only when it changes. */
apr_status_t etcl_link_timeout(etcl_link_t *link, apr_int64_t timeout_us);

/**
 * Sizes of the kernel's buffers (SO_SNDBUF, SO_RCVBUF) in bytes; 0 leaves the
 * system's. A smaller one than a packet needs becomes ETCL_PACKET_MAX.
 */
void etcl_link_buffers(etcl_link_t *link, apr_int64_t send_len,
                       apr_int64_t recv_len);

/**
 * Send one packet, with a descriptor when `fd` is not -1 (it stays the
 * caller's).
 *
 * Returns  APR_SUCCESS
 *          APR_EAGAIN    only with `nowait`: it would block
 *          APR_TIMEUP    not taken within the timeout
 *          APR_EPIPE     the peer has closed its end; the packet was not and
 *                        will not be received
 */
apr_status_t etcl_link_send(etcl_link_t *link, etcl_span_t packet, int fd,
                            int nowait);

/**
 * Receive one packet into `into` of ETCL_PACKET_MAX bytes.
 *
 * Owns     a descriptor that came along is *fd, the caller's to close;
 *          *fd is -1 otherwise. More than one: closed, ETCL_EPROTO.
 * Returns  APR_SUCCESS with *got; APR_EOF; APR_EAGAIN (only with `nowait`);
 *          APR_TIMEUP; ETCL_EPROTO (truncated packet or control data); errno
 */
apr_status_t etcl_link_recv(etcl_link_t *link, char *into, apr_size_t *got,
                            int *fd, int nowait);

#endif

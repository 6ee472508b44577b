/* What a supervisor tells a template to do: fork a worker, with these
 * descriptors. One packet each on the template's control socket. */

#ifndef ETCL_ORDER_H
#define ETCL_ORDER_H

#include "etcl.h"

/* In the order in which they cross. */
typedef struct {
    int control_fd;
    int listen_fd;
    int out_fd;
    int err_fd;
    int log_fd;
    int ledger_fd; /* or -1 */
} etcl_order_fds_t;

/**
 * Send an order for `slot` without waiting.
 *
 * Owns     the descriptors stay the caller's
 * Returns  APR_SUCCESS, or errno: the template has gone or does not listen
 */
apr_status_t etcl_order_send(int fd, int slot, const etcl_order_fds_t *fds);

/**
 * Wait for an order.
 *
 * Owns     the descriptors are the caller's, and close-on-exec
 * Returns  APR_SUCCESS, APR_EOF (the supervisor has gone), ETCL_EPROTO
 */
apr_status_t etcl_order_recv(int fd, int *slot, etcl_order_fds_t *out);

#endif

/* Lets an answer out as fast as the client takes it, so that nobody waits for
 * a client: an output filter next to the socket, behind TLS and compression. */

#ifndef ETCL_SLUICE_H
#define ETCL_SLUICE_H

#include "etcl_httpd.h"

typedef struct etcl_sluice_t etcl_sluice_t;

/** Register the filter; of the module's register_hooks. */
void etcl_sluice_offer(apr_pool_t *pool);

/**
 * From here on, what is passed to r->output_filters does not wait for a slow
 * client, also where it is to be flushed: it is kept, in order
 * (etcl_spool.h). Only when there is no room for more it waits, for as long
 * as httpd would (Timeout, response-socket-timeout). What the client can take
 * is not held back.
 *
 * Returns  NULL where there is no socket of its own (HTTP/2), or another
 *          answer of this connection has it open: httpd does as always then
 * Owns     the connection's; to be closed before the request ends
 */
etcl_sluice_t *etcl_sluice_open(request_rec *r);

/** Nothing more comes: what is left is httpd's to send, which needs no thread
 *  for that under the event MPM. NULL is nothing. */
void etcl_sluice_close(etcl_sluice_t *sluice);

/** Whether the client is to be given something that it does not take yet; not
 *  for NULL. */
int etcl_sluice_is_behind(const etcl_sluice_t *sluice);

/**
 * While it is behind, wait until there is something to receive from a worker,
 * and give the client what it takes meanwhile.
 *
 * Returns  APR_SUCCESS: receive; APR_TIMEUP: the worker sent nothing for
 *          `timeout_us` (0: no limit); ETCL_EGONE: the client left, or took
 *          nothing for too long
 */
apr_status_t etcl_sluice_wait(etcl_sluice_t *sluice, int link_fd,
                              apr_int64_t timeout_us);

/** Wait for the client until it is not behind. APR_SUCCESS, ETCL_EGONE. */
apr_status_t etcl_sluice_settle(etcl_sluice_t *sluice);

#endif

/* The head and the blocks of an answer, on their way into packets or beside
 * them: what leaves before its end. */

#ifndef ETCL_BLOCKS_H
#define ETCL_BLOCKS_H

#include "etcl_reply.h"

/** `write` of etcl_exchange_ops_t. */
apr_status_t etcl_blocks_write(etcl_exchange_t *x, etcl_span_t block,
                               unsigned int how);

/** `send_file` of etcl_exchange_ops_t. */
apr_status_t etcl_blocks_file(etcl_exchange_t *x, int fd, apr_int64_t offset,
                              apr_int64_t len);

/** Nothing more comes: all of it is in packets. */
apr_status_t etcl_blocks_close(etcl_reply_t *reply);

/** Forget what has not left. Log entries in front of it are kept. */
void etcl_blocks_drop(etcl_reply_t *reply);

#endif

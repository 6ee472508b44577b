/* The head of an answer, from the worker into Apache's tables. */

#ifndef ETCL_HEADING_H
#define ETCL_HEADING_H

#include "etcl_exchange.h"
#include "etcl_httpd.h"

/**
 * Whether a head can be sent; `header_max` is of one header, 0: no limit.
 *
 * Returns  NULL, or why not: a sentence for the log, in `pool`
 */
const char *etcl_heading_judge(const etcl_head_t *head, apr_int64_t header_max,
                               apr_pool_t *pool);

/**
 * Take over status and headers; they are copied into r->pool.
 *
 * Returns  NULL, with *promised if there is a Content-Length; or why it cannot
 *          be sent, and the tables have a part of it
 */
const char *etcl_heading_take(const etcl_head_t *head, request_rec *r,
                              apr_int64_t *promised);

#endif

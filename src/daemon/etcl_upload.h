/* The body of a request, as a worker pulls it over a link. */

#ifndef ETCL_UPLOAD_H
#define ETCL_UPLOAD_H

#include "etcl_reply.h"

/** `read` of etcl_exchange_ops_t. */
apr_status_t etcl_upload_read(etcl_exchange_t *x, char *into, apr_size_t max,
                              int whole, apr_size_t *got);

/** `ready` of etcl_exchange_ops_t. */
apr_size_t etcl_upload_ready(etcl_exchange_t *x);

#endif

/* From a request_rec to a call, as bytes of the wire. */

#ifndef ETCL_CAPTURE_H
#define ETCL_CAPTURE_H

#include "etcl_message.h"
#include "etcl_route.h"

/**
 * Encode the call of a request: what it is, then its environ. Variables that
 * CGI defines come last, so that nothing that a client or SetEnv named like
 * them remains.
 *
 * Returns  APR_SUCCESS, ETCL_ELIMIT (headers larger than a call may be),
 *          APR_ENOMEM
 * Source   RFC 3875 4.1; PEP 3333 "environ Variables"
 */
apr_status_t etcl_capture_call(request_rec *r, const etcl_route_t *route,
                               apr_int64_t body_len, etcl_buffer_t *out);

#endif

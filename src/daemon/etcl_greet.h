/* HELLO and WELCOME, as a worker has them. */

#ifndef ETCL_GREET_H
#define ETCL_GREET_H

#include "etcl_serve.h"

/**
 * Judge the first packet of a link, and answer it.
 *
 * Returns  APR_SUCCESS  `out` holds the WELCOME
 *          else close the link: it does not know the secret, speaks another
 *          version, or means another worker
 */
apr_status_t etcl_greet_answer(const etcl_service_t *service,
                               etcl_span_t packet, etcl_packet_t *out);

#endif

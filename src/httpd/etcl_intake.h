/* The short way of a long body: from the client's socket straight to where
 * its bytes are wanted, instead of in pieces of 8000 bytes through httpd's
 * buckets. An input filter next to the socket, for plain connections. */

#ifndef ETCL_INTAKE_H
#define ETCL_INTAKE_H

#include "etcl_httpd.h"

typedef struct etcl_intake_t etcl_intake_t;

/** Register the filter; of the module's register_hooks. */
void etcl_intake_offer(apr_pool_t *pool);

/**
 * The intake of a request's connection, made at its first use.
 *
 * Returns  NULL where something between the socket and the request looks at
 *          its bytes (TLS, HTTP/2, a filter): it has them from httpd then
 * Owns     the connection's
 */
etcl_intake_t *etcl_intake_of(request_rec *r);

/**
 * Say where the bytes of the next ap_get_brigade are wanted; NULL: nowhere.
 * They may come in buckets that lie elsewhere all the same. Those that lie
 * here are transient: the place is the caller's, and is to be taken back
 * before it is used otherwise.
 */
void etcl_intake_aim(etcl_intake_t *intake, char *into, apr_size_t room);

#endif

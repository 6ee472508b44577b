/* Whether the client of a request is still there, as far as that can be seen
 * without reading or writing.
 *
 * A connection that was reset, or a stream that HTTP/2 gave up, is gone. The
 * end of what a client sends is not as clear: one that has left looks like one
 * that shut its sending side down and waits for the answer, as `nc -N` does. */

#ifndef ETCL_CLIENT_H
#define ETCL_CLIENT_H

#include "etcl_httpd.h"

/**
 * For an application that asks: the end of what the client sends counts.
 *
 * Context  a request thread; never blocks
 */
int etcl_client_has_closed(const request_rec *r);

/* A client that waits in the queue. */
typedef struct {
    const request_rec *r;
    apr_int64_t since_us; /* of its wait */
    int is_read;          /* its whole request was received */
    int is_half;          /* sent its end with its request: set by a look */
} etcl_client_t;

/**
 * For a request that waits: the end counts where the whole request had been
 * received before, and for some time nothing more; what comes right behind
 * the request belongs to it. On TLS it always counts: half a connection is not
 * used there. For `has_left` of etcl_wish_t: `client` is an etcl_client_t.
 */
int etcl_client_has_left(void *client);

#endif

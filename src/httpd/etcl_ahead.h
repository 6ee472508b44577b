/* The part of a request's body that is read before a worker is asked. */

#ifndef ETCL_AHEAD_H
#define ETCL_AHEAD_H

#include "etcl_body.h"
#include "etcl_buffer.h"

/* A body up to this size is waited for (request-buffering). */
#define ETCL_AHEAD_MAX (128 * 1024)

/**
 * Append a small body to `into`, if it is complete. With `wait`, the client
 * gets its time to send it; else only what is here already counts. Nothing is
 * read for a client that wants to be told first (100 Continue), or of a body
 * that says it is larger. What turns out to be larger stays in `body`.
 *
 * Returns  APR_SUCCESS  *whole: `into` has the body, all of it
 *          else the body broke off: body->status is the answer
 * Context  a request thread; blocks with `wait`
 */
apr_status_t etcl_ahead_read(etcl_body_t *body, int wait, etcl_buffer_t *into,
                             int *whole);

#endif

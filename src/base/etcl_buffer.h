/* A growing buffer with a ceiling, on malloc: it lives as long as its owner
 * (a link, a thread) and is reused from request to request. */

#ifndef ETCL_BUFFER_H
#define ETCL_BUFFER_H

#include "etcl.h"

typedef struct {
    char *ptr;       /* malloc'ed; NULL while nothing was ever needed */
    apr_size_t len;  /* bytes in use */
    apr_size_t size; /* bytes allocated */
    apr_size_t max;  /* never grows above this */
} etcl_buffer_t;

/** Start empty, allocating nothing. */
void etcl_buffer_init(etcl_buffer_t *buf, apr_size_t max);

/** Free the memory; the buffer may be used again as after init. */
void etcl_buffer_done(etcl_buffer_t *buf);

/**
 * Make room for `len` bytes behind what is in use; buf->len is unchanged.
 *
 * Returns  APR_SUCCESS  *out points to the room
 *          ETCL_ELIMIT  it would grow above max
 *          APR_ENOMEM
 */
static inline apr_status_t etcl_buffer_room(etcl_buffer_t *buf, apr_size_t len,
                                            char **out);

/** The same, when there is not enough memory yet. */
apr_status_t etcl_buffer_grow(etcl_buffer_t *buf, apr_size_t len, char **out);

/** Append bytes; errors as etcl_buffer_room. */
apr_status_t etcl_buffer_add(etcl_buffer_t *buf, etcl_span_t bytes);

/** Forget the content; give memory above `keep` bytes back. */
void etcl_buffer_clear(etcl_buffer_t *buf, apr_size_t keep);

static inline apr_status_t etcl_buffer_room(etcl_buffer_t *buf, apr_size_t len,
                                            char **out)
{
    if (!buf->ptr || len > buf->size - buf->len) {
        return etcl_buffer_grow(buf, len, out);
    }
    *out = buf->ptr + buf->len;
    return APR_SUCCESS;
}

#endif

/* Growing memory: it doubles, never above the ceiling, and a failure leaves
 * the content as it was. */

#include "etcl_buffer.h"

#include <stdlib.h>

#define FIRST_SIZE 1024

void etcl_buffer_init(etcl_buffer_t *buf, apr_size_t max)
{
    *buf = (etcl_buffer_t){ .max = max };
}

void etcl_buffer_done(etcl_buffer_t *buf)
{
    free(buf->ptr);
    etcl_buffer_init(buf, buf->max);
}

/* The size to grow to so that `need` bytes fit, which are at most max. */
static apr_size_t next_size(const etcl_buffer_t *buf, apr_size_t need)
{
    apr_size_t size = buf->size > FIRST_SIZE ? buf->size : FIRST_SIZE;

    while (size < need && size <= buf->max / 2) {
        size *= 2;
    }
    return size < need || size > buf->max ? buf->max : size;
}

apr_status_t etcl_buffer_grow(etcl_buffer_t *buf, apr_size_t len, char **out)
{
    apr_size_t size;
    char *grown;

    if (len > buf->max - buf->len) {
        return ETCL_ELIMIT;
    }
    if (len > buf->size - buf->len) {
        size = next_size(buf, buf->len + len);
        grown = realloc(buf->ptr, size);
        if (!grown) {
            return APR_ENOMEM;
        }
        buf->ptr = grown;
        buf->size = size;
    }
    *out = buf->ptr + buf->len;
    return APR_SUCCESS;
}

apr_status_t etcl_buffer_add(etcl_buffer_t *buf, etcl_span_t bytes)
{
    apr_status_t rv;
    char *room;

    if (!bytes.len) {
        return APR_SUCCESS;
    }
    rv = etcl_buffer_room(buf, bytes.len, &room);
    if (rv == APR_SUCCESS) {
        memcpy(room, bytes.ptr, bytes.len);
        buf->len += bytes.len;
    }
    return rv;
}

void etcl_buffer_clear(etcl_buffer_t *buf, apr_size_t keep)
{
    buf->len = 0;
    if (buf->size > keep) {
        etcl_buffer_done(buf);
    }
}

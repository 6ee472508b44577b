/* A thread of Apache waits for a slow client, so that none of Python's does.
 * The buffer grows with what arrives, not with what was announced, and bytes
 * are copied together at once: httpd keeps 8 KB for each piece it receives,
 * and a client chooses how small they are. */

#include "etcl_ahead.h"

#define SLICE 16384
#define HERE_MAX (32 * 1024) /* taken along without waiting */

/* All that is here already, and that only if it is all there is. */
static apr_status_t take_what_is_here(etcl_body_t *body, etcl_buffer_t *into)
{
    apr_status_t rv;
    apr_size_t got = 1;
    char *at;

    if (body->len > HERE_MAX || !etcl_body_look(body, HERE_MAX)) {
        return APR_SUCCESS;
    }
    rv = etcl_buffer_room(into, HERE_MAX, &at);
    while (!rv && got) {
        rv = etcl_body_take(body, at, HERE_MAX, 0, &got);
        at += got;
        into->len += got;
    }
    return rv;
}

static apr_status_t take_slice(etcl_body_t *body, apr_size_t max,
                               etcl_buffer_t *into)
{
    apr_status_t rv;
    apr_size_t got;
    char *at;

    max = max < SLICE ? max : SLICE;
    rv = etcl_buffer_room(into, max, &at);
    if (!rv) {
        rv = etcl_body_take(body, at, max, 1, &got);
        into->len += rv ? 0 : got;
    }
    return rv;
}

static apr_status_t wait_for_all(etcl_body_t *body, etcl_buffer_t *into)
{
    const apr_size_t end = into->len + ETCL_AHEAD_MAX;
    apr_status_t rv = APR_SUCCESS;

    while (!rv && !etcl_body_is_done(body) && into->len < end) {
        rv = take_slice(body, end - into->len, into);
    }
    return rv;
}

apr_status_t etcl_ahead_read(etcl_body_t *body, int wait, etcl_buffer_t *into,
                             int *whole)
{
    const apr_size_t begin = into->len;
    apr_status_t rv;

    *whole = 0;
    if (!body->len || body->r->expecting_100 || body->len > ETCL_AHEAD_MAX) {
        return APR_SUCCESS;
    }
    rv = wait ? wait_for_all(body, into) : take_what_is_here(body, into);
    if (rv && !APR_STATUS_IS_EOF(rv)) {
        return rv;
    }
    *whole = etcl_body_is_done(body);
    if (!*whole) {
        etcl_body_put_back(
            body, (etcl_span_t){ into->ptr + begin, into->len - begin });
        into->len = begin;
    }
    return APR_SUCCESS;
}

/* Gathers bytes in one of two places. When that is worth it, and in which
 * packet they are spoken of, is etcl_blocks.c's. */

#include "etcl_bulk.h"
#include "etcl_clock.h"
#include "etcl_message.h"
#include "etcl_spill.h"

#include <unistd.h>

static void forget_file(etcl_bulk_t *bulk)
{
    if (bulk->fd >= 0) {
        close(bulk->fd);
    }
    bulk->fd = -1;
}

void etcl_bulk_drop(etcl_bulk_t *bulk)
{
    forget_file(bulk);
    bulk->state = ETCL_BULK_CLOSED;
    bulk->len = 0;
}

void etcl_bulk_begin(etcl_bulk_t *bulk, etcl_window_t *window)
{
    etcl_bulk_drop(bulk);
    bulk->window = window;
    bulk->is_used = bulk->is_refused = 0;
    bulk->filed = 0;
}

/* What the last call has put there was read: the child keeps no link whose
 * window it still needs. */
static int open_window(etcl_bulk_t *bulk, apr_int64_t len)
{
    if (bulk->is_used || len > (apr_int64_t)ETCL_WINDOW_SIZE ||
        (!bulk->window->ptr && etcl_window_create(bulk->window))) {
        return 0;
    }
    bulk->is_used = 1;
    bulk->state = ETCL_BULK_WINDOW;
    return 1;
}

static int open_file(etcl_bulk_t *bulk, apr_int64_t len)
{
    if (len < ETCL_SPILL_MIN || len > ETCL_SPILL_MAX - bulk->filed) {
        return 0;
    }
    bulk->fd = etcl_spill_open();
    bulk->state = bulk->fd < 0 ? ETCL_BULK_CLOSED : ETCL_BULK_FILE;
    return bulk->fd >= 0;
}

apr_status_t etcl_bulk_open(etcl_bulk_t *bulk, apr_int64_t len)
{
    etcl_bulk_drop(bulk);
    if (bulk->is_refused || open_window(bulk, len) || open_file(bulk, len)) {
        return bulk->is_refused ? ETCL_ELIMIT : APR_SUCCESS;
    }
    bulk->is_refused = 1;
    return ETCL_ELIMIT;
}

int etcl_bulk_fits(const etcl_bulk_t *bulk, apr_size_t len)
{
    switch (bulk->state) {
    case ETCL_BULK_WINDOW:
        return len <= ETCL_WINDOW_SIZE - (apr_size_t)bulk->len;
    case ETCL_BULK_FILE:
        return (apr_int64_t)len <= ETCL_SPILL_MAX - bulk->filed;
    default:
        return 0;
    }
}

apr_status_t etcl_bulk_add(etcl_bulk_t *bulk, etcl_span_t bytes)
{
    apr_status_t rv;

    if (bulk->state == ETCL_BULK_WINDOW) {
        rv = etcl_window_put(bulk->window, (apr_size_t)bulk->len, bytes);
    } else {
        rv = etcl_spill_add(bulk->fd, bytes);
        bulk->filed += rv == APR_SUCCESS ? (apr_int64_t)bytes.len : 0;
    }
    bulk->len += rv == APR_SUCCESS ? (apr_int64_t)bytes.len : 0;
    return rv;
}

static apr_status_t close_window(etcl_bulk_t *bulk, etcl_packet_t *out, int *fd)
{
    etcl_window_t *window = bulk->window;
    apr_status_t rv = etcl_window_encode((apr_size_t)bulk->len, out);

    if (rv == APR_SUCCESS) {
        *fd = window->is_known ? -1 : window->fd;
        window->is_known = 1;
        etcl_window_mark(window, out->serial, etcl_clock_us());
        etcl_bulk_drop(bulk);
    }
    return rv;
}

/* The file outlives its being gathered until its packet has left. */
static apr_status_t close_file(etcl_bulk_t *bulk, etcl_packet_t *out, int *fd)
{
    const etcl_file_t file = { .len = bulk->len };
    apr_status_t rv = etcl_spill_seal(bulk->fd);

    if (rv == APR_SUCCESS) {
        rv = etcl_file_encode(&file, out);
    }
    if (rv == APR_SUCCESS) {
        *fd = bulk->fd;
        bulk->state = ETCL_BULK_CLOSED;
        bulk->len = 0;
    }
    return rv;
}

apr_status_t etcl_bulk_close(etcl_bulk_t *bulk, etcl_packet_t *out, int *fd)
{
    return bulk->state == ETCL_BULK_WINDOW ? close_window(bulk, out, fd)
                                           : close_file(bulk, out, fd);
}

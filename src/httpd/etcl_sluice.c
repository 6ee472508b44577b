/* httpd's core filter waits for the client when it is given more than it may
 * keep, or a flush. So it is given no flush, no more at a time than it may
 * keep. Where the rest lies is etcl_spool.c's; files lie in the core's filter,
 * which keeps any number. */

#include "etcl_sluice.h"
#include "etcl_clock.h"
#include "etcl_spool.h"

#include <apr_portable.h>
#include <http_connection.h>
#include <poll.h>

#define NAME "ETCL_SLUICE"

#define FLUSH_MAX ((apr_size_t)65535) /* FlushMaxThreshold, if not set */
#define TRIED_MIN 4096 /* the core's filter tries to send as much at once */
#define MOMENT_MS 20
#define PATIENCE_US 250000
#define LOOK_MS 1000

struct etcl_sluice_t {
    ap_filter_t *f; /* in the chain of its connection */
    conn_rec *c;
    request_rec *r;            /* whose answer it is; NULL: closed */
    etcl_spool_t *spool;       /* behind what the core's filter keeps; NULL */
    apr_bucket_brigade *piece; /* on its way to the next filter, or empty */
    apr_size_t kept_max;       /* bytes that the core's filter may keep */
    apr_size_t kept;           /* that it keeps at most */
    apr_int64_t patience_us;   /* that may be waited before the spool */
    apr_int64_t stalled_us;    /* since when the client takes nothing; 0 */
    int wants_flush;           /* what was given is to leave */
};

static ap_filter_rec_t *filter;

static int has_caught_up(const etcl_sluice_t *sluice)
{
    return !sluice->c->data_in_output_filters &&
           !etcl_spool_left(sluice->spool);
}

/* Whether the core's filter would keep more. */
static int has_room(const etcl_sluice_t *sluice)
{
    return has_caught_up(sluice) ||
           (!etcl_spool_left(sluice->spool) && sluice->kept < sluice->kept_max);
}

static apr_status_t lose(etcl_sluice_t *sluice)
{
    sluice->c->aborted = 1;
    sluice->c->keepalive = AP_CONN_CLOSE;
    return APR_ECONNABORTED;
}

static int client_fd(const etcl_sluice_t *sluice)
{
    apr_socket_t *client = ap_get_conn_socket(sluice->c);
    apr_os_sock_t fd;

    return client && !apr_os_sock_get(&fd, client) ? fd : -1;
}

/* Whether the kernel takes more for the client, or does within `wait_ms`. */
static int is_open(etcl_sluice_t *sluice, int wait_ms)
{
    struct pollfd entry = { .fd = client_fd(sluice), .events = POLLOUT };

    if (poll(&entry, 1, wait_ms) <= 0) {
        return 0;
    }
    sluice->stalled_us = 0;
    return 1;
}

/* Who takes nothing for too long has left, as httpd's own filter sees it. */
static apr_status_t note_stall(etcl_sluice_t *sluice)
{
    const apr_int64_t now_us = etcl_clock_us();
    apr_interval_time_t limit = -1;

    if (!sluice->stalled_us) {
        sluice->stalled_us = now_us;
        return APR_SUCCESS;
    }
    apr_socket_timeout_get(ap_get_conn_socket(sluice->c), &limit);
    return limit >= 0 && now_us - sluice->stalled_us >= limit ? lose(sluice)
                                                              : APR_SUCCESS;
}

/* To the core's filter, by whatever stands in between. */
static apr_status_t give_piece(etcl_sluice_t *sluice, apr_size_t bytes)
{
    apr_status_t rv = ap_pass_brigade(sluice->f->next, sluice->piece);

    apr_brigade_cleanup(sluice->piece);
    sluice->kept = sluice->c->data_in_output_filters ? sluice->kept + bytes : 0;
    return rv;
}

/* As the event MPM has the core's filter send what it keeps, without waiting
 * for anybody. */
static apr_status_t send_kept(etcl_sluice_t *sluice)
{
    ap_filter_t *core = sluice->f->next;

    while (core->next) {
        core = core->next;
    }
    return core->frec->filter_func.out_func(core, NULL);
}

static apr_status_t give_spooled(etcl_sluice_t *sluice)
{
    apr_bucket_alloc_t *list = sluice->c->bucket_alloc;
    apr_size_t len = sluice->kept_max;
    char *bytes = apr_bucket_alloc(len, list);

    if (etcl_spool_take(sluice->spool, bytes, &len)) {
        apr_bucket_free(bytes);
        return lose(sluice);
    }
    APR_BRIGADE_INSERT_TAIL(
        sluice->piece,
        apr_bucket_heap_create(bytes, len, apr_bucket_free, list));
    return give_piece(sluice, len);
}

/* As much as the client takes without being waited for. */
static apr_status_t advance(etcl_sluice_t *sluice)
{
    apr_status_t rv = APR_SUCCESS;

    while (!rv && !has_caught_up(sluice)) {
        if (sluice->c->data_in_output_filters) {
            rv = send_kept(sluice);
        }
        if (rv || sluice->c->data_in_output_filters) {
            return rv;
        }
        sluice->kept = 0;
        if (etcl_spool_left(sluice->spool)) {
            rv = give_spooled(sluice);
        }
    }
    sluice->kept = 0;
    sluice->stalled_us = 0;
    sluice->wants_flush = 0;
    return rv;
}

static apr_status_t look(etcl_sluice_t *sluice, int wait_ms)
{
    return is_open(sluice, wait_ms) ? advance(sluice) : note_stall(sluice);
}

/* Bytes in memory, which the core's filter keeps only few of. */
static int is_bytes(const apr_bucket *b)
{
    return !APR_BUCKET_IS_METADATA(b) && !APR_BUCKET_IS_FILE(b) &&
           b->length != (apr_size_t)-1;
}

static void move_first(apr_bucket_brigade *from, apr_bucket_brigade *to)
{
    apr_bucket *b = APR_BRIGADE_FIRST(from);

    APR_BUCKET_REMOVE(b);
    APR_BRIGADE_INSERT_TAIL(to, b);
}

/* As much of a brigade as the core's filter may keep. */
static apr_status_t give_first(etcl_sluice_t *sluice, apr_bucket_brigade *bb)
{
    const apr_size_t kept = has_caught_up(sluice) ? 0 : sluice->kept;
    const apr_size_t room = sluice->kept_max - kept;
    apr_size_t left = room;
    apr_status_t rv = APR_SUCCESS;
    apr_bucket *b;

    while (!rv && left && !APR_BRIGADE_EMPTY(bb)) {
        b = APR_BRIGADE_FIRST(bb);
        if (is_bytes(b)) {
            rv = b->length > left ? apr_bucket_split(b, left) : APR_SUCCESS;
            left -= rv ? 0 : b->length;
        }
        move_first(bb, sluice->piece);
    }
    return rv ? lose(sluice) : give_piece(sluice, room - left);
}

static apr_status_t spool_first(etcl_sluice_t *sluice, apr_bucket_brigade *bb)
{
    apr_bucket *b = APR_BRIGADE_FIRST(bb);
    etcl_span_t bytes;
    apr_status_t rv =
        apr_bucket_read(b, &bytes.ptr, &bytes.len, APR_BLOCK_READ);

    if (!sluice->spool) {
        sluice->spool = etcl_spool_create(sluice->r->pool);
    }
    if (!rv) {
        rv = etcl_spool_add(sluice->spool, bytes);
    }
    if (!rv) {
        apr_bucket_delete(b);
    }
    return rv;
}

/* What is in the spool stands first, as a file, where that can be kept. */
static apr_status_t unspool(etcl_sluice_t *sluice)
{
    if (etcl_spool_left(sluice->spool) &&
        etcl_spool_part(sluice->spool, sluice->r, sluice->piece)) {
        return lose(sluice);
    }
    return APR_SUCCESS;
}

/* A file, or an end, behind what is in the spool. */
static apr_status_t give_behind(etcl_sluice_t *sluice, apr_bucket_brigade *bb)
{
    apr_status_t rv = unspool(sluice);

    move_first(bb, sluice->piece);
    return rv ? rv : give_piece(sluice, 0);
}

/* Without room for more, who passes this on waits, as without a spool. */
static apr_status_t keep(etcl_sluice_t *sluice, apr_bucket_brigade *bb)
{
    apr_status_t rv = APR_SUCCESS;

    while (!rv && !has_room(sluice) && !APR_BRIGADE_EMPTY(bb) &&
           is_bytes(APR_BRIGADE_FIRST(bb))) {
        if (spool_first(sluice, bb)) {
            rv = look(sluice, LOOK_MS);
        }
    }
    return rv;
}

/* Most clients are only a little slower than a worker: to wait for those is
 * cheaper than to copy. */
static int is_soon_open(etcl_sluice_t *sluice)
{
    const apr_int64_t begin_us = etcl_clock_us();

    if (sluice->patience_us <= 0 || etcl_spool_left(sluice->spool)) {
        return 0;
    }
    if (!is_open(sluice, MOMENT_MS)) {
        sluice->patience_us = 0;
        return 0;
    }
    sluice->patience_us -= etcl_clock_us() - begin_us;
    return 1;
}

static int take_flushes(apr_bucket_brigade *bb)
{
    apr_bucket *b, *next;
    int count = 0;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = next) {
        next = APR_BUCKET_NEXT(b);
        if (APR_BUCKET_IS_FLUSH(b)) {
            apr_bucket_delete(b);
            ++count;
        }
    }
    return count;
}

static apr_status_t let_some_out(etcl_sluice_t *sluice, apr_bucket_brigade *bb)
{
    if (has_room(sluice)) {
        return give_first(sluice, bb);
    }
    if (!is_bytes(APR_BRIGADE_FIRST(bb))) {
        return give_behind(sluice, bb);
    }
    return is_soon_open(sluice) ? advance(sluice) : keep(sluice, bb);
}

static apr_status_t let_out(etcl_sluice_t *sluice, apr_bucket_brigade *bb)
{
    const int flush = take_flushes(bb);
    apr_status_t rv =
        etcl_sluice_is_behind(sluice) ? look(sluice, 0) : APR_SUCCESS;

    while (!rv && !APR_BRIGADE_EMPTY(bb)) {
        rv = let_some_out(sluice, bb);
    }
    if (rv || !flush || has_caught_up(sluice)) {
        return rv;
    }
    sluice->wants_flush = 1;
    return sluice->kept < TRIED_MIN ? advance(sluice) : APR_SUCCESS;
}

static apr_status_t write_output(ap_filter_t *f, apr_bucket_brigade *bb)
{
    etcl_sluice_t *sluice = f->ctx;

    return sluice->r ? let_out(sluice, bb) : ap_pass_brigade(f->next, bb);
}

void etcl_sluice_offer(apr_pool_t *pool)
{
    (void)pool;
    filter = ap_register_output_filter(NAME, write_output, NULL,
                                       (ap_filter_type)(AP_FTYPE_NETWORK - 1));
}

/* With as many bytes as FlushMaxThreshold the core's filter waits. */
static apr_size_t find_kept_max(const conn_rec *c)
{
    const core_server_config *core =
        ap_get_core_module_config(c->base_server->module_config);
    const apr_size_t limit = core->flush_max_threshold;

    return (limit > 1 && limit < FLUSH_MAX ? limit : FLUSH_MAX) - 1;
}

static etcl_sluice_t *put_in(request_rec *r)
{
    conn_rec *c = r->connection;
    etcl_sluice_t *sluice = apr_pcalloc(c->pool, sizeof(*sluice));

    sluice->c = c;
    sluice->piece = apr_brigade_create(c->pool, c->bucket_alloc);
    sluice->kept_max = find_kept_max(c);
    sluice->f = ap_add_output_filter_handle(filter, sluice, r, c);
    return sluice;
}

static etcl_sluice_t *find(conn_rec *c)
{
    ap_filter_t *f = c->output_filters;

    while (f && f->frec != filter) {
        f = f->next;
    }
    return f ? f->ctx : NULL;
}

etcl_sluice_t *etcl_sluice_open(request_rec *r)
{
    etcl_sluice_t *sluice;

    if (r->connection->master || !ap_get_conn_socket(r->connection)) {
        return NULL;
    }
    sluice = find(r->connection);
    if (sluice && sluice->r) {
        return NULL;
    }
    if (!sluice) {
        sluice = put_in(r);
    }
    while (r->main) {
        r = r->main;
    }
    sluice->r = r;
    sluice->patience_us = PATIENCE_US;
    sluice->kept = r->connection->data_in_output_filters ? sluice->kept_max : 0;
    sluice->stalled_us = 0;
    return sluice;
}

void etcl_sluice_close(etcl_sluice_t *sluice)
{
    if (!sluice) {
        return;
    }
    if (!sluice->c->aborted && etcl_spool_left(sluice->spool) &&
        !unspool(sluice)) {
        give_piece(sluice, 0);
    }
    etcl_spool_drop(sluice->spool);
    sluice->spool = NULL;
    sluice->wants_flush = 0;
    sluice->r = NULL;
}

int etcl_sluice_is_behind(const etcl_sluice_t *sluice)
{
    return etcl_spool_left(sluice->spool) || sluice->wants_flush;
}

apr_status_t etcl_sluice_wait(etcl_sluice_t *sluice, int link_fd,
                              apr_int64_t timeout_us)
{
    const apr_int64_t end_us = etcl_clock_us() + timeout_us;
    struct pollfd both[] = { { .fd = link_fd, .events = POLLIN },
                             { .fd = client_fd(sluice), .events = POLLOUT } };

    while (etcl_sluice_is_behind(sluice)) {
        poll(both, 2, LOOK_MS);
        if (look(sluice, 0)) {
            return ETCL_EGONE;
        }
        if (both[0].revents) {
            return APR_SUCCESS;
        }
        if (timeout_us && etcl_clock_us() >= end_us) {
            return APR_TIMEUP;
        }
    }
    return APR_SUCCESS;
}

apr_status_t etcl_sluice_settle(etcl_sluice_t *sluice)
{
    while (etcl_sluice_is_behind(sluice)) {
        if (look(sluice, LOOK_MS)) {
            return ETCL_EGONE;
        }
    }
    return APR_SUCCESS;
}

/* Receives from the socket what httpd's own filter would, once that has said
 * that it holds nothing back. How much may be read, and for how long to wait,
 * is said by the filters above, as always: it knows nothing of requests. */

#include "etcl_intake.h"

#include <apr_portable.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NAME "ETCL_INTAKE"

struct etcl_intake_t {
    apr_socket_t *socket;
    char *into; /* of the caller of etcl_intake_aim; or NULL */
    apr_size_t room;
    int is_dry; /* httpd's filter has nothing: all else is in the socket */
};

static ap_filter_rec_t *filter;
static apr_os_sock_t silent_fd = -1; /* nothing ever comes from it */

/* The same as httpd's: without `block`, what is there now. After a short read
 * APR asks poll() first, and calls "nothing yet" a time that is up. */
static apr_status_t recv_some(etcl_intake_t *self, apr_read_type_e block,
                              apr_size_t *len)
{
    apr_interval_time_t limit = 0;
    apr_status_t rv;

    if (block == APR_BLOCK_READ) {
        return apr_socket_recv(self->socket, self->into, len);
    }
    apr_socket_timeout_get(self->socket, &limit);
    apr_socket_timeout_set(self->socket, 0);
    rv = apr_socket_recv(self->socket, self->into, len);
    apr_socket_timeout_set(self->socket, limit);
    return APR_STATUS_IS_TIMEUP(rv) ? APR_EAGAIN : rv;
}

static apr_status_t take_in(etcl_intake_t *self, apr_bucket_brigade *bb,
                            apr_read_type_e block, apr_size_t max)
{
    apr_size_t len = max < self->room ? max : self->room;
    apr_status_t rv = recv_some(self, block, &len);

    if (rv) {
        return rv;
    }
    if (!len) {
        return APR_EOF;
    }
    APR_BRIGADE_INSERT_TAIL(
        bb, apr_bucket_transient_create(self->into, len, bb->bucket_alloc));
    return APR_SUCCESS;
}

/* What httpd has received beyond the head of the request comes first. Asked
 * while its socket is one that never has anything, it gives only that. */
static apr_status_t take_rest(ap_filter_t *f, apr_bucket_brigade *bb,
                              apr_off_t max)
{
    etcl_intake_t *self = f->ctx;
    apr_os_sock_t fd;
    apr_status_t rv = apr_os_sock_get(&fd, self->socket);

    if (rv) {
        return rv;
    }
    apr_os_sock_put(&self->socket, &silent_fd, f->c->pool);
    rv = ap_get_brigade(f->next, bb, AP_MODE_READBYTES, APR_NONBLOCK_READ, max);
    apr_os_sock_put(&self->socket, &fd, f->c->pool);
    self->is_dry = APR_STATUS_IS_EAGAIN(rv) || (!rv && APR_BRIGADE_EMPTY(bb));
    return self->is_dry ? APR_SUCCESS : rv;
}

static apr_status_t read_input(ap_filter_t *f, apr_bucket_brigade *bb,
                               ap_input_mode_t mode, apr_read_type_e block,
                               apr_off_t max)
{
    etcl_intake_t *self = f->ctx;
    apr_status_t rv = APR_SUCCESS;

    if (!self->into || mode != AP_MODE_READBYTES || max <= 0) {
        self->is_dry = 0;
        return ap_get_brigade(f->next, bb, mode, block, max);
    }
    if (!self->is_dry) {
        rv = take_rest(f, bb, max);
    }
    return self->is_dry ? take_in(self, bb, block, (apr_size_t)max) : rv;
}

static apr_status_t close_silent(void *unused)
{
    (void)unused;
    if (silent_fd >= 0) {
        close(silent_fd);
    }
    silent_fd = -1;
    return APR_SUCCESS;
}

void etcl_intake_offer(apr_pool_t *pool)
{
    silent_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    apr_pool_cleanup_register(pool, NULL, close_silent, apr_pool_cleanup_null);
    filter = ap_register_input_filter(NAME, read_input, NULL,
                                      (ap_filter_type)(AP_FTYPE_NETWORK - 1));
}

/* These pass on what they get, and keep nothing of it. */
static int is_harmless(const ap_filter_t *f)
{
    static const char *const names[] = { "http_in", "reqtimeout",
                                         "log_input_output" };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!strcasecmp(f->frec->name, names[i])) {
            return 1;
        }
    }
    return 0;
}

/* The filter at which the short way can begin: ours, or httpd's own. */
static ap_filter_t *find_end(ap_filter_t *f)
{
    while (f && f->frec != filter && is_harmless(f)) {
        f = f->next;
    }
    return f;
}

static int is_socket(const ap_filter_t *f)
{
    return f && !strcasecmp(f->frec->name, "core_in");
}

static void put_in(request_rec *r)
{
    conn_rec *c = r->connection;
    etcl_intake_t *self = apr_pcalloc(c->pool, sizeof(*self));

    self->socket = ap_get_conn_socket(c);
    if (self->socket) {
        ap_add_input_filter_handle(filter, self, r, c);
    }
}

etcl_intake_t *etcl_intake_of(request_rec *r)
{
    ap_filter_t *end = find_end(r->input_filters);

    if (r->connection->master || silent_fd < 0) {
        return NULL;
    }
    if (is_socket(end)) {
        put_in(r);
        end = find_end(r->input_filters);
    }
    return end && end->frec == filter && is_socket(end->next) ? end->ctx : NULL;
}

void etcl_intake_aim(etcl_intake_t *intake, char *into, apr_size_t room)
{
    intake->into = into;
    intake->room = room;
}

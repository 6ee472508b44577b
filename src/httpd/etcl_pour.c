/* Takes bytes out of a window as fast as the client does. The core's output
 * filter would wait for a client that is slower than a handler, so it is given
 * little at a time, and nothing while it still keeps some. */

#include "etcl_pour.h"
#include "etcl_pane.h"
#include "etcl_part.h"
#include "etcl_spill.h"

#include <apr_portable.h>
#include <http_connection.h>
#include <http_core.h>
#include <poll.h>
#include <unistd.h>

#define WAIT_MS 20
#define WAITS_MAX 64

static apr_size_t next_len(const etcl_pour_t *pour)
{
    return pour->left < ETCL_POUR_PIECE ? pour->left : ETCL_POUR_PIECE;
}

static apr_status_t take_piece(etcl_pour_t *pour, apr_size_t len)
{
    apr_status_t rv =
        etcl_view_read(pour->view, pour->serial, pour->at, pour->piece, len);

    if (!rv) {
        pour->at += len;
        pour->left -= len;
    }
    return rv;
}

static apr_status_t copy_rest(etcl_pour_t *pour, int fd)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t len;

    while (!rv && pour->left) {
        len = next_len(pour);
        rv = take_piece(pour, len);
        if (!rv) {
            rv = etcl_spill_add(fd, (etcl_span_t){ pour->piece, len });
        }
    }
    return rv ? rv : etcl_spill_seal(fd);
}

apr_status_t etcl_pour_all(etcl_pour_t *pour, request_rec *r,
                           apr_bucket_brigade *bb)
{
    const etcl_pour_t before = *pour;
    apr_status_t rv;
    int fd = etcl_spill_open();

    if (fd < 0) {
        return errno;
    }
    rv = copy_rest(pour, fd);
    if (rv) {
        close(fd);
    } else {
        rv = etcl_part_append(r, bb, fd, 0, (apr_off_t)before.left);
    }
    if (rv) {
        *pour = before;
    }
    return rv;
}

static int is_writable(conn_rec *c)
{
    struct pollfd entry = { .fd = -1, .events = POLLOUT };
    apr_socket_t *client = ap_get_conn_socket(c);

    return client && !apr_os_sock_get(&entry.fd, client) &&
           poll(&entry, 1, WAIT_MS) > 0;
}

/* What the core's filter keeps for the client, as the event MPM does it. */
static apr_status_t send_kept(conn_rec *c)
{
    ap_filter_t *f = c->output_filters;

    while (f->next) {
        f = f->next;
    }
    return f->frec->filter_func.out_func(f, NULL);
}

/* Whether the client has taken everything so far, or does in a moment. A
 * secondary connection has no client of its own. */
static int is_taken(etcl_pour_t *pour, conn_rec *c)
{
    while (!c->master && !c->aborted && c->data_in_output_filters) {
        if (++pour->waits > WAITS_MAX || !is_writable(c) || send_kept(c)) {
            return 0;
        }
    }
    return 1;
}

/* The last piece is always a copy: reading it tells that everything before was
 * still there, too, while the answer can still be broken off. */
static int may_show(const etcl_pour_t *pour, const request_rec *r)
{
    return pour->left > ETCL_POUR_PIECE && etcl_pane_may_pass(r);
}

static apr_bucket *show_piece(etcl_pour_t *pour, request_rec *r)
{
    apr_bucket *b = etcl_pane_create(r, pour->view, pour->serial, pour->at,
                                     ETCL_POUR_PIECE);

    pour->at += ETCL_POUR_PIECE;
    pour->left -= ETCL_POUR_PIECE;
    return b;
}

static apr_status_t append_piece(etcl_pour_t *pour, request_rec *r,
                                 apr_bucket_brigade *bb)
{
    const apr_size_t len = next_len(pour);
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    apr_status_t rv;

    if (may_show(pour, r)) {
        APR_BRIGADE_INSERT_TAIL(bb, show_piece(pour, r));
        return APR_SUCCESS;
    }
    rv = take_piece(pour, len);
    if (!rv) {
        APR_BRIGADE_INSERT_TAIL(
            bb, apr_bucket_transient_create(pour->piece, len, list));
    }
    return rv;
}

/* Without memory for a file, the filters wait for the client. */
apr_status_t etcl_pour_next(etcl_pour_t *pour, request_rec *r,
                            apr_bucket_brigade *bb)
{
    apr_status_t rv;

    if (!is_taken(pour, r->connection)) {
        rv = etcl_pour_all(pour, r, bb);
        if (!rv || rv == ETCL_EPROTO) {
            return rv;
        }
    }
    return append_piece(pour, r, bb);
}

/* Takes bytes out of a window, little at a time: what is given is sent from
 * where it is, or kept for a slow client by etcl_sluice.c. */

#include "etcl_pour.h"
#include "etcl_pane.h"
#include "etcl_part.h"
#include "etcl_spill.h"

#include <unistd.h>

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

apr_status_t etcl_pour_next(etcl_pour_t *pour, request_rec *r,
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

/* A bucket type whose bytes only the kernel reads: the core's output filter
 * names them to writev(). Set aside, they are copied, by the kernel, too. */

#include "etcl_pane.h"

#include <string.h>

typedef struct {
    const etcl_view_t *view;
    apr_uint32_t serial;
} pane_t;

/* Filters that httpd puts into every chain, and that pass bytes on unread. */
static int is_blind(const char *name)
{
    static const char *const names[] = { "byterange",   "content_length",
                                         "http_header", "http_outerror",
                                         "etcl_sluice", "core" };
    apr_size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (!strcmp(name, names[i])) {
            return 1;
        }
    }
    return 0;
}

int etcl_pane_may_pass(const request_rec *r)
{
    const ap_filter_t *f;

    for (f = r->output_filters; f; f = f->next) {
        if (!is_blind(f->frec->name)) {
            return 0;
        }
    }
    return 1;
}

static apr_status_t read_pane(apr_bucket *b, const char **bytes,
                              apr_size_t *len, apr_read_type_e block)
{
    const pane_t *pane = b->data;

    *bytes = pane->view->ptr + b->start;
    *len = b->length;
    return APR_SUCCESS;
}

static apr_status_t set_aside(apr_bucket *b, apr_pool_t *pool)
{
    const pane_t *pane = b->data;
    char *copy = apr_bucket_alloc(b->length, b->list);
    apr_status_t rv = etcl_view_read(pane->view, pane->serial,
                                     (apr_size_t)b->start, copy, b->length);

    if (rv) {
        apr_bucket_free(copy);
        return APR_EGENERAL;
    }
    apr_bucket_heap_make(b, copy, b->length, apr_bucket_free);
    return APR_SUCCESS;
}

static const apr_bucket_type_t pane_type = {
    "ETCL-PANE", 5,         APR_BUCKET_DATA,         apr_bucket_destroy_noop,
    read_pane,   set_aside, apr_bucket_simple_split, apr_bucket_simple_copy
};

apr_bucket *etcl_pane_create(request_rec *r, const etcl_view_t *view,
                             apr_uint32_t serial, apr_size_t at, apr_size_t len)
{
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    apr_bucket *b = apr_bucket_alloc(sizeof *b, list);
    pane_t *pane = apr_palloc(r->pool, sizeof *pane);

    APR_BUCKET_INIT(b);
    *pane = (pane_t){ .view = view, .serial = serial };
    b->type = &pane_type;
    b->data = pane;
    b->start = (apr_off_t)at;
    b->length = len;
    b->free = apr_bucket_free;
    b->list = list;
    return b;
}

/* The head of an answer: what of it may not reach a client, and where the rest
 * of it goes in a request_rec. What follows from it is etcl_emit.c's. */

#include "etcl_heading.h"
#include "etcl_text.h"

/* header-buffer-size=; the name, the value, and ": " between them. */
static int is_too_long(const etcl_header_t *h, apr_int64_t header_max)
{
    return header_max &&
           (apr_int64_t)(h->name.len + h->value.len + 2) > header_max;
}

const char *etcl_heading_judge(const etcl_head_t *head, apr_int64_t header_max,
                               apr_pool_t *pool)
{
    apr_size_t i;

    if (head->status < 200 || head->status > 999) {
        return apr_psprintf(pool, "status %d is not a final one", head->status);
    }
    for (i = 0; i < head->header_count; ++i) {
        const etcl_header_t *h = &head->headers[i];

        if (!etcl_text_is_token(h->name) || !etcl_text_is_value(h->value)) {
            return apr_psprintf(pool, "header %.*s is malformed",
                                (int)h->name.len, h->name.ptr);
        }
        if (etcl_text_is_hop_by_hop(h->name)) {
            return apr_psprintf(pool,
                                "header %.*s belongs to the connection, which "
                                "is not the application's",
                                (int)h->name.len, h->name.ptr);
        }
        if (is_too_long(h, header_max)) {
            return apr_psprintf(pool,
                                "header %.*s is longer than "
                                "header-buffer-size=%" APR_INT64_T_FMT,
                                (int)h->name.len, h->name.ptr, header_max);
        }
    }
    return NULL;
}

static const char *take_length(etcl_span_t value, apr_int64_t *promised)
{
    apr_int64_t len;

    if (etcl_text_length(value, &len)) {
        return "Content-Length is not a length";
    }
    if (*promised >= 0 && *promised != len) {
        return "there are two Content-Length headers that differ";
    }
    *promised = len;
    return NULL;
}

static const char *take_header(const etcl_header_t *h, request_rec *r,
                               apr_int64_t *promised)
{
    const char *name, *value;

    if (etcl_text_same(h->name, ETCL_SPAN("Content-Length"))) {
        return take_length(h->value, promised);
    }
    value = apr_pstrmemdup(r->pool, h->value.ptr, h->value.len);
    if (etcl_text_same(h->name, ETCL_SPAN("Content-Type"))) {
        ap_set_content_type(r, value);
        return NULL;
    }
    name = apr_pstrmemdup(r->pool, h->name.ptr, h->name.len);
    /* What asks for a password must survive an ErrorDocument. */
    if (etcl_text_same(h->name, ETCL_SPAN("WWW-Authenticate"))) {
        apr_table_addn(r->err_headers_out, name, value);
    } else {
        apr_table_addn(r->headers_out, name, value);
    }
    return NULL;
}

/* Mostly the reason is the usual one, which httpd has at hand. */
static void take_status(request_rec *r, const etcl_head_t *head)
{
    const char *usual = ap_get_status_line(head->status);

    r->status = head->status;
    r->status_line = NULL;
    if (atoi(usual) == head->status && etcl_span_is(head->reason, usual + 4)) {
        r->status_line = usual;
    } else if (head->reason.len) {
        r->status_line = apr_psprintf(r->pool, "%d %.*s", head->status,
                                      (int)head->reason.len, head->reason.ptr);
    }
}

const char *etcl_heading_take(const etcl_head_t *head, request_rec *r,
                              apr_int64_t *promised)
{
    const char *why = NULL;
    apr_size_t i;

    /* Else it would be what mod_mime thinks of the script's name. */
    ap_set_content_type(r, NULL);
    for (i = 0; !why && i < head->header_count; ++i) {
        why = take_header(&head->headers[i], r, promised);
    }
    if (!why) {
        take_status(r, head);
    }
    return why;
}

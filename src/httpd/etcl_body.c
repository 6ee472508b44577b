/* Reads the body as httpd decoded it: chunked coding, limits and "100
 * Continue" are httpd's, which sends the latter at the first read. Knows
 * nothing of links. */

#include "etcl_body.h"
#include "etcl_config.h"
#include "etcl_text.h"

/* From here on it is worth to ask for the short way, and to take it. */
#define LONG_BODY (64 * 1024)
#define LONG_READ (8 * 1024)

static int refuse_coding(request_rec *r, const char *coding)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "ETCL0130: the request's Transfer-Encoding is \"%s\"; only "
                  "chunked is understood",
                  coding);
    return HTTP_NOT_IMPLEMENTED;
}

static int begin_chunked(etcl_body_t *body, const char *coding)
{
    request_rec *r = body->r;

    if (strcasecmp(coding, "chunked")) {
        return refuse_coding(r, coding);
    }
    if (!etcl_config_flag(&etcl_config_dir(r)->chunked_request, 1)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0131: a request body without Content-Length was "
                      "refused: WSGIChunkedRequest is Off");
        return HTTP_LENGTH_REQUIRED;
    }
    if (apr_table_get(r->headers_in, "Content-Length")) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0132: a request with both Content-Length and "
                      "Transfer-Encoding was refused");
        return HTTP_BAD_REQUEST;
    }
    body->len = -1;
    return OK;
}

static int begin_counted(etcl_body_t *body, const char *length)
{
    request_rec *r = body->r;
    apr_int64_t limit = ap_get_limit_req_body(r);

    if (etcl_text_length(etcl_span(length), &body->len)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0133: the request's Content-Length \"%s\" is not a "
                      "length",
                      length);
        return HTTP_BAD_REQUEST;
    }
    if (limit > 0 && body->len > limit) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "ETCL0134: a request body of %" APR_INT64_T_FMT
                      " bytes was refused: LimitRequestBody is "
                      "%" APR_INT64_T_FMT,
                      body->len, limit);
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    return OK;
}

/* HTTP/2 says neither length nor coding; whether there is a body is told by
 * the stream. */
static int is_framed_elsewhere(const request_rec *r)
{
    return r->proto_num >= HTTP_VERSION(2, 0) && r->method_number != M_GET;
}

int etcl_body_begin(etcl_body_t *body, request_rec *r)
{
    const char *coding = apr_table_get(r->headers_in, "Transfer-Encoding");
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    int status = OK;

    *body = (etcl_body_t){ .r = r };
    if (coding) {
        status = begin_chunked(body, coding);
    } else if (length) {
        status = begin_counted(body, length);
    } else if (is_framed_elsewhere(r)) {
        body->len = -1;
    }
    body->ended = !body->len;
    return status;
}

/* A body above LimitRequestBody, or badly chunked, httpd has answered itself:
 * AP_FILTER_ERROR, and the status is the request's. */
static apr_status_t break_off(etcl_body_t *body, apr_status_t rv)
{
    request_rec *r = body->r;
    int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    int told = status == AP_FILTER_ERROR ? r->status : status;

    body->status = status;
    body->sent = status == AP_FILTER_ERROR ? r->status : 0;
    body->why = told == HTTP_REQUEST_TIME_OUT           ? ETCL_ESTALL
                : told == HTTP_REQUEST_ENTITY_TOO_LARGE ? ETCL_ELIMIT
                                                        : ETCL_ESHORT;
    body->ended = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
    return body->why;
}

/* Takes bytes out of the brigade; what is not needed stays in it. */
static apr_status_t drain(etcl_body_t *body, char *into, apr_size_t max,
                          apr_size_t *got)
{
    while (*got < max && !APR_BRIGADE_EMPTY(body->bb)) {
        apr_bucket *b = APR_BRIGADE_FIRST(body->bb);
        const char *data;
        apr_size_t len;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(b)) {
            body->ended = 1;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            apr_bucket_delete(b);
            continue;
        }
        rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
        if (rv) {
            return rv;
        }
        if (len > max - *got) {
            len = max - *got;
            apr_bucket_split(b, len);
        }
        if (data != into + *got) {
            memcpy(into + *got, data, len);
        }
        *got += len;
        apr_bucket_delete(b);
    }
    return APR_SUCCESS;
}

static void make_brigades(etcl_body_t *body)
{
    apr_pool_t *pool = body->r->pool;
    apr_bucket_alloc_t *alloc = body->r->connection->bucket_alloc;

    if (!body->bb) {
        body->bb = apr_brigade_create(pool, alloc);
        body->fresh = apr_brigade_create(pool, alloc);
    }
}

static apr_status_t receive(etcl_body_t *body, apr_size_t max, int wait)
{
    apr_status_t rv;

    make_brigades(body);
    rv = ap_get_brigade(body->r->input_filters, body->fresh, AP_MODE_READBYTES,
                        wait ? APR_BLOCK_READ : APR_NONBLOCK_READ,
                        (apr_off_t)max);
    if (!rv && APR_BRIGADE_EMPTY(body->fresh) && !wait) {
        rv = APR_EAGAIN;
    }
    if (rv) {
        /* What came with an error lies in a place that is taken back. */
        apr_brigade_cleanup(body->fresh);
        return rv;
    }
    APR_BRIGADE_CONCAT(body->bb, body->fresh);
    return APR_SUCCESS;
}

apr_int64_t etcl_body_rest(const etcl_body_t *body)
{
    return body->len < 0 ? -1 : body->len - body->taken;
}

static int is_long(const etcl_body_t *body)
{
    return body->len < 0 || etcl_body_rest(body) >= LONG_BODY;
}

/* Of a long body the bytes may come straight into their place. */
static apr_status_t receive_into(etcl_body_t *body, char *into, apr_size_t max,
                                 int wait)
{
    apr_status_t rv;

    if (!body->intake && !body->taken && is_long(body)) {
        body->intake = etcl_intake_of(body->r);
    }
    if (!body->intake || max < LONG_READ) {
        return receive(body, max, wait);
    }
    etcl_intake_aim(body->intake, into, max);
    rv = receive(body, max, wait);
    etcl_intake_aim(body->intake, NULL, 0);
    return rv;
}

static int is_whole(const etcl_body_t *body)
{
    return body->bb && !APR_BRIGADE_EMPTY(body->bb) &&
           APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(body->bb));
}

int etcl_body_look(etcl_body_t *body, apr_size_t max)
{
    apr_status_t rv = APR_SUCCESS;
    apr_off_t here = 0;

    while (!rv && !is_whole(body) && here < (apr_off_t)max) {
        rv = receive(body, max - (apr_size_t)here, 0);
        if (!rv) {
            rv = apr_brigade_length(body->bb, 1, &here);
        }
    }
    if (rv && !APR_STATUS_IS_EAGAIN(rv)) {
        break_off(body, rv);
    }
    return is_whole(body) && here <= (apr_off_t)max;
}

apr_status_t etcl_body_take(etcl_body_t *body, char *into, apr_size_t max,
                            int wait, apr_size_t *got)
{
    apr_status_t rv = APR_SUCCESS;

    *got = 0;
    if (body->bb) {
        rv = drain(body, into, max, got);
    }
    while (!rv && !*got && !body->ended) {
        rv = receive_into(body, into, max, wait);
        if (!rv) {
            rv = drain(body, into, max, got);
        }
        if (APR_STATUS_IS_EAGAIN(rv) && !wait) {
            return APR_EAGAIN;
        }
    }
    body->taken += (apr_int64_t)*got;
    if (rv) {
        return break_off(body, rv);
    }
    if (*got) {
        return APR_SUCCESS;
    }
    return body->why ? body->why : APR_EOF;
}

/* A bucket whose length is not known may turn out to be empty. */
static int has_bytes(const etcl_body_t *body)
{
    const apr_bucket *b;

    if (!body->bb || APR_BRIGADE_EMPTY(body->bb)) {
        return 0;
    }
    b = APR_BRIGADE_FIRST(body->bb);
    return !APR_BUCKET_IS_METADATA(b) && b->length &&
           b->length != (apr_size_t)-1;
}

int etcl_body_is_here(etcl_body_t *body, apr_size_t max)
{
    if (!has_bytes(body) && !body->ended && !is_whole(body)) {
        apr_status_t rv = receive(body, max, 0);

        if (rv && !APR_STATUS_IS_EAGAIN(rv)) {
            break_off(body, rv);
        }
    }
    return has_bytes(body);
}

void etcl_body_put_back(etcl_body_t *body, etcl_span_t bytes)
{
    apr_bucket *b;

    if (bytes.len) {
        b = apr_bucket_heap_create(bytes.ptr, bytes.len, NULL,
                                   body->r->connection->bucket_alloc);
        APR_BRIGADE_INSERT_HEAD(body->bb, b);
        body->taken -= (apr_int64_t)bytes.len;
    }
}

void etcl_body_settle(const etcl_body_t *body)
{
    if (body->sent) {
        body->r->status = body->sent;
    }
}

int etcl_body_is_done(const etcl_body_t *body)
{
    if (body->status) {
        return 0;
    }
    return (body->ended && (!body->bb || APR_BRIGADE_EMPTY(body->bb))) ||
           (body->len >= 0 && body->taken == body->len);
}

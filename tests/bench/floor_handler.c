/* The floor of the benchmark: the plain workloads answered by C inside an
 * Apache child, with no Python, no process to ask and nothing to decide. It
 * does what a careful handler would do, and no more. */
#include "httpd.h"
#include "http_config.h"
#include "http_protocol.h"
#include "http_request.h"
#include "apr_strings.h"

#define FLOOR_BLOCKS 64
#define FLOOR_BLOCK 1024
#define FLOOR_PIECE (64 << 10)
#define FLOOR_BODY_MAX (1 << 20)

static const char hello[] = "Hello World!\n";
static char body[FLOOR_BODY_MAX];

static apr_status_t pass(request_rec *r, apr_bucket_brigade *brigade)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;

    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    return ap_pass_brigade(r->output_filters, brigade);
}

static int answer(request_rec *r, const char *text, apr_size_t len)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);

    ap_set_content_type(r, "text/plain");
    ap_set_content_length(r, (apr_off_t)len);
    APR_BRIGADE_INSERT_TAIL(brigade,
                            apr_bucket_immortal_create(text, len, alloc));
    return pass(r, brigade) == APR_SUCCESS ? OK : AP_FILTER_ERROR;
}

static int stream(request_rec *r)
{
    int block;

    ap_set_content_type(r, "text/plain");
    for (block = 0; block < FLOOR_BLOCKS; block++) {
        if (ap_rwrite(body, FLOOR_BLOCK, r) < 0 || ap_rflush(r) < 0) {
            return AP_FILTER_ERROR;
        }
    }
    return OK;
}

static int post(request_rec *r)
{
    char *piece = apr_palloc(r->pool, FLOOR_PIECE);
    apr_off_t count = 0;
    char *text;
    long got = 0;
    int rv = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);

    if (rv != OK) {
        return rv;
    }
    if (ap_should_client_block(r)) {
        while ((got = ap_get_client_block(r, piece, FLOOR_PIECE)) > 0) {
            count += got;
        }
    }
    if (got < 0) {
        return HTTP_BAD_REQUEST;
    }
    text = apr_off_t_toa(r->pool, count);
    return answer(r, text, strlen(text));
}

static int file(request_rec *r)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);
    apr_int32_t flags = APR_READ | APR_BINARY | APR_SENDFILE_ENABLED;
    apr_file_t *fd;

    if (r->finfo.filetype != APR_REG) {
        return HTTP_NOT_FOUND;
    }
    if (apr_file_open(&fd, r->filename, flags, 0, r->pool)) {
        return HTTP_FORBIDDEN;
    }
    ap_set_content_type(r, "application/octet-stream");
    ap_set_content_length(r, r->finfo.size);
    apr_brigade_insert_file(brigade, fd, 0, r->finfo.size, r->pool);
    return pass(r, brigade) == APR_SUCCESS ? OK : AP_FILTER_ERROR;
}

static int handle(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, "etcl-floor") != 0) {
        return DECLINED;
    }
    if (!strcmp(r->uri, "/hello")) {
        return answer(r, hello, sizeof(hello) - 1);
    }
    if (!strcmp(r->uri, "/16k")) {
        return answer(r, body, 16 << 10);
    }
    if (!strcmp(r->uri, "/1m")) {
        return answer(r, body, FLOOR_BODY_MAX);
    }
    if (!strcmp(r->uri, "/stream")) {
        return stream(r);
    }
    if (!strcmp(r->uri, "/post")) {
        return post(r);
    }
    return strcmp(r->uri, "/file") ? HTTP_NOT_FOUND : file(r);
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    memset(body, 'x', sizeof(body));
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(floor_handler) = { STANDARD20_MODULE_STUFF,
                                     .register_hooks = register_hooks };

/* Turns a head, bytes and files into headers and buckets. Never holds more
 * than one packet: what cannot be written is the filters' to keep or to wait
 * for. Does not know where the answer comes from. */

#include "etcl_emit.h"
#include "etcl_config.h"
#include "etcl_heading.h"
#include "etcl_part.h"

#include <apr_date.h>
#include <apr_portable.h>
#include <http_connection.h>
#include <sys/socket.h>
#include <unistd.h>

#define PUSH_MAX 65536 /* bytes that fit into the sockets, as a rule */

void etcl_emit_init(etcl_emit_t *emit, request_rec *r,
                    etcl_question_t *question)
{
    *emit = (etcl_emit_t){ .r = r, .question = question, .promised = -1 };
    emit->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
}

static const char *take_verdict(etcl_emit_t *emit, const etcl_head_t *head)
{
    etcl_question_t *question = emit->question;

    if (head->content_length < 0 ||
        head->content_length > ETCL_QUESTION_VALUE_MAX) {
        return "the value of a verdict has no length, or is too long";
    }
    question->status = head->status;
    question->value =
        apr_pcalloc(emit->r->pool, (apr_size_t)head->content_length + 1);
    question->value_len = 0;
    emit->promised = head->content_length;
    emit->has_head = 1;
    return NULL;
}

/* WSGIErrorOverride, WSGIInternalRedirect. */
static int is_for_apache(etcl_emit_t *emit)
{
    const etcl_dir_t *dir = etcl_config_dir(emit->r);
    const char *location = apr_table_get(emit->r->headers_out, "Location");

    if (emit->r->status >= 400 && etcl_config_flag(&dir->error_override, 0)) {
        return 1;
    }
    if (emit->r->status == HTTP_OK && location && *location == '/' &&
        etcl_config_flag(&dir->internal_redirect, 0)) {
        emit->location = location;
        return 1;
    }
    return 0;
}

/* The body is dropped, and so are the headers, but those that survive an
 * ErrorDocument. */
static void hand_over(etcl_emit_t *emit)
{
    request_rec *r = emit->r;

    emit->status = r->status;
    emit->is_replaced = 1;
    apr_table_clear(r->headers_out);
    ap_set_content_type(r, NULL);
    r->status = HTTP_OK;
    r->status_line = NULL;
}

/* The body belongs to what was asked first. What is left of it must not be
 * taken for the next request of this connection. */
static void redirect(request_rec *r, const char *location)
{
    if (r->expecting_100) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    if (ap_discard_request_body(r) != OK) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    r->method = "GET";
    r->method_number = M_GET;
    apr_table_unset(r->headers_in, "Content-Length");
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    ap_internal_redirect_handler(location, r);
}

int etcl_emit_settle(etcl_emit_t *emit, int status)
{
    request_rec *r = emit->r;

    if (status != OK || !emit->has_eos || r->connection->aborted) {
        return status;
    }
    if (!emit->location) {
        return emit->status ? emit->status : OK;
    }
    redirect(r, emit->location);
    return OK;
}

apr_status_t etcl_emit_head(etcl_emit_t *emit, const etcl_head_t *head,
                            const char **why)
{
    request_rec *r = emit->r;

    *why = emit->has_head ? "there is a second head"
                          : etcl_heading_judge(head, emit->header_max, r->pool);
    if (!*why && emit->question) {
        *why = take_verdict(emit, head);
        return *why ? ETCL_EINVAL : APR_SUCCESS;
    }
    if (!*why) {
        *why = etcl_heading_take(head, r, &emit->promised);
    }
    if (*why) {
        return ETCL_EINVAL;
    }
    emit->has_head = 1;
    if (is_for_apache(emit)) {
        hand_over(emit);
        return APR_SUCCESS;
    }
    emit->is_bodiless = r->header_only || AP_STATUS_IS_HEADER_ONLY(r->status);
    if (emit->promised >= 0) {
        ap_set_content_length(r, emit->promised);
    }
    return APR_SUCCESS;
}

void etcl_emit_undo(etcl_emit_t *emit)
{
    request_rec *r = emit->r;

    emit->has_head = 0;
    emit->status = 0;
    emit->location = NULL;
    emit->pour.left = 0;
    if (emit->question) {
        emit->question->status = 0;
        return;
    }
    apr_brigade_cleanup(emit->bb);
    apr_table_clear(r->headers_out);
    apr_table_clear(r->err_headers_out);
    ap_set_content_type(r, NULL);
    r->clength = 0;
    r->status = HTTP_OK;
    r->status_line = NULL;
}

static void append(etcl_emit_t *emit, apr_bucket *b)
{
    APR_BRIGADE_INSERT_TAIL(emit->bb, b);
}

static void append_eos(etcl_emit_t *emit)
{
    if (!emit->has_eos) {
        append(emit, apr_bucket_eos_create(emit->r->connection->bucket_alloc));
        emit->has_eos = 1;
    }
}

/* How many of `len` bytes are still promised. */
static apr_int64_t within(etcl_emit_t *emit, apr_int64_t len)
{
    apr_int64_t left = emit->promised - emit->taken;

    if (emit->promised < 0 || len <= left) {
        return len;
    }
    emit->is_over = 1;
    return left;
}

int etcl_emit_is_complete(const etcl_emit_t *emit)
{
    return emit->has_head && !emit->has_eos && emit->taken == emit->promised;
}

void etcl_emit_data(etcl_emit_t *emit, etcl_span_t bytes)
{
    apr_int64_t len = within(emit, (apr_int64_t)bytes.len);

    if (!len || emit->has_eos) {
        return;
    }
    if (emit->question) {
        memcpy(emit->question->value + emit->taken, bytes.ptr, (size_t)len);
        emit->question->value_len = (apr_size_t)(emit->taken + len);
    } else if (!emit->is_replaced) {
        emit->has_bytes = 1;
        append(emit,
               apr_bucket_transient_create(bytes.ptr, (apr_size_t)len,
                                           emit->r->connection->bucket_alloc));
    }
    emit->taken += len;
    emit->unflushed += len;
}

apr_status_t etcl_emit_keep(etcl_emit_t *emit)
{
    apr_status_t rv = APR_SUCCESS;
    apr_bucket *b;

    for (b = APR_BRIGADE_LAST(emit->bb);
         !rv && b != APR_BRIGADE_SENTINEL(emit->bb) &&
         APR_BUCKET_IS_TRANSIENT(b);
         b = APR_BUCKET_PREV(b)) {
        rv = apr_bucket_setaside(b, emit->r->pool);
    }
    emit->has_bytes = rv != APR_SUCCESS;
    return rv;
}

/* The answer is a file: what its validators say is httpd's to answer, as for
 * any file. */
static void meet_conditions(etcl_emit_t *emit)
{
    request_rec *r = emit->r;
    const char *modified = apr_table_get(r->headers_out, "Last-Modified");
    int status;

    if (emit->taken || r->status != HTTP_OK || emit->has_passed) {
        return;
    }
    if (modified) {
        ap_update_mtime(r, apr_date_parse_http(modified));
    }
    status = ap_meets_conditions(r);
    if (status != OK) {
        r->status = status;
        r->status_line = NULL;
        emit->is_replaced = 1;
    }
}

/* Of one response: each is a descriptor until the response has been sent. */
#define FILES_MAX 256

static apr_status_t append_file(etcl_emit_t *emit, int fd, apr_int64_t offset,
                                apr_int64_t len)
{
    if (!etcl_part_is_memory(fd)) {
        meet_conditions(emit);
    }
    emit->taken += len;
    emit->unflushed += len;
    if (emit->is_replaced) {
        close(fd);
        return APR_SUCCESS;
    }
    return etcl_part_append(emit->r, emit->bb, fd, offset, len);
}

apr_status_t etcl_emit_file(etcl_emit_t *emit, int fd, apr_int64_t offset,
                            apr_int64_t len)
{
    if (emit->question || !etcl_part_is_in(fd, offset, len) ||
        ++emit->files > FILES_MAX) {
        close(fd);
        return ETCL_EPROTO;
    }
    len = within(emit, len);
    if (!len || emit->has_eos) {
        close(fd);
        return APR_SUCCESS;
    }
    return append_file(emit, fd, offset, len);
}

/* httpd makes ranges only of a response that it has in one piece; without
 * memory for that, it is sent as a whole. */
static apr_status_t for_ranges(etcl_emit_t *emit)
{
    apr_status_t rv = APR_SUCCESS;

    if (apr_table_get(emit->r->headers_in, "Range")) {
        rv = etcl_pour_all(&emit->pour, emit->r, emit->bb);
    }
    return rv == ETCL_EPROTO ? rv : APR_SUCCESS;
}

apr_status_t etcl_emit_window(etcl_emit_t *emit, const etcl_pour_t *window)
{
    apr_int64_t len = within(emit, (apr_int64_t)window->left);

    if (emit->question || emit->pour.left) {
        return ETCL_EPROTO;
    }
    emit->taken += len;
    emit->unflushed += len;
    if (!len || emit->has_eos || emit->is_replaced) {
        return APR_SUCCESS;
    }
    emit->pour = *window;
    emit->pour.left = (apr_size_t)len;
    return for_ranges(emit);
}

/* Nothing of it is for the filters. */
static int is_kept(const etcl_emit_t *emit)
{
    return emit->question || emit->status;
}

int etcl_emit_is_due(const etcl_emit_t *emit)
{
    return emit->flush_max && emit->unflushed >= emit->flush_max;
}

static apr_status_t pass_on(etcl_emit_t *emit)
{
    request_rec *r = emit->r;
    apr_status_t rv;

    if (APR_BRIGADE_EMPTY(emit->bb)) {
        return APR_SUCCESS;
    }
    emit->has_passed = 1;
    emit->has_bytes = 0;
    rv = ap_pass_brigade(r->output_filters, emit->bb);
    apr_brigade_cleanup(emit->bb);
    if (rv) {
        /* Whatever did not pass is missing in what the client gets. */
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    return rv || r->connection->aborted ? ETCL_EGONE : APR_SUCCESS;
}

/* All but the last piece leaves, which stands in the brigade then. */
static apr_status_t pour_out(etcl_emit_t *emit)
{
    apr_status_t rv = APR_SUCCESS;

    while (!rv && emit->pour.left) {
        rv = pass_on(emit);
        if (!rv) {
            rv = etcl_pour_next(&emit->pour, emit->r, emit->bb);
        }
    }
    return rv;
}

apr_status_t etcl_emit_pass(etcl_emit_t *emit, int flush)
{
    apr_status_t rv;

    if (is_kept(emit)) {
        apr_brigade_cleanup(emit->bb);
        return APR_SUCCESS;
    }
    rv = pour_out(emit);
    flush |= etcl_emit_is_due(emit);
    if (!rv && flush && !emit->has_eos) {
        append(emit,
               apr_bucket_flush_create(emit->r->connection->bucket_alloc));
        emit->unflushed = 0;
    }
    return rv ? rv : pass_on(emit);
}

apr_int64_t etcl_emit_missing(const etcl_emit_t *emit)
{
    if (emit->promised < 0 || emit->is_bodiless || emit->is_replaced) {
        return 0;
    }
    return emit->promised - emit->taken;
}

apr_status_t etcl_emit_end(etcl_emit_t *emit)
{
    apr_status_t rv = is_kept(emit) ? APR_SUCCESS : pour_out(emit);

    if (rv) {
        return rv;
    }
    append_eos(emit);
    return etcl_emit_pass(emit, 0);
}

/* A large one begins to leave by itself; to wait for its last byte would take
 * as long as the client does. */
apr_status_t etcl_emit_push(etcl_emit_t *emit)
{
    apr_status_t rv = etcl_emit_end(emit);

    if (rv || is_kept(emit) || emit->taken > PUSH_MAX) {
        return rv;
    }
    append(emit, apr_bucket_flush_create(emit->r->connection->bucket_alloc));
    return etcl_emit_pass(emit, 0);
}

/* Without a length the end of the connection is the end of the response, and
 * only a reset tells the client that it came too early. */
static void reset_connection(conn_rec *c)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    apr_socket_t *socket = ap_get_conn_socket(c);
    apr_os_sock_t fd;

    if (socket && !apr_os_sock_get(&fd, socket)) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    c->aborted = 1;
}

void etcl_emit_break(etcl_emit_t *emit)
{
    request_rec *r = emit->r;
    conn_rec *c = r->connection;
    const int is_endless =
        emit->promised < 0 && !r->chunked && !c->master && !emit->is_bodiless;

    if (emit->question) {
        emit->question->status = 0;
    }
    emit->pour.left = 0;
    if (emit->has_eos || is_kept(emit)) {
        return;
    }
    /* The chunk filter leaves out the last chunk when it has seen a bad
     * gateway; a length that is not reached tells by itself. */
    c->keepalive = AP_CONN_CLOSE;
    append(emit, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool,
                                        c->bucket_alloc));
    append_eos(emit);
    etcl_emit_pass(emit, 0);
    if (is_endless) {
        append(emit, apr_bucket_flush_create(c->bucket_alloc));
        etcl_emit_pass(emit, 0);
        reset_connection(c);
    }
}

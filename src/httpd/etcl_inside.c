/* The exchange over a request_rec: what a link does in daemon mode is done
 * here by the same rooms for bodies, answers and log lines. Filters may wait
 * for the client, so only small blocks that may be held are taken while
 * Python has its lock. */

#include "etcl_inside.h"
#include "etcl_capture.h"
#include "etcl_client.h"
#include "etcl_desk.h"
#include "etcl_embedded.h"
#include "etcl_emit.h"
#include "etcl_log.h"
#include "etcl_text.h"

#include <errno.h>
#include <fcntl.h>

#define HOLD_MAX (32 * 1024)

typedef struct {
    etcl_exchange_t base;
    request_rec *r;
    const char *script;
    etcl_body_t *body;
    etcl_emit_t emit;
    apr_size_t held; /* bytes that wait in `emit` */
    int is_gone;     /* the client, and the log was told */
} inside_t;

static inside_t *self_of(etcl_exchange_t *x)
{
    return (inside_t *)(void *)x;
}

static apr_status_t client_left(inside_t *self)
{
    if (!self->is_gone) {
        self->is_gone = 1;
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, self->r,
                      "ETCL0174: the client left after %" APR_INT64_T_FMT
                      " bytes of the response",
                      self->emit.taken);
    }
    return ETCL_EGONE;
}

static apr_status_t pass_on(inside_t *self, int flush)
{
    self->held = 0;
    return etcl_emit_pass(&self->emit, flush) ? client_left(self) : APR_SUCCESS;
}

/* The end of an answer that says its length: the client need not wait for
 * what the application does in close(). */
static apr_status_t complete(inside_t *self)
{
    self->held = 0;
    return etcl_emit_end(&self->emit) ? client_left(self) : APR_SUCCESS;
}

static apr_status_t read_body(etcl_exchange_t *x, char *into, apr_size_t max,
                              int whole, apr_size_t *got)
{
    inside_t *self = self_of(x);
    apr_status_t rv = APR_SUCCESS;
    apr_size_t len;

    *got = 0;
    if (self->held) {
        rv = pass_on(self, 1);
    }
    while (!rv && *got < max && (whole || !*got)) {
        rv = etcl_body_take(self->body, into + *got, max - *got, 1, &len);
        *got += len;
    }
    return rv;
}

static apr_status_t begin(etcl_exchange_t *x, const etcl_head_t *head)
{
    inside_t *self = self_of(x);
    const char *why = NULL;

    if (!etcl_text_is_reason(head->reason)) {
        why = "its status line is malformed";
    } else if (!etcl_emit_head(&self->emit, head, &why)) {
        return APR_SUCCESS;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, self->r,
                  "ETCL0170: the answer of %s has a head that cannot be sent: "
                  "%s",
                  self->script, why);
    return ETCL_EINVAL;
}

static int can_hold(const inside_t *self, etcl_span_t block, unsigned int how)
{
    return (how & ETCL_WRITE_HOLD) && self->held + block.len <= HOLD_MAX;
}

static apr_status_t hold(inside_t *self, etcl_span_t block)
{
    etcl_emit_data(&self->emit, block);
    self->held += block.len;
    return etcl_emit_keep(&self->emit);
}

static apr_status_t write_out(etcl_exchange_t *x, etcl_span_t block,
                              unsigned int how)
{
    inside_t *self = self_of(x);

    if (can_hold(self, block, how)) {
        return hold(self, block);
    }
    if (how & ETCL_WRITE_NOWAIT) {
        return APR_EAGAIN;
    }
    etcl_emit_data(&self->emit, block);
    if (etcl_emit_is_complete(&self->emit)) {
        return complete(self);
    }
    return pass_on(self, !(how & ETCL_WRITE_HOLD));
}

/* A whole file leaves together with the end of the answer: httpd makes ranges
 * only of a response that it has in one piece. */
static apr_status_t send_file(etcl_exchange_t *x, int fd, apr_int64_t offset,
                              apr_int64_t len)
{
    inside_t *self = self_of(x);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    apr_status_t rv;

    if (own < 0) {
        return errno;
    }
    rv = etcl_emit_file(&self->emit, own, offset, len);
    if (rv) {
        return rv;
    }
    return etcl_emit_is_complete(&self->emit) ? complete(self)
                                              : pass_on(self, 0);
}

static int is_gone(etcl_exchange_t *x)
{
    const inside_t *self = self_of(x);

    return self->is_gone || etcl_client_has_closed(self->r);
}

static void log_text(etcl_exchange_t *x, etcl_level_t level, etcl_span_t text)
{
    etcl_log_relay(self_of(x)->r, level, text);
}

/* The answer cannot be finished: as an error page when nothing of it has
 * left, else by breaking off. */
static int give_up(inside_t *self, int status)
{
    if (self->emit.has_passed) {
        etcl_emit_break(&self->emit);
        return OK;
    }
    etcl_emit_undo(&self->emit);
    if (self->body->status) {
        return self->body->status;
    }
    return status >= 400 && status <= 599 ? status : HTTP_INTERNAL_SERVER_ERROR;
}

static int finish(inside_t *self, const etcl_answer_t *answer)
{
    apr_int64_t missing = etcl_emit_missing(&self->emit);

    if (self->is_gone) {
        return OK;
    }
    /* What is still held here has left, as far as Python knows. */
    if (answer->end == ETCL_ANSWER_ABORTED && !self->body->status &&
        self->emit.has_head && pass_on(self, 1)) {
        return OK;
    }
    if (answer->end != ETCL_ANSWER_DONE || !self->emit.has_head) {
        return give_up(self, answer->status);
    }
    if (missing) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, self->r,
                      "ETCL0171: the application promised %" APR_INT64_T_FMT
                      " bytes (Content-Length) and sent %" APR_INT64_T_FMT
                      ": the connection was closed",
                      self->emit.promised, self->emit.taken);
        etcl_emit_break(&self->emit);
        return OK;
    }
    complete(self);
    return OK;
}

static int cannot_capture(request_rec *r, apr_status_t rv)
{
    if (rv != ETCL_ELIMIT) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "ETCL0175: the headers and variables of a request are more "
                  "than a call may hold");
    return HTTP_REQUEST_ENTITY_TOO_LARGE;
}

static int run(inside_t *self, const etcl_route_t *route, etcl_desk_t *desk)
{
    etcl_answer_t answer;
    etcl_call_t call;
    apr_status_t rv;

    rv = etcl_capture_call(self->r, route, self->body->len, &desk->call);
    if (!rv) {
        rv = etcl_call_decode(&desk->decoder,
                              (etcl_span_t){ desk->call.ptr, desk->call.len },
                              &call);
    }
    if (rv) {
        return cannot_capture(self->r, rv);
    }
    call.queue_start_us = 0;
    answer = etcl_embedded_answer(&call, &self->base);
    return finish(self, &answer);
}

int etcl_inside_answer(request_rec *r, const etcl_route_t *route,
                       etcl_body_t *body)
{
    static const etcl_exchange_ops_t ops = {
        .read = read_body,
        .begin = begin,
        .write = write_out,
        .send_file = send_file,
        .gone = is_gone,
        .log = log_text,
    };
    inside_t self = {
        .base = { &ops }, .r = r, .script = route->script, .body = body
    };
    etcl_desk_t *desk = etcl_desk_borrow();
    int status;

    if (!desk) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    etcl_emit_init(&self.emit, r, route->question);
    status = run(&self, route, desk);
    if (route->question) {
        etcl_desk_wipe(desk);
    }
    etcl_desk_give_back(desk);
    return etcl_emit_settle(&self.emit, status);
}

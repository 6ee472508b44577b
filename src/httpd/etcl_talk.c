/* The conversation of src/README.rst, "The wire", from the child's side. A
 * frame that is out of order, of another serial, or malformed closes the link
 * and is the worker's fault. Which worker is asked is etcl_remote.c's. */

#include "etcl_feed.h"
#include "etcl_client.h"
#include "etcl_log.h"
#include "etcl_submit.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#define CLOSE_WAIT_MS 10

/* What to do after a frame. */
typedef enum { GO_ON, ANSWERED, UNBEGUN, STOP } step_t;

static step_t fail(etcl_talk_t *t, int status)
{
    t->status = status;
    return STOP;
}

/* From here on, the client is not waited for. */
static void open_sluice(etcl_talk_t *t)
{
    if (!t->sluice && !t->emit->question) {
        t->sluice = etcl_sluice_open(t->r);
    }
}

static apr_status_t pass(etcl_talk_t *t, int flush)
{
    open_sluice(t);
    return etcl_emit_pass(t->emit, flush);
}

/* What waited goes first: with its head in the same brigade, httpd would make
 * an error page of it. */
static void break_off(etcl_talk_t *t)
{
    if (t->held || t->emit->pour.left) {
        pass(t, 0);
    }
    etcl_emit_break(t->emit);
}

/* The answer cannot be finished: as an error page when nothing of it has
 * left, else by breaking off. */
static step_t give_up(etcl_talk_t *t, int status)
{
    if (!t->emit->has_passed && !t->held) {
        etcl_emit_undo(t->emit);
        return fail(t, status);
    }
    break_off(t);
    return fail(t, OK);
}

static step_t bad_worker(etcl_talk_t *t, const char *what)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, t->r,
                  "ETCL0140: worker %u of group %s broke the protocol (%s); "
                  "its connection was closed",
                  t->pid, t->live->name, what);
    return give_up(t, HTTP_BAD_GATEWAY);
}

static step_t client_left(etcl_talk_t *t)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, t->r,
                  "ETCL0143: the client left after %" APR_INT64_T_FMT
                  " bytes of the response",
                  t->emit->taken);
    return fail(t, OK);
}

/* The client takes no more, or there is no more of what it is to be given. */
static step_t cannot_pass(etcl_talk_t *t, apr_status_t rv)
{
    if (rv == ETCL_EGONE) {
        return client_left(t);
    }
    t->is_clean = 0;
    return bad_worker(t, "took a part of its answer back");
}

/* A client may wait for a part of the answer before it sends more. */
static step_t on_pull(etcl_talk_t *t, const etcl_frame_t *frame)
{
    etcl_pull_t pull;
    apr_status_t rv;

    if (etcl_pull_decode(frame->payload, &pull) || t->body_sent) {
        return bad_worker(t, "asked for a body that has ended");
    }
    t->pulled = 1;
    rv = t->emit->has_head ? pass(t, 1) : APR_SUCCESS;
    if (!rv && t->sluice) {
        rv = etcl_sluice_settle(t->sluice);
    }
    if (rv) {
        return cannot_pass(t, rv);
    }
    rv = etcl_feed_answer(t, &pull);
    /* It may have answered without reading on; then that is to be read. */
    return rv && !APR_STATUS_IS_EPIPE(rv)
               ? bad_worker(t, "does not read what it asked for")
               : GO_ON;
}

/* All that was pulled has been sent: a worker asks only then. */
static step_t on_ask(etcl_talk_t *t, const etcl_frame_t *frame)
{
    etcl_packet_t packet = { .ptr = t->desk->out,
                             .serial = t->kept->link.serial };
    apr_status_t rv;

    if (frame->payload.len) {
        return bad_worker(t, "malformed question");
    }
    etcl_told_encode(etcl_client_has_closed(t->r), &packet);
    rv = etcl_link_send(&t->kept->link, (etcl_span_t){ packet.ptr, packet.len },
                        -1, 1);
    return APR_STATUS_IS_EAGAIN(rv)
               ? bad_worker(t, "does not hear what it asked for")
               : GO_ON;
}

static step_t on_log(etcl_talk_t *t, const etcl_frame_t *frame)
{
    etcl_level_t level;
    etcl_span_t text;

    if (etcl_log_decode(frame->payload, &level, &text)) {
        return bad_worker(t, "malformed log entry");
    }
    etcl_log_relay(t->r, level, text);
    return GO_ON;
}

static step_t bad_head(etcl_talk_t *t, const char *why)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, t->r,
                  "ETCL0141: the answer of worker %u of group %s has a head "
                  "that cannot be sent: %s",
                  t->pid, t->live->name, why);
    return give_up(t, HTTP_INTERNAL_SERVER_ERROR);
}

static step_t take_head(etcl_talk_t *t, etcl_span_t bytes)
{
    const char *why;
    etcl_head_t head;

    if (etcl_head_decode(&t->desk->decoder, bytes, &head)) {
        return bad_head(t, "it is malformed");
    }
    if (etcl_emit_head(t->emit, &head, &why)) {
        return bad_head(t, why);
    }
    return GO_ON;
}

static step_t on_head(etcl_talk_t *t, const etcl_frame_t *frame)
{
    etcl_buffer_t *held = &t->desk->head;
    step_t step;

    if (t->emit->has_head) {
        return bad_worker(t, "second head");
    }
    if (!(frame->flags & ETCL_FRAME_MORE) && !held->len) {
        return take_head(t, frame->payload);
    }
    if (etcl_buffer_add(held, frame->payload)) {
        return bad_head(t, "it is too large");
    }
    if (frame->flags & ETCL_FRAME_MORE) {
        return GO_ON;
    }
    step = take_head(t, (etcl_span_t){ held->ptr, held->len });
    etcl_buffer_clear(held, 0);
    return step;
}

/* A window's bytes are the last of their packet. */
static int takes_body(const etcl_talk_t *t)
{
    return t->emit->has_head && !t->emit->pour.left;
}

static step_t on_data(etcl_talk_t *t, const etcl_frame_t *frame)
{
    if (!takes_body(t)) {
        return bad_worker(t, "body without a head, or behind a window");
    }
    etcl_emit_data(t->emit, frame->payload);
    return GO_ON;
}

static step_t on_file(etcl_talk_t *t, const etcl_frame_t *frame, int *fd)
{
    etcl_file_t file;
    int taken = *fd;

    if (!takes_body(t) || taken < 0 ||
        etcl_file_decode(frame->payload, &file)) {
        return bad_worker(t, "file without a head or without a file");
    }
    *fd = -1;
    if (etcl_emit_file(t->emit, taken, file.offset, file.len)) {
        return bad_worker(t, "not a part of a regular file");
    }
    return GO_ON;
}

/* A new window comes with the first frame that speaks of it. */
static int has_window(etcl_view_t *view, int *fd)
{
    int taken = *fd;

    if (taken < 0 || view->fd >= 0) {
        return taken < 0 && view->fd >= 0;
    }
    *fd = -1;
    return !etcl_view_open(view, taken);
}

static step_t on_window(etcl_talk_t *t, const etcl_frame_t *frame, int *fd)
{
    etcl_pour_t pour = { .view = &t->kept->view,
                         .serial = frame->serial,
                         .piece = t->desk->out };

    if (!takes_body(t) || !has_window(&t->kept->view, fd) ||
        etcl_window_decode(frame->payload, &pour.left)) {
        return bad_worker(t, "window without a head or without a window");
    }
    return etcl_emit_window(t->emit, &pour)
               ? bad_worker(t, "not the bytes of a window")
               : GO_ON;
}

static step_t on_end(etcl_talk_t *t, const etcl_frame_t *frame)
{
    etcl_answer_t answer;

    if (!t->emit->has_head || etcl_end_decode(frame, &answer)) {
        return bad_worker(t, "end without an answer");
    }
    t->is_clean = t->has_ended = 1;
    t->status = OK;
    return ANSWERED;
}

/* What the application made of a body that broke off is not the answer. */
static int status_of_abort(const etcl_talk_t *t, int status)
{
    if (t->body->status) {
        return t->body->status;
    }
    return status >= 400 && status <= 599 ? status : HTTP_INTERNAL_SERVER_ERROR;
}

static step_t on_abort(etcl_talk_t *t, const etcl_frame_t *frame)
{
    etcl_answer_t answer;

    if (etcl_end_decode(frame, &answer)) {
        return bad_worker(t, "malformed abort");
    }
    t->is_clean = 1;
    give_up(t, status_of_abort(t, answer.status));
    return ANSWERED;
}

static step_t on_frame(etcl_talk_t *t, const etcl_frame_t *frame, int *fd)
{
    if (frame->serial != t->kept->link.serial) {
        return bad_worker(t, "answer to another call");
    }
    switch (frame->type) {
    case ETCL_FRAME_REFUSE:
        return t->emit->has_head || t->pulled
                   ? bad_worker(t, "refused what it had begun")
                   : UNBEGUN;
    case ETCL_FRAME_PULL:
        return on_pull(t, frame);
    case ETCL_FRAME_ASK:
        return on_ask(t, frame);
    case ETCL_FRAME_LOG:
        return on_log(t, frame);
    case ETCL_FRAME_HEAD_:
        return on_head(t, frame);
    case ETCL_FRAME_DATA:
        return on_data(t, frame);
    case ETCL_FRAME_FILE:
        return on_file(t, frame, fd);
    case ETCL_FRAME_WINDOW:
        return on_window(t, frame, fd);
    case ETCL_FRAME_END:
        return on_end(t, frame);
    case ETCL_FRAME_ABORT:
        return on_abort(t, frame);
    default:
        return bad_worker(t, "unknown frame");
    }
}

/* A whole file waits for the end of the answer: httpd makes ranges only of a
 * response that it has in one piece. */
static int is_held(const etcl_emit_t *emit)
{
    return etcl_emit_is_complete(emit) && !emit->has_bytes;
}

/* What is to be sent goes to the filters before its memory is used again. With
 * room for another packet it may wait for that: blocks that come faster than
 * they are sent leave together. */
static apr_status_t settle(etcl_talk_t *t, apr_size_t len)
{
    if (is_held(t->emit)) {
        return APR_SUCCESS;
    }
    if (t->emit->has_bytes && !t->emit->pour.left &&
        !etcl_emit_is_due(t->emit) && t->held + len <= ETCL_PACKET_MAX) {
        t->held += len;
        return APR_SUCCESS;
    }
    t->held = 0;
    return pass(t, 0);
}

/* All frames of one packet. */
static step_t on_packet(etcl_talk_t *t, etcl_span_t packet, int fd)
{
    const apr_size_t len = packet.len;
    step_t step = GO_ON;
    etcl_frame_t frame;
    apr_status_t rv;

    do {
        rv = etcl_frame_next(&packet, &frame);
        if (!rv) {
            step = on_frame(t, &frame, &fd);
        }
    } while (!rv && step == GO_ON);
    if (fd >= 0) {
        close(fd);
    }
    if (step == GO_ON && !APR_STATUS_IS_EOF(rv)) {
        return bad_worker(t, "malformed packet");
    }
    rv = step == GO_ON ? settle(t, len) : APR_SUCCESS;
    if (rv) {
        return cannot_pass(t, rv);
    }
    if (step == ANSWERED && packet.len) {
        t->is_clean = 0;
    }
    return step;
}

static step_t worker_is_slow(etcl_talk_t *t)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, t->r,
                  "ETCL0144: worker %u of group %s sent nothing for %d s "
                  "(socket-timeout, else Timeout): %s %s was given up",
                  t->pid, t->live->name,
                  (int)(t->live->timeout_us / APR_USEC_PER_SEC), t->r->method,
                  t->r->uri);
    return give_up(t, HTTP_GATEWAY_TIME_OUT);
}

static step_t worker_died(etcl_talk_t *t)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, t->r,
                  "ETCL0145: worker %u of group %s ended in the middle of its "
                  "answer to %s %s, after %" APR_INT64_T_FMT
                  " bytes; the group's log says how",
                  t->pid, t->live->name, t->r->method, t->r->uri,
                  t->emit->taken);
    return give_up(t, HTTP_BAD_GATEWAY);
}

static apr_status_t recv_packet(etcl_talk_t *t, etcl_span_t *packet, int *fd,
                                int nowait)
{
    char *into = t->desk->in + t->held;

    packet->ptr = into;
    return etcl_link_recv(&t->kept->link, into, &packet->len, fd, nowait);
}

/* A client that is behind is served while the worker is waited for. */
static apr_status_t await_packet(etcl_talk_t *t, etcl_span_t *packet, int *fd)
{
    const etcl_link_t *link = &t->kept->link;
    apr_status_t rv = APR_SUCCESS;

    if (t->sluice && etcl_sluice_is_behind(t->sluice)) {
        rv = etcl_sluice_wait(t->sluice, link->fd, link->timeout_us);
    }
    return rv ? rv : recv_packet(t, packet, fd, 0);
}

static int is_readable(int fd, int wait_ms)
{
    struct pollfd entry = { .fd = fd, .events = POLLIN };

    return poll(&entry, 1, wait_ms) != 0;
}

/* All that was promised is here. The end follows at once, as a rule; but a
 * client need not wait for what the application does in close(). */
static apr_status_t last_packet(etcl_talk_t *t, etcl_span_t *packet, int *fd)
{
    apr_status_t rv = APR_SUCCESS;

    if (!is_readable(t->kept->link.fd, CLOSE_WAIT_MS)) {
        open_sluice(t);
        rv = etcl_emit_push(t->emit);
    }
    return rv ? rv : await_packet(t, packet, fd);
}

/* The next packet. Before it waits, what the client has not been sent yet is
 * flushed: the application may be thinking about its next block. If it only
 * waits for a processor it gets this one, and its blocks leave together. */
static apr_status_t next_packet(etcl_talk_t *t, etcl_span_t *packet, int *fd)
{
    apr_status_t rv;

    if (etcl_emit_is_complete(t->emit)) {
        return last_packet(t, packet, fd);
    }
    if ((!t->emit->has_passed && !t->held) || t->emit->has_eos) {
        return await_packet(t, packet, fd);
    }
    rv = recv_packet(t, packet, fd, 1);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        sched_yield();
        rv = recv_packet(t, packet, fd, 1);
    }
    if (!APR_STATUS_IS_EAGAIN(rv)) {
        return rv;
    }
    if (t->live->flush_delay_ms &&
        is_readable(t->kept->link.fd, t->live->flush_delay_ms)) {
        return recv_packet(t, packet, fd, 0);
    }
    t->held = 0;
    rv = pass(t, 1);
    return rv ? rv : await_packet(t, packet, fd);
}

int etcl_talk_needs_link(const etcl_talk_t *t)
{
    return t->kept && t->has_ended && t->emit->pour.left;
}

static void miss_bytes(etcl_talk_t *t)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, t->r,
                  "ETCL0142: the application promised %" APR_INT64_T_FMT
                  " bytes (Content-Length) and sent %" APR_INT64_T_FMT
                  ": the connection was closed",
                  t->emit->promised, t->emit->taken);
    break_off(t);
}

/* What is small leaves at once; it needs no sluice. */
static void finish(etcl_talk_t *t)
{
    if (t->emit->taken > (apr_int64_t)ETCL_POUR_PIECE) {
        open_sluice(t);
    }
    if (etcl_emit_missing(t->emit)) {
        miss_bytes(t);
    } else if (etcl_emit_end(t->emit) == ETCL_EPROTO) {
        cannot_pass(t, ETCL_EPROTO);
    }
}

void etcl_talk_finish(etcl_talk_t *t)
{
    if (t->has_ended) {
        finish(t);
    }
    etcl_sluice_close(t->sluice);
    t->sluice = NULL;
}

etcl_talk_end_t etcl_talk_run(etcl_talk_t *t)
{
    step_t step = GO_ON;
    etcl_span_t packet;
    int fd;
    apr_status_t rv;

    t->emit->header_max = t->live->header_max;
    t->emit->flush_max = t->live->flush_max;
    t->held = 0;
    t->has_ended = 0;
    etcl_buffer_clear(&t->desk->head, 0);
    rv = etcl_submit_call(t);
    if (rv) {
        return ETCL_TALK_UNBEGUN;
    }
    while (step == GO_ON) {
        rv = next_packet(t, &packet, &fd);
        if (!rv) {
            step = on_packet(t, packet, fd);
        } else if (rv == ETCL_EGONE || rv == ETCL_EPROTO) {
            step = cannot_pass(t, rv);
        } else if (APR_STATUS_IS_TIMEUP(rv)) {
            step = worker_is_slow(t);
        } else if (!t->emit->has_head) {
            return ETCL_TALK_LOST;
        } else {
            step = worker_died(t);
        }
    }
    return step == UNBEGUN ? ETCL_TALK_UNBEGUN : ETCL_TALK_DONE;
}

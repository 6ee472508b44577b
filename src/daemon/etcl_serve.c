/* The worker's end of the wire: HELLO and CALL in, WELCOME and REFUSE out.
 * Everything of a call is decoded before Python hears of it. The answer goes
 * out through etcl_reply.c. */

#include "etcl_serve.h"
#include "etcl_alive.h"
#include "etcl_clock.h"
#include "etcl_heart.h"
#include "etcl_journal.h"
#include "etcl_linger.h"
#include "etcl_message.h"
#include "etcl_reply.h"
#include "etcl_thread.h"
#include "etcl_warm.h"

#include <apr_hash.h>
#include <stdlib.h>
#include <unistd.h>

#define CALL_KEEP 65536 /* memory for a long call that stays with the thread */

/* What rides with a call. */
#define BODY_MAX (1024 * 1024)

/* One request thread. */
typedef struct {
    etcl_service_t *service;
    char *in;           /* ETCL_PACKET_MAX bytes: a CALL lies here */
    etcl_buffer_t call; /* or here, when it came in several packets */
    etcl_buffer_t body; /* likewise what rode along beyond one packet */
    etcl_decoder_t decoder;
    etcl_reply_t reply;
    etcl_duty_t *duty;
    int line; /* of the ledger */
} server_t;

/* What came with the last packet of a call. */
typedef struct {
    etcl_frame_t call; /* payload: the whole call */
    etcl_span_t body;
    int whole; /* nothing of the body is missing */
} incoming_t;

/* Time does not tell how much of a wrong secret was right. */
static int is_secret(const unsigned char *a, const unsigned char *b)
{
    unsigned int differs = 0;
    int i;

    for (i = 0; i < ETCL_SECRET_LEN; i++) {
        differs |= (unsigned int)(a[i] ^ b[i]);
    }
    return !differs;
}

static apr_status_t recv_packet(etcl_line_t *line, char *into, int nowait,
                                etcl_span_t *out)
{
    apr_status_t rv;
    int fd;

    rv = etcl_link_recv(&line->link, into, &out->len, &fd, nowait);
    if (fd >= 0) {
        close(fd);
        return ETCL_EPROTO;
    }
    out->ptr = into;
    return rv;
}

static apr_status_t check_hello(const server_t *self, const etcl_hello_t *hello)
{
    const etcl_service_t *service = self->service;
    const etcl_worker_t *worker = service->worker;

    if (hello->version != ETCL_WIRE_VERSION) {
        return ETCL_EPROTO;
    }
    if (!is_secret(hello->secret, worker->group->secret)) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0249: a process that does not know the secret "
                         "of group %s connected to its worker %d; it was "
                         "refused",
                         worker->group->name, worker->slot);
        return ETCL_EDENIED;
    }
    if (hello->slot != (apr_uint32_t)worker->slot ||
        (hello->incarnation && hello->incarnation != service->incarnation)) {
        return ETCL_EREFUSED;
    }
    return APR_SUCCESS;
}

static apr_status_t send_one(server_t *self, etcl_line_t *line)
{
    etcl_packet_t *out = &self->reply.box.out;

    return etcl_link_send(&line->link, (etcl_span_t){ out->ptr, out->len }, -1,
                          0);
}

/* The first packet of a link says who speaks. */
static apr_status_t greet(server_t *self, etcl_line_t *line, etcl_span_t packet)
{
    etcl_packet_t *out = &self->reply.box.out;
    etcl_frame_t frame;
    etcl_hello_t hello;
    apr_status_t rv = etcl_frame_next(&packet, &frame);

    if (rv != APR_SUCCESS || frame.type != ETCL_FRAME_HELLO || packet.len) {
        return ETCL_EPROTO;
    }
    rv = etcl_hello_decode(frame.payload, &hello);
    if (rv == APR_SUCCESS) {
        rv = check_hello(self, &hello);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    hello.incarnation = self->service->incarnation;
    out->len = 0;
    out->serial = 0;
    rv = etcl_welcome_encode(&hello, out);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    line->greeted = 1;
    return send_one(self, line);
}

/* The packets of a long call follow each other at once. */
static apr_status_t collect_call(server_t *self, etcl_line_t *line,
                                 etcl_frame_t *call, etcl_span_t *rest)
{
    etcl_frame_t frame = *call;
    apr_status_t rv;

    etcl_buffer_clear(&self->call, CALL_KEEP);
    rv = etcl_buffer_add(&self->call, frame.payload);
    while (rv == APR_SUCCESS && frame.flags & ETCL_FRAME_MORE) {
        if (rest->len) {
            return ETCL_EPROTO;
        }
        rv = recv_packet(line, self->in, 0, rest);
        if (rv == APR_SUCCESS) {
            rv = etcl_frame_next(rest, &frame);
        }
        if (rv != APR_SUCCESS || frame.type != ETCL_FRAME_CALL ||
            frame.serial != call->serial) {
            return ETCL_EPROTO;
        }
        rv = etcl_buffer_add(&self->call, frame.payload);
    }
    call->payload = (etcl_span_t){ self->call.ptr, self->call.len };
    return rv;
}

static apr_status_t next_body(etcl_span_t *rest, apr_uint32_t serial,
                              etcl_frame_t *out)
{
    apr_status_t rv = etcl_frame_next(rest, out);

    return rv != APR_SUCCESS || rest->len || out->type != ETCL_FRAME_BODY ||
                   out->serial != serial
               ? ETCL_EPROTO
               : APR_SUCCESS;
}

/* The call itself lies in self->in, so the rest of the body is received
 * elsewhere. It is there at once, like the call's own pieces. */
static apr_status_t collect_body(server_t *self, etcl_line_t *line,
                                 etcl_frame_t *piece)
{
    apr_uint32_t serial = piece->serial;
    etcl_span_t rest;
    apr_status_t rv;

    etcl_buffer_clear(&self->body, CALL_KEEP);
    rv = etcl_buffer_add(&self->body, piece->payload);
    while (rv == APR_SUCCESS && !(piece->flags & ETCL_FRAME_LAST)) {
        rv = recv_packet(line, self->reply.in, 0, &rest);
        if (rv == APR_SUCCESS) {
            rv = next_body(&rest, serial, piece);
        }
        if (rv == APR_SUCCESS) {
            rv = etcl_buffer_add(&self->body, piece->payload);
        }
    }
    piece->payload = (etcl_span_t){ self->body.ptr, self->body.len };
    return rv;
}

/* A small body begins in the last packet of its call, and is whole. */
static apr_status_t take_body(server_t *self, etcl_line_t *line,
                              etcl_span_t rest, incoming_t *in)
{
    etcl_frame_t frame;
    apr_status_t rv;

    in->body = (etcl_span_t){ NULL, 0 };
    in->whole = rest.len != 0;
    if (!in->whole) {
        return APR_SUCCESS;
    }
    rv = next_body(&rest, in->call.serial, &frame);
    if (rv == APR_SUCCESS && !(frame.flags & ETCL_FRAME_LAST)) {
        rv = collect_body(self, line, &frame);
    }
    in->body = frame.payload;
    return rv;
}

static apr_status_t take_call(server_t *self, etcl_line_t *line,
                              etcl_span_t packet, incoming_t *in)
{
    apr_status_t rv = etcl_frame_next(&packet, &in->call);

    if (rv != APR_SUCCESS || in->call.type != ETCL_FRAME_CALL ||
        in->call.serial == line->serial) {
        return ETCL_EPROTO;
    }
    if (in->call.flags & ETCL_FRAME_MORE) {
        rv = collect_call(self, line, &in->call, &packet);
    }
    return rv == APR_SUCCESS ? take_body(self, line, packet, in) : rv;
}

/* WSGIScriptReloading is Off where the request went: the supervisor, which
 * watches what it was told of at the start, hears of it once. A bit for each
 * hash of a script's name is enough to be quiet. */
static void tell_kept(etcl_service_t *service, etcl_span_t script)
{
    apr_ssize_t len = (apr_ssize_t)script.len;
    apr_uint64_t bit = APR_UINT64_C(1)
                       << (apr_hashfunc_default(script.ptr, &len) % 64);

    if (!(atomic_fetch_or(&service->kept, bit) & bit)) {
        etcl_note_send(
            service->worker->control_fd,
            &(etcl_note_t){ .kind = ETCL_NOTE_KEPT, .text = script });
    }
}

/* What the guard of the worker is to know of a call. */
static void begin_duty(server_t *self, const etcl_call_t *call,
                       etcl_line_t *line)
{
    etcl_service_t *service = self->service;
    apr_int64_t now_us = etcl_clock_us(), none = 0;

    if (!atomic_load_explicit(&service->loaded, memory_order_relaxed)) {
        atomic_compare_exchange_strong(&service->loading_us, &none, now_us);
    }
    etcl_ledger_begin(service->ledger, self->line, call, now_us);
    etcl_duty_begin(self->duty, call, line, now_us);
}

/* The heart looks twice a second; maximum-requests does not wait for it. */
static void count_call(etcl_service_t *service)
{
    apr_uint64_t wake_at =
        atomic_load_explicit(&service->wake_at, memory_order_relaxed);

    etcl_roster_count(service->worker->roster, service->worker->slot);
    if (wake_at && atomic_fetch_add(&service->answered, 1) + 1 == wake_at) {
        etcl_heart_wake();
    }
}

static void end_duty(server_t *self, const etcl_call_t *call)
{
    count_call(self->service);
    if (!(call->flags & ETCL_CALL_IDLE)) {
        atomic_store_explicit(&self->service->active_us, etcl_clock_us(),
                              memory_order_relaxed);
    }
    etcl_duty_end(self->duty);
    etcl_ledger_end(self->service->ledger, self->line);
}

/* A script that has changed is reloaded by a rolling replacement of workers,
 * never inside one that serves: the runtime knows that it is in a daemon. */
static apr_status_t answer(server_t *self, etcl_line_t *line,
                           const incoming_t *in)
{
    const etcl_service_t *service = self->service;
    etcl_answer_t result;
    etcl_call_t call;
    apr_status_t rv;

    rv = etcl_call_decode(&self->decoder, in->call.payload, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    call.daemon_start_us = etcl_clock_wall_us();
    line->serial = in->call.serial;
    etcl_reply_begin(&self->reply, &line->link, &line->window, line->serial,
                     in->body, in->whole || !call.body_len);
    if (call.kind == ETCL_CALL_WSGI && !(call.flags & ETCL_CALL_RELOAD)) {
        tell_kept(self->service, call.target.script);
    }
    begin_duty(self, &call, line);
    result = service->runtime->answer(&call, &self->reply.base);
    rv = etcl_reply_end(&self->reply, &result);
    end_duty(self, &call);
    return rv;
}

static apr_status_t serve_packet(server_t *self, etcl_line_t *line,
                                 etcl_span_t packet)
{
    incoming_t in;
    apr_status_t rv;

    if (!line->greeted) {
        return greet(self, line, packet);
    }
    if (etcl_alive_is_late(packet, line->serial)) {
        return APR_SUCCESS;
    }
    rv = take_call(self, line, packet, &in);
    return rv == APR_SUCCESS ? answer(self, line, &in) : rv;
}

/* What was queued before the link was shut was not begun, and the sender is
 * told so; a link that has not greeted yet is simply closed. */
static void refuse_queued(server_t *self, etcl_line_t *line)
{
    etcl_packet_t *out = &self->reply.box.out;
    etcl_span_t packet;
    etcl_frame_t frame;
    int refused = 0;

    while (recv_packet(line, self->in, 1, &packet) == APR_SUCCESS) {
        if (!refused && line->greeted &&
            etcl_frame_next(&packet, &frame) == APR_SUCCESS &&
            frame.type == ETCL_FRAME_CALL) {
            out->len = 0;
            out->serial = frame.serial;
            etcl_packet_add(out, ETCL_FRAME_REFUSE, 0,
                            (etcl_span_t){ NULL, 0 });
            send_one(self, line);
            refused = 1;
        }
    }
}

static void tell_broken(const server_t *self, apr_status_t rv)
{
    if (rv == ETCL_EPROTO || rv == ETCL_ELIMIT || rv == APR_ENOMEM) {
        etcl_journal_say(ETCL_LOG_ERR,
                         "ETCL0250: worker %d of group %s closed a "
                         "connection: what came over it %s",
                         self->service->worker->slot,
                         self->service->worker->group->name,
                         rv == ETCL_EPROTO   ? "is not the protocol"
                         : rv == ETCL_ELIMIT ? "is above a limit"
                                             : "did not fit into memory");
    }
}

/* One turn with a link that can be read. */
static void serve_line(server_t *self, etcl_line_t *line)
{
    etcl_park_t *park = &self->service->park;
    etcl_span_t packet;
    apr_status_t rv;

    if (line->state != ETCL_LINE_SHUT) {
        rv = recv_packet(line, self->in, 1, &packet);
        if (rv == APR_SUCCESS) {
            rv = serve_packet(self, line, packet);
        }
        if (rv != APR_SUCCESS && !APR_STATUS_IS_EAGAIN(rv)) {
            tell_broken(self, rv);
            etcl_park_drop(park, line);
            return;
        }
        if (etcl_park_give_back(park, line)) {
            return;
        }
    }
    refuse_queued(self, line);
    etcl_park_drop(park, line);
}

static void *run_server(void *data)
{
    server_t *self = data;
    etcl_line_t *line;

    if (!self->line) {
        etcl_warm_ask(self->service);
    }
    while ((line = etcl_park_wait(&self->service->park))) {
        serve_line(self, line);
    }
    etcl_heart_robbed();
    return NULL;
}

static server_t *create_server(etcl_service_t *service)
{
    server_t *self = calloc(1, sizeof(*self));

    if (!self) {
        return NULL;
    }
    self->service = service;
    self->line = atomic_load(&service->duty_count);
    self->duty = &service->duties[self->line];
    self->in = malloc(ETCL_PACKET_MAX);
    etcl_buffer_init(&self->call, ETCL_CALL_MAX);
    etcl_buffer_init(&self->body, BODY_MAX);
    etcl_decoder_init(&self->decoder);
    if (!self->in || etcl_reply_create(&self->reply) != APR_SUCCESS) {
        return NULL;
    }
    etcl_duty_init(self->duty, &self->reply);
    return self;
}

/* One thread makes them all, first the main one and then the heart. */
apr_status_t etcl_serve_add(etcl_service_t *service)
{
    server_t *self;
    apr_status_t rv;

    if (atomic_load(&service->duty_count) == service->duty_max) {
        return APR_ENOMEM;
    }
    self = create_server(service);
    if (!self) {
        return APR_ENOMEM;
    }
    rv = etcl_thread_start(run_server, self,
                           service->worker->group->options.stack_size);
    if (rv == APR_SUCCESS) {
        atomic_fetch_add(&service->duty_count, 1);
    }
    return rv;
}

apr_status_t etcl_serve_start(etcl_service_t *service)
{
    apr_int64_t i, threads = service->worker->group->options.threads;
    apr_status_t rv = APR_SUCCESS;

    service->duty_max = 2 * (int)threads;
    service->duties =
        calloc((size_t)service->duty_max, sizeof(*service->duties));
    if (!service->duties) {
        return APR_ENOMEM;
    }
    for (i = 0; rv == APR_SUCCESS && i < threads; i++) {
        rv = etcl_serve_add(service);
    }
    return rv == APR_SUCCESS ? etcl_linger_start(service) : rv;
}

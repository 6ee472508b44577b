/* The worker's end of the wire: whoever has said HELLO has its calls answered,
 * or is told that they are not. Everything of a call is decoded before Python
 * hears of it. It comes by etcl_incoming.c, its answer goes by etcl_reply.c. */

#include "etcl_serve.h"
#include "etcl_alive.h"
#include "etcl_clock.h"
#include "etcl_greet.h"
#include "etcl_heart.h"
#include "etcl_incoming.h"
#include "etcl_journal.h"
#include "etcl_linger.h"
#include "etcl_message.h"
#include "etcl_reply.h"
#include "etcl_thread.h"
#include "etcl_warm.h"

#include <apr_hash.h>
#include <stdlib.h>
#include <unistd.h>

/* One request thread. */
typedef struct {
    etcl_service_t *service;
    etcl_incoming_t incoming;
    etcl_decoder_t decoder;
    etcl_reply_t reply;
    etcl_duty_t *duty;
    int line; /* of the ledger */
} server_t;

static apr_status_t send_one(server_t *self, etcl_line_t *line)
{
    const etcl_packet_t *out = &self->reply.box.out;

    return etcl_link_send(&line->link, (etcl_span_t){ out->ptr, out->len }, -1,
                          0);
}

static apr_status_t greet(server_t *self, etcl_line_t *line, etcl_span_t packet)
{
    apr_status_t rv =
        etcl_greet_answer(self->service, packet, &self->reply.box.out);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    line->greeted = 1;
    return send_one(self, line);
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
static apr_status_t answer(server_t *self, etcl_line_t *line)
{
    const etcl_incoming_t *in = &self->incoming;
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
    apr_status_t rv;

    if (!line->greeted) {
        return greet(self, line, packet);
    }
    if (etcl_alive_is_late(packet, line->serial)) {
        return APR_SUCCESS;
    }
    rv = etcl_incoming_call(&self->incoming, line, packet);
    return rv == APR_SUCCESS ? answer(self, line) : rv;
}

/* What was queued before the link was shut was not begun, and the sender is
 * told so; a link that has not greeted yet is simply closed. */
static void refuse_queued(server_t *self, etcl_line_t *line)
{
    etcl_packet_t *out = &self->reply.box.out;
    etcl_span_t packet;
    etcl_frame_t frame;
    int refused = 0;

    while (etcl_incoming_packet(&self->incoming, line, 1, &packet) ==
           APR_SUCCESS) {
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
        rv = etcl_incoming_packet(&self->incoming, line, 1, &packet);
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
    etcl_decoder_init(&self->decoder);
    if (etcl_reply_create(&self->reply) != APR_SUCCESS ||
        etcl_incoming_create(&self->incoming, self->reply.in) != APR_SUCCESS) {
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

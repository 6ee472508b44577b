/* Collects what belongs together. The packets of a long call follow each other
 * at once, and so does what rides with it: nobody is waited for. What is in a
 * call is not looked at. */

#include "etcl_incoming.h"
#include "etcl_message.h"

#include <stdlib.h>
#include <unistd.h>

#define KEEP 65536 /* memory for a long call that stays with the thread */

/* What rides with a call. */
#define BODY_MAX (1024 * 1024)

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

static apr_status_t collect_call(etcl_incoming_t *self, etcl_line_t *line,
                                 etcl_span_t *rest)
{
    etcl_frame_t *call = &self->call, frame = *call;
    apr_status_t rv;

    etcl_buffer_clear(&self->pieces, KEEP);
    rv = etcl_buffer_add(&self->pieces, frame.payload);
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
        rv = etcl_buffer_add(&self->pieces, frame.payload);
    }
    call->payload = (etcl_span_t){ self->pieces.ptr, self->pieces.len };
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

/* The call itself may lie in `in`, so the rest of the body is received
 * elsewhere. It is there at once, like the call's own pieces. */
static apr_status_t collect_body(etcl_incoming_t *self, etcl_line_t *line,
                                 etcl_frame_t *piece)
{
    apr_uint32_t serial = piece->serial;
    etcl_span_t rest;
    apr_status_t rv;

    etcl_buffer_clear(&self->gathered, KEEP);
    rv = etcl_buffer_add(&self->gathered, piece->payload);
    while (rv == APR_SUCCESS && !(piece->flags & ETCL_FRAME_LAST)) {
        rv = recv_packet(line, self->spare, 0, &rest);
        if (rv == APR_SUCCESS) {
            rv = next_body(&rest, serial, piece);
        }
        if (rv == APR_SUCCESS) {
            rv = etcl_buffer_add(&self->gathered, piece->payload);
        }
    }
    piece->payload = (etcl_span_t){ self->gathered.ptr, self->gathered.len };
    return rv;
}

/* A small body begins in the last packet of its call, and is whole. */
static apr_status_t take_body(etcl_incoming_t *self, etcl_line_t *line,
                              etcl_span_t rest)
{
    etcl_frame_t frame;
    apr_status_t rv;

    self->body = (etcl_span_t){ NULL, 0 };
    self->whole = rest.len != 0;
    if (!self->whole) {
        return APR_SUCCESS;
    }
    rv = next_body(&rest, self->call.serial, &frame);
    if (rv == APR_SUCCESS && !(frame.flags & ETCL_FRAME_LAST)) {
        rv = collect_body(self, line, &frame);
    }
    self->body = frame.payload;
    return rv;
}

apr_status_t etcl_incoming_call(etcl_incoming_t *self, etcl_line_t *line,
                                etcl_span_t packet)
{
    apr_status_t rv = etcl_frame_next(&packet, &self->call);

    if (rv != APR_SUCCESS || self->call.type != ETCL_FRAME_CALL ||
        self->call.serial == line->serial) {
        return ETCL_EPROTO;
    }
    if (self->call.flags & ETCL_FRAME_MORE) {
        rv = collect_call(self, line, &packet);
    }
    return rv == APR_SUCCESS ? take_body(self, line, packet) : rv;
}

apr_status_t etcl_incoming_packet(etcl_incoming_t *self, etcl_line_t *line,
                                  int nowait, etcl_span_t *out)
{
    return recv_packet(line, self->in, nowait, out);
}

apr_status_t etcl_incoming_create(etcl_incoming_t *self, char *spare)
{
    etcl_buffer_init(&self->pieces, ETCL_CALL_MAX);
    etcl_buffer_init(&self->gathered, BODY_MAX);
    self->spare = spare;
    self->in = malloc(ETCL_PACKET_MAX);
    return self->in ? APR_SUCCESS : APR_ENOMEM;
}

/* Asks for the body only when the application reads: an unread body costs
 * nothing. What Apache has received beyond that comes along, up to a tray,
 * so that many reads share a round trip; but it waits only for what is read,
 * for a client may wait for an answer before it goes on. */

#include "etcl_upload.h"
#include "etcl_alive.h"
#include "etcl_message.h"

#include <string.h>

/* Smaller reads are served from one packet that holds what there is. */
#define SMALL_READ 16384

static apr_status_t break_link(etcl_reply_t *reply)
{
    reply->box.broken = ETCL_EGONE;
    return ETCL_EGONE;
}

static apr_size_t take(etcl_reply_t *reply, char *into, apr_size_t max)
{
    apr_size_t len = reply->have.len < max ? reply->have.len : max;

    if (len) {
        memcpy(into, reply->have.ptr, len);
        reply->have.ptr += len;
        reply->have.len -= len;
    }
    return len;
}

/* Everything is received before the application goes on: nobody else reads
 * from the link while Apache sends. */
static apr_status_t ask(etcl_reply_t *reply, apr_size_t max, int whole)
{
    const apr_size_t need = max < ETCL_TRAY_LEN ? max : ETCL_TRAY_LEN;
    etcl_pull_t pull = { .want = ETCL_TRAY_LEN, .least = whole ? need : 1 };
    apr_status_t rv;

    if (max < SMALL_READ) {
        pull = (etcl_pull_t){ .want = SMALL_READ, .least = 1 };
    }
    rv = etcl_outbox_room(&reply->box, sizeof(pull));
    if (rv == APR_SUCCESS) {
        rv = etcl_pull_encode(&pull, &reply->box.out);
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_outbox_send(&reply->box, -1);
    }
    reply->owed = pull.want;
    return rv;
}

/* Apache watches over the client's time and says when it is over, so a
 * timeout here means only that the client is slow. */
static apr_status_t recv_packet(etcl_reply_t *reply, char *into,
                                etcl_span_t *out)
{
    apr_status_t rv;
    int fd;

    out->ptr = into;
    do {
        rv = etcl_link_recv(reply->box.link, into, &out->len, &fd, 0);
    } while (rv == APR_TIMEUP ||
             (rv == APR_SUCCESS && fd < 0 && etcl_alive_take(reply, *out)));
    if (fd >= 0 &&
        etcl_tray_accept(&reply->box.link->tray, fd) != APR_SUCCESS) {
        return break_link(reply);
    }
    return rv == APR_SUCCESS ? APR_SUCCESS : break_link(reply);
}

static apr_status_t take_broken(etcl_reply_t *reply, etcl_span_t payload)
{
    etcl_broken_t why;

    if (etcl_broken_decode(payload, &why) != APR_SUCCESS) {
        return break_link(reply);
    }
    reply->ended = why == ETCL_BROKEN_GONE    ? ETCL_ESHORT
                   : why == ETCL_BROKEN_STALL ? ETCL_ESTALL
                                              : ETCL_ELIMIT;
    return APR_SUCCESS;
}

static apr_status_t take_body(etcl_reply_t *reply, const etcl_frame_t *frame)
{
    const int more = frame->flags & ETCL_FRAME_MORE;
    const int last = frame->flags & ETCL_FRAME_LAST;

    if (frame->payload.len > reply->owed ||
        (more && frame->payload.len == reply->owed)) {
        return break_link(reply);
    }
    reply->have.ptr = reply->have.len ? reply->have.ptr : frame->payload.ptr;
    reply->have.len += frame->payload.len;
    reply->owed = more ? reply->owed - frame->payload.len : 0;
    if (last) {
        reply->ended = APR_EOF;
    }
    return APR_SUCCESS;
}

/* Until the next PULL the tray is left as it is; that comes when everything
 * was taken out of it. */
static apr_status_t take_laid(etcl_reply_t *reply, const etcl_frame_t *frame)
{
    const char *tray = reply->box.link->tray.ptr;
    apr_size_t len;

    if (!tray || etcl_laid_decode(frame->payload, &len) != APR_SUCCESS ||
        len > reply->owed || reply->have.len) {
        return break_link(reply);
    }
    reply->have = (etcl_span_t){ tray, len };
    reply->owed = 0;
    if (frame->flags & ETCL_FRAME_LAST) {
        reply->ended = APR_EOF;
    }
    return APR_SUCCESS;
}

static apr_status_t take_frame(etcl_reply_t *reply, const etcl_frame_t *frame)
{
    if (frame->serial != reply->box.out.serial || reply->ended != APR_SUCCESS) {
        return break_link(reply);
    }
    switch (frame->type) {
    case ETCL_FRAME_BODY:
        return take_body(reply, frame);
    case ETCL_FRAME_LAID:
        return take_laid(reply, frame);
    case ETCL_FRAME_BROKEN:
        return take_broken(reply, frame->payload);
    default:
        return break_link(reply);
    }
}

/* The frames of one packet: one piece, and perhaps that the body breaks off
 * behind it. One that brings neither bytes nor an end would be asked for again
 * and again. */
static apr_status_t take_packet(etcl_reply_t *reply, etcl_span_t packet)
{
    const apr_size_t had = reply->have.len;
    apr_status_t rv = APR_SUCCESS;
    etcl_frame_t frame;
    int bodies = 0;

    while (rv == APR_SUCCESS && packet.len) {
        rv = etcl_frame_next(&packet, &frame) == APR_SUCCESS
                 ? take_frame(reply, &frame)
                 : break_link(reply);
        bodies += rv == APR_SUCCESS && frame.type != ETCL_FRAME_BROKEN;
    }
    if (rv == APR_SUCCESS && (bodies > 1 || (reply->have.len == had &&
                                             reply->ended == APR_SUCCESS))) {
        rv = break_link(reply);
    }
    return rv;
}

/* Pieces come to lie behind each other: the head of a packet is received over
 * the end of the piece before, which is put back. */
static apr_status_t recv_piece(etcl_reply_t *reply, apr_size_t at)
{
    char *into = reply->in + at, under[ETCL_FRAME_HEAD];
    etcl_span_t packet;
    apr_status_t rv;

    memcpy(under, into, sizeof(under));
    rv = recv_packet(reply, into, &packet);
    if (rv == APR_SUCCESS) {
        rv = take_packet(reply, packet);
    }
    memcpy(into, under, sizeof(under));
    return rv;
}

/* Comes only when nothing that was received is left. */
static apr_status_t fetch(etcl_reply_t *reply, apr_size_t max, int whole)
{
    apr_status_t rv = reply->owed ? APR_SUCCESS : ask(reply, max, whole);

    while (rv == APR_SUCCESS && reply->owed && reply->ended == APR_SUCCESS &&
           reply->have.len < ETCL_TRAY_LEN) {
        rv = recv_piece(reply, reply->have.len);
    }
    return rv;
}

apr_status_t etcl_upload_read(etcl_exchange_t *x, char *into, apr_size_t max,
                              int whole, apr_size_t *got)
{
    etcl_reply_t *reply = (etcl_reply_t *)x;
    apr_status_t rv;

    *got = 0;
    etcl_outbox_stay(&reply->box);
    while (reply->box.broken == APR_SUCCESS) {
        *got += take(reply, into + *got, max - *got);
        if (*got == max || (*got && !whole)) {
            return APR_SUCCESS;
        }
        if (reply->ended != APR_SUCCESS) {
            return reply->ended;
        }
        rv = fetch(reply, max - *got, whole);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return ETCL_EGONE;
}

apr_size_t etcl_upload_ready(etcl_exchange_t *x)
{
    return ((etcl_reply_t *)x)->have.len;
}

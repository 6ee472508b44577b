/* Asks for the body only when the application reads, and never for more than
 * one packet beyond what it reads: an unread body costs nothing, and a client
 * that waits for an answer before it goes on is never waited for. */

#include "etcl_upload.h"
#include "etcl_message.h"

#include <unistd.h>

/* Smaller reads are served from one packet that holds what there is. */
#define SMALL_READ 16384

static apr_status_t break_link(etcl_reply_t *reply)
{
    reply->broken = ETCL_EGONE;
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

/* A window of many packets only where the application waits for all of it;
 * else one piece, as soon as there is any. */
static apr_status_t ask(etcl_reply_t *reply, apr_size_t max, int whole)
{
    etcl_pull_t pull = { .want = max, .whole = whole };
    apr_status_t rv;

    if (max < SMALL_READ) {
        pull = (etcl_pull_t){ .want = SMALL_READ, .whole = 0 };
    }
    rv = etcl_reply_room(reply, sizeof(pull));
    if (rv == APR_SUCCESS) {
        rv = etcl_pull_encode(&pull, &reply->out);
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_reply_send(reply, -1);
    }
    reply->one_piece = !pull.whole;
    reply->owed = pull.want;
    if (reply->one_piece && reply->owed > ETCL_FRAME_MAX) {
        reply->owed = ETCL_FRAME_MAX;
    }
    return rv;
}

/* Apache watches over the client's time and says when it is over, so a
 * timeout here means only that the client is slow. */
static apr_status_t recv_packet(etcl_reply_t *reply, etcl_span_t *out)
{
    apr_status_t rv;
    int fd;

    do {
        rv = etcl_link_recv(reply->link, reply->in, &out->len, &fd, 0);
    } while (rv == APR_TIMEUP);
    if (fd >= 0) {
        close(fd);
        return break_link(reply);
    }
    out->ptr = reply->in;
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
    if (frame->payload.len > reply->owed) {
        return break_link(reply);
    }
    reply->have = frame->payload;
    reply->owed = reply->one_piece ? 0 : reply->owed - frame->payload.len;
    if (frame->flags & ETCL_FRAME_LAST) {
        reply->ended = APR_EOF;
    }
    return APR_SUCCESS;
}

static apr_status_t take_frame(etcl_reply_t *reply, const etcl_frame_t *frame)
{
    if (frame->serial != reply->out.serial || reply->ended != APR_SUCCESS) {
        return break_link(reply);
    }
    switch (frame->type) {
    case ETCL_FRAME_BODY:
        return reply->have.len ? break_link(reply) : take_body(reply, frame);
    case ETCL_FRAME_BROKEN:
        return take_broken(reply, frame->payload);
    default:
        return break_link(reply);
    }
}

/* A packet holds one piece, and perhaps that the body breaks off behind it.
 * One that brings neither bytes nor an end would be asked for again and
 * again. */
static apr_status_t recv_piece(etcl_reply_t *reply)
{
    etcl_span_t packet;
    etcl_frame_t frame;
    apr_status_t rv = recv_packet(reply, &packet);

    while (rv == APR_SUCCESS && packet.len) {
        rv = etcl_frame_next(&packet, &frame) == APR_SUCCESS
                 ? take_frame(reply, &frame)
                 : break_link(reply);
    }
    if (rv == APR_SUCCESS && !reply->have.len && reply->ended == APR_SUCCESS) {
        rv = break_link(reply);
    }
    return rv;
}

static apr_status_t fetch(etcl_reply_t *reply, apr_size_t max, int whole)
{
    apr_status_t rv = APR_SUCCESS;

    if (!reply->owed) {
        rv = ask(reply, max, whole);
    }
    return rv == APR_SUCCESS ? recv_piece(reply) : rv;
}

apr_status_t etcl_upload_read(etcl_exchange_t *x, char *into, apr_size_t max,
                              int whole, apr_size_t *got)
{
    etcl_reply_t *reply = (etcl_reply_t *)x;
    apr_status_t rv;

    *got = 0;
    while (reply->broken == APR_SUCCESS) {
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

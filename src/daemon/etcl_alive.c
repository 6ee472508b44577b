/* One question is on its way at a time; an answer that was not waited for is
 * found by whoever receives next. Nothing of the application's answer is sent
 * along: it may still become another. */

#include "etcl_alive.h"
#include "etcl_message.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define WAIT_MS 250

/* Room for one packet with nothing but an answer, and a byte to see that it
 * is longer. */
#define ANSWER_ROOM (ETCL_FRAME_HEAD + 2)

/* The frame that is all of a packet. */
static int is_told(etcl_span_t packet, apr_uint32_t serial, int *gone)
{
    etcl_frame_t frame;

    return etcl_frame_next(&packet, &frame) == APR_SUCCESS && !packet.len &&
           frame.type == ETCL_FRAME_TOLD && frame.serial == serial &&
           etcl_told_decode(frame.payload, gone) == APR_SUCCESS;
}

int etcl_alive_take(etcl_reply_t *reply, etcl_span_t packet)
{
    int gone;

    if (!reply->asked || !is_told(packet, reply->box.out.serial, &gone)) {
        return 0;
    }
    reply->asked = 0;
    reply->is_gone |= gone;
    return 1;
}

int etcl_alive_is_late(etcl_span_t packet, apr_uint32_t serial)
{
    int gone;

    return is_told(packet, serial, &gone);
}

/* Past what is held, and without waiting: a link that takes nothing now is one
 * whose other end is busy with the client. */
static apr_status_t ask(etcl_reply_t *reply)
{
    char bytes[ETCL_FRAME_HEAD];
    etcl_packet_t packet = { .ptr = bytes, .serial = reply->box.out.serial };
    apr_status_t rv;

    etcl_packet_add(&packet, ETCL_FRAME_ASK, 0, (etcl_span_t){ NULL, 0 });
    rv = etcl_outbox_pass(&reply->box, (etcl_span_t){ bytes, packet.len });
    reply->asked = rv == APR_SUCCESS;
    return rv;
}

static int is_readable(const etcl_link_t *link, int wait_ms)
{
    struct pollfd entry = { .fd = link->fd, .events = POLLIN };

    return poll(&entry, 1, wait_ms) > 0;
}

/* Nothing else may come now. */
static void hear(etcl_reply_t *reply)
{
    char bytes[ANSWER_ROOM];
    ssize_t len = recv(reply->box.link->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len <= 0 ||
        !etcl_alive_take(reply, (etcl_span_t){ bytes, (apr_size_t)len })) {
        reply->box.broken = ETCL_EGONE;
    }
}

/* The rest of the body is on its way: it must be received by who reads, and
 * whoever sends it notices when the client goes. */
static int is_taken_up(const etcl_reply_t *reply)
{
    return reply->owed && reply->ended == APR_SUCCESS;
}

int etcl_alive_gone(etcl_exchange_t *x)
{
    etcl_reply_t *reply = (etcl_reply_t *)x;
    int wait_ms = reply->asked ? 0 : WAIT_MS;
    apr_status_t rv;

    if (reply->is_gone || reply->box.broken != APR_SUCCESS) {
        return 1;
    }
    if (is_taken_up(reply)) {
        return 0;
    }
    if (!reply->asked) {
        rv = ask(reply);
        if (rv != APR_SUCCESS) {
            return !APR_STATUS_IS_EAGAIN(rv);
        }
    }
    if (is_readable(reply->box.link, wait_ms)) {
        hear(reply);
    }
    return reply->is_gone || reply->box.broken != APR_SUCCESS;
}

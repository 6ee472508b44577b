/* Bytes from the client to the worker, as many as it asked for. A tray is
 * worth its making where much of a body is to come; then bytes are received
 * into it, and a packet only says how many. */

#include "etcl_feed.h"

/* A body with less to come crosses in one packet, or two. */
#define TRAY_LEAST (96 * 1024)

/* What is asked for, at once, at most; and what must be waited for. */
typedef struct {
    apr_size_t max;
    apr_size_t least;
} share_t;

static share_t share_of(const etcl_pull_t *pull, apr_size_t room)
{
    return (share_t){ pull->want < room ? (apr_size_t)pull->want : room,
                      pull->least < room ? (apr_size_t)pull->least : room };
}

/* Waits for the least of a share, and takes what else there is. */
static apr_status_t fill(etcl_talk_t *t, char *into, share_t share,
                         apr_size_t *len)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t got;

    *len = 0;
    while (!rv && *len < share.max) {
        rv = etcl_body_take(t->body, into + *len, share.max - *len,
                            *len < share.least, &got);
        *len += got;
    }
    return APR_STATUS_IS_EAGAIN(rv) ? APR_SUCCESS : rv;
}

static etcl_broken_t reason_of(apr_status_t rv)
{
    if (rv == ETCL_ESTALL) {
        return ETCL_BROKEN_STALL;
    }
    return rv == ETCL_ELIMIT ? ETCL_BROKEN_LIMIT : ETCL_BROKEN_GONE;
}

static etcl_packet_t fresh_packet(const etcl_talk_t *t)
{
    return (etcl_packet_t){ .ptr = t->desk->out,
                            .serial = t->kept->link.serial };
}

static int is_broken(apr_status_t rv)
{
    return rv && !APR_STATUS_IS_EOF(rv);
}

static apr_status_t send_packet(etcl_talk_t *t, const etcl_packet_t *packet,
                                int fd)
{
    return etcl_link_send(&t->kept->link,
                          (etcl_span_t){ packet->ptr, packet->len }, fd, 0);
}

/* Whether this was all of the body, and the flag that says so. */
static unsigned int close_body(etcl_talk_t *t, apr_status_t rv)
{
    t->body_sent = rv || etcl_body_is_done(t->body);
    return t->body_sent && !is_broken(rv) ? ETCL_FRAME_LAST : 0;
}

/* The flags of a piece, and whether anything comes after it. With MORE there
 * is something to send at once, or to wait for. */
static unsigned int flags_of_piece(etcl_talk_t *t, const etcl_pull_t *left,
                                   apr_size_t len, apr_status_t rv)
{
    const unsigned int last = close_body(t, rv);

    if (t->body_sent) {
        return last;
    }
    if (len < left->least) {
        return ETCL_FRAME_MORE;
    }
    return len < left->want && etcl_body_is_here(t->body, ETCL_FRAME_MAX)
               ? ETCL_FRAME_MORE
               : 0;
}

/* One packet of the body. `*left` is what remains to be sent; nothing when
 * what there is has been. */
static apr_status_t send_piece(etcl_talk_t *t, etcl_pull_t *left)
{
    etcl_packet_t packet = fresh_packet(t);
    apr_size_t room = etcl_packet_room(&packet) - ETCL_FRAME_HEAD - 1, len;
    unsigned int flags;
    apr_status_t rv;

    rv = fill(t, etcl_packet_open(&packet), share_of(left, room), &len);
    flags = flags_of_piece(t, left, len, rv);
    etcl_packet_close(&packet, ETCL_FRAME_BODY, flags, len);
    if (is_broken(rv)) {
        etcl_broken_encode(reason_of(rv), &packet);
    }
    left->want = flags & ETCL_FRAME_MORE ? left->want - len : 0;
    left->least = left->least > len ? left->least - len : 0;
    return send_packet(t, &packet, -1);
}

/* The worker asks again when it has used up what lies in the tray. */
static apr_status_t lay(etcl_talk_t *t, const etcl_pull_t *pull)
{
    etcl_tray_t *tray = &t->kept->link.tray;
    etcl_packet_t packet = fresh_packet(t);
    apr_size_t len;
    apr_status_t rv;

    rv = fill(t, tray->ptr, share_of(pull, ETCL_TRAY_LEN), &len);
    etcl_laid_encode(len, close_body(t, rv), &packet);
    if (is_broken(rv)) {
        etcl_broken_encode(reason_of(rv), &packet);
    }
    rv = send_packet(t, &packet, tray->fd);
    etcl_tray_sent(tray);
    return rv;
}

/* Where there is no memory for a tray, packets do. */
static int has_tray(etcl_talk_t *t, const etcl_pull_t *pull)
{
    etcl_tray_t *tray = &t->kept->link.tray;
    const apr_int64_t rest = etcl_body_rest(t->body);

    if (pull->want < TRAY_LEAST || (rest >= 0 && rest < TRAY_LEAST)) {
        return 0;
    }
    return tray->ptr || !etcl_tray_create(tray);
}

apr_status_t etcl_feed_answer(etcl_talk_t *t, const etcl_pull_t *pull)
{
    etcl_pull_t left = *pull;
    apr_status_t rv;

    if (has_tray(t, pull)) {
        return lay(t, pull);
    }
    do {
        rv = send_piece(t, &left);
    } while (!rv && left.want);
    return rv;
}

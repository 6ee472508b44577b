/* The exchange over a link: a worker's end of one call. One per request
 * thread, used again for every call. Its blocks are etcl_blocks.c, its packets
 * etcl_outbox.c; the request's body is etcl_upload.c. */

#ifndef ETCL_REPLY_H
#define ETCL_REPLY_H

#include "etcl_buffer.h"
#include "etcl_bulk.h"
#include "etcl_exchange.h"
#include "etcl_outbox.h"

/* Room for what is pulled at once, when it comes in packets: the last of them
 * may be larger than what was free in it. */
#define ETCL_UPLOAD_ROOM (ETCL_TRAY_LEN + ETCL_PACKET_MAX)

typedef struct {
    etcl_exchange_t base; /* first */
    etcl_outbox_t box;
    int asked;   /* etcl_alive.h: an answer is to come */
    int is_gone; /* the client, as Apache said */
    /* The answer. */
    etcl_buffer_t head; /* the head, encoded */
    int begun;          /* there is a head */
    int head_waits;     /* it is not in a packet yet */
    apr_int64_t ahead;  /* of what was promised, not given; or below 0 */
    etcl_bulk_t bulk;   /* what is gathered instead of being sent */
    /* The body of the request. */
    char *in;           /* ETCL_UPLOAD_ROOM bytes */
    etcl_span_t have;   /* received, not read by the application */
    apr_uint64_t owed;  /* bytes asked for that may still come */
    apr_status_t ended; /* APR_SUCCESS: more may come; else how it ended */
} etcl_reply_t;

/** Allocate what lives as long as the thread. APR_ENOMEM. */
apr_status_t etcl_reply_create(etcl_reply_t *reply);

/**
 * Begin a call.
 *
 * Owns     `link`, its `window` and the bytes of `body` are borrowed until
 *          etcl_reply_end
 * body     what came with the call; with `whole` it is all there will be
 */
void etcl_reply_begin(etcl_reply_t *reply, etcl_link_t *link,
                      etcl_window_t *window, apr_uint32_t serial,
                      etcl_span_t body, int whole);

/**
 * End it: what was held leaves, with END or ABORT.
 *
 * Returns  APR_SUCCESS  the link may serve another call
 *          else it must be closed
 */
apr_status_t etcl_reply_end(etcl_reply_t *reply, const etcl_answer_t *answer);

#endif

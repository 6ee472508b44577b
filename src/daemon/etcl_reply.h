/* The exchange over a link: a worker's end of one call. One per request
 * thread, used again for every call; the request's body is etcl_upload.c. */

#ifndef ETCL_REPLY_H
#define ETCL_REPLY_H

#include "etcl_buffer.h"
#include "etcl_bulk.h"
#include "etcl_exchange.h"
#include "etcl_link.h"

#include <pthread.h>
#include <stdatomic.h>

/* Room for what is pulled at once, when it comes in packets: the last of them
 * may be larger than what was free in it. */
#define ETCL_UPLOAD_ROOM (ETCL_TRAY_LEN + ETCL_PACKET_MAX)

typedef struct {
    etcl_exchange_t base; /* first */
    etcl_link_t *link;
    pthread_mutex_t sending; /* held while a packet leaves */
    apr_status_t broken;     /* why the link cannot be used any more */
    int asked;               /* etcl_alive.h: an answer is to come */
    int is_gone;             /* the client, as Apache said */
    /* The answer. */
    etcl_packet_t out;  /* frames that have not left */
    etcl_buffer_t head; /* the head, encoded */
    int begun;          /* there is a head */
    int head_waits;     /* it is not in a packet yet */
    apr_size_t head_at; /* where it stands in `out`, once it is there */
    int left;           /* it has left: the answer cannot be another */
    apr_int64_t ahead;  /* of what was promised, not given; or below 0 */
    etcl_bulk_t bulk;   /* what is gathered instead of being sent */
    _Atomic apr_int64_t lingers_us; /* since when what is held, a complete
                                       answer, waits for its end; 0: it does
                                       not. Cleared under `sending` */
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

/**
 * Answer in the place of a thread that does not: with `status` if nothing of
 * its answer has left, else, or with 0, by breaking off. The link carries
 * nothing more.
 *
 * Context  another thread, while the call cannot end (etcl_duty.h)
 */
void etcl_reply_take_over(etcl_reply_t *reply, int status);

/**
 * Send a complete answer without its end, if it has waited since `before_us`.
 *
 * Context  another thread (etcl_linger.h); never blocks
 * Returns  1, or 0: it still waits
 */
int etcl_reply_hurry(etcl_reply_t *reply, apr_int64_t before_us);

/** Nobody else is to send what is held any more. For the rooms of this
 *  exchange, before they add to it. */
void etcl_reply_stay(etcl_reply_t *reply);

/** Send what is held, with a descriptor unless `fd` is -1. For the rooms of
 *  this exchange. */
apr_status_t etcl_reply_send(etcl_reply_t *reply, int fd);

/** Make room for one frame of `len` bytes, sending what is held if needed. */
apr_status_t etcl_reply_room(etcl_reply_t *reply, apr_size_t len);

#endif

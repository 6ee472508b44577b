/* The packets of an answer on their way out: what is held, what has left. One
 * per request thread. */

#ifndef ETCL_OUTBOX_H
#define ETCL_OUTBOX_H

#include "etcl_link.h"

#include <pthread.h>
#include <stdatomic.h>

#define ETCL_OUTBOX_FIXED 64 /* more than any payload of fixed shape */

typedef struct {
    etcl_link_t *link;       /* of the call; borrowed */
    pthread_mutex_t sending; /* held while a packet leaves */
    apr_status_t broken;     /* why the link cannot be used any more */
    etcl_packet_t out;       /* frames that have not left */
    apr_ssize_t head_at;     /* where HEAD begins in `out`; -1: not there */
    int left;                /* HEAD has left: the answer cannot be another */
    _Atomic apr_int64_t lingers_us; /* since when what is held, a complete
                                       answer, waits for its end; 0: it does
                                       not. Cleared under `sending` */
} etcl_outbox_t;

/** Allocate what lives as long as the thread. APR_ENOMEM. */
apr_status_t etcl_outbox_create(etcl_outbox_t *box);

/** A call begins. `link` is borrowed until the next one. */
void etcl_outbox_begin(etcl_outbox_t *box, etcl_link_t *link,
                       apr_uint32_t serial);

/** Send what is held, with a descriptor unless `fd` is -1. An error breaks the
 *  link: APR_TIMEUP or ETCL_EGONE. */
apr_status_t etcl_outbox_send(etcl_outbox_t *box, int fd);

/** The same without waiting. All or nothing: one packet, taken by the socket
 *  as it is, or left out with APR_EAGAIN. */
apr_status_t etcl_outbox_try(etcl_outbox_t *box);

/** Send a packet past what is held, without waiting. APR_SUCCESS, or errno. */
apr_status_t etcl_outbox_pass(etcl_outbox_t *box, etcl_span_t packet);

/** Make room for one frame of `len` bytes, sending what is held if needed. */
apr_status_t etcl_outbox_room(etcl_outbox_t *box, apr_size_t len);

/** Part of HEAD leaves with what is sent next. */
void etcl_outbox_commit(etcl_outbox_t *box);

/** What is held is a complete answer: it stays as it is until the thread of
 *  the call says so, or another one sends it. */
void etcl_outbox_linger(etcl_outbox_t *box);

/** Nobody else is to send what is held any more; before it is added to. */
void etcl_outbox_stay(etcl_outbox_t *box);

/**
 * Send a complete answer without its end, if it has waited since `before_us`.
 *
 * Context  another thread (etcl_linger.h); never blocks
 * Returns  1, or 0: it still waits
 */
int etcl_outbox_hurry(etcl_outbox_t *box, apr_int64_t before_us);

/**
 * Answer in the place of a thread that does not: with `status` if nothing of
 * its answer has left, else, or with 0, by breaking off. The link carries
 * nothing more.
 *
 * Context  another thread, while the call cannot end (etcl_duty.h)
 */
void etcl_outbox_take_over(etcl_outbox_t *box, int status);

#endif

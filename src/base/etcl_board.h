/* The lease board of one group: how many calls every worker slot has in
 * flight, and who waits, first come, first served. Shared by the Apache
 * parent and its children only; no daemon ever maps it.
 *
 * A process-shared robust mutex guards it. A waiter sleeps on a futex word of
 * its own, and a free place is handed to the first waiter by name: a condition
 * variable would wake in any order, and one whose waiter is killed with -9 can
 * block its signaller for ever. */

#ifndef ETCL_BOARD_H
#define ETCL_BOARD_H

#include "etcl_roster.h"

typedef struct etcl_board_t etcl_board_t; /* the shared memory */

typedef struct {
    int slots;    /* worker slots, as in the roster */
    int threads;  /* calls at a time that a worker may have; what its roster
                     claims beyond that is not believed */
    int children; /* Apache children that may join at the same time */
    int queue;    /* waiters at most: listen-backlog; one that was just handed
                     a place counts until it is awake */
} etcl_board_shape_t;

/* A place in a worker. Kept by the thread of the request. */
typedef struct {
    int child;
    int slot;
    int note;                 /* etcl_board_notes.h; or -1 */
    apr_uint32_t incarnation; /* of the worker when it was leased */
    apr_int64_t since_us;     /* when it was leased */
    apr_int64_t waited_us;    /* in the queue */
} etcl_lease_t;

/* By then a waiter has looked a second time whether it is wanted. */
#define ETCL_BOARD_LOOK_US 100000

/* What a request is willing to accept. */
typedef struct {
    apr_int64_t deadline_us; /* give up waiting at this time; 0 never */
    int avoid_slot;          /* a worker that just failed: not this one for a
                                second; or -1 */
    apr_uint32_t avoid_incarnation; /* of it; the next one is welcome */
    int (*has_left)(void *client);  /* asked while it waits: at first, within
                                       ETCL_BOARD_LOOK_US, and then now and
                                       again; or NULL */
    void *client;
} etcl_wish_t;

#define ETCL_BOARD_TEXT 96 /* bytes that a lease says of its call */

/* For the one line of a burst. */
typedef struct {
    int capacity; /* places of all ready workers */
    int busy;     /* leased */
    int waiting;
    apr_int64_t oldest_us;  /* when the first of the queue began to wait */
    apr_int64_t slowest_us; /* when the call in flight that has been running
                               longest was leased */
    char slowest[ETCL_BOARD_TEXT + 1]; /* what it is; empty: not known */
} etcl_board_state_t;

/** Bytes of shared memory. */
apr_size_t etcl_board_size(const etcl_board_shape_t *shape);

/** Parent: lay out fresh zeroed memory. */
apr_status_t etcl_board_init(void *memory, const etcl_board_shape_t *shape,
                             etcl_board_t **out);

/**
 * A child takes a seat; in child_init.
 *
 * Returns  APR_SUCCESS with *child, or ETCL_ELIMIT: no seat is free
 */
apr_status_t etcl_board_join(etcl_board_t *board, apr_uint32_t pid, int *child);

/**
 * Lease the least busy worker with a free place, or wait for one.
 *
 * Context  any thread of a joined child; blocks. The roster is read about
 *          every 10 ms by the first of the queue, so that a worker that
 *          becomes ready is noticed.
 * Returns  APR_SUCCESS  *out is held: etcl_board_give_back
 *          ETCL_EFULL   the queue is full
 *          APR_TIMEUP   the deadline passed while waiting
 *          ETCL_EGONE   wish->has_left said so
 *          ETCL_ENONE   no worker was ready, starting or on its way: for a
 *                       second in a group that rests, since others failed, or
 *                       for 15 when nobody supervised it
 */
apr_status_t etcl_board_lease(etcl_board_t *board, const etcl_roster_t *roster,
                              int child, const etcl_wish_t *wish,
                              etcl_lease_t *out);

/** Give a lease back; hands the place to the first waiter. */
void etcl_board_give_back(etcl_board_t *board, const etcl_roster_t *roster,
                          const etcl_lease_t *lease);

/**
 * Parent: a child ended; its leases and its places in the queue are freed.
 * A pid that never joined is ignored.
 */
void etcl_board_bury(etcl_board_t *board, apr_uint32_t pid);

/** Parent: the pids of joined children; returns how many, at most `max`. */
int etcl_board_children(etcl_board_t *board, apr_uint32_t *pids, int max);

void etcl_board_read(etcl_board_t *board, const etcl_roster_t *roster,
                     etcl_board_state_t *out);

#endif

/* The memory of a lease board, its lock, and its repair when a process died
 * with the lock in its hands. Only etcl_board*.c looks in here.
 *
 * What is true stands in three places: the pid of a seat, `held` of a seat
 * (written by its child alone), and the word of a waiter. Each changes with
 * one store. All else (`busy`, `order`, `used`) is derived from them, and is
 * derived anew when it cannot be trusted. */

#ifndef ETCL_BOARD_MEMORY_H
#define ETCL_BOARD_MEMORY_H

#include "etcl_board_choice.h"
#include "etcl_board_notes.h"

#include <pthread.h>
#include <stdatomic.h>

/* The word of a waiter, on which it sleeps. */
enum { ETCL_BOARD_FREE, ETCL_BOARD_WAITING, ETCL_BOARD_GRANTED };

/* A place in the queue. */
typedef struct {
    _Alignas(64) _Atomic apr_uint32_t word;
    int child;
    apr_uint64_t ticket; /* who came first */
    apr_int64_t since_us;
    etcl_wish_t wish;
    int slot; /* what was granted */
    apr_uint32_t incarnation;
} etcl_board_waiter_t;

/* What a call in flight is. */
typedef struct {
    _Alignas(64) _Atomic apr_int64_t since_us; /* 0: nothing is said */
    int holder;                                /* child + 1; 0: free */
    _Atomic apr_uint64_t text[ETCL_BOARD_TEXT / 8];
} etcl_board_note_t;

struct etcl_board_t {
    pthread_mutex_t lock;
    etcl_board_shape_t shape;
    apr_uint64_t next_ticket;
    apr_int64_t none_since_us; /* since when no slot is alive and none is on
                                  its way; 0: some are */
    apr_int64_t none_max_us;   /* how long that may last */
    int used;                  /* waiters that are not free */
    int note_count;
    int notes_free;               /* of `free_notes` that are in use */
    apr_uint32_t *pids;           /* [children], 0: a free seat */
    apr_uint32_t *held;           /* [children][slots], leases */
    int *busy;                    /* [slots], leases of all children */
    int *order;                   /* [queue], waiters: `used` in the order of
                                     their tickets, then the free ones */
    etcl_board_seen_t *seen;      /* [slots], the latest look at the roster */
    etcl_board_waiter_t *waiters; /* [queue] */
    etcl_board_note_t *notes;     /* [note_count] */
    int *free_notes;              /* [note_count], a stack */
};

void etcl_board_memory_lock(etcl_board_t *board);
void etcl_board_memory_unlock(etcl_board_t *board);

/** The row of `held` of a child. */
apr_uint32_t *etcl_board_memory_held(etcl_board_t *board, int child);

/** Empty what belongs to seats that are free, and derive all else anew. */
void etcl_board_memory_repair(etcl_board_t *board);

/** Go to the end of the queue; NULL when it is full. */
etcl_board_waiter_t *etcl_board_memory_enter(etcl_board_t *board, int child,
                                             const etcl_wish_t *wish,
                                             apr_int64_t now_us);

/** Leave the queue, from wherever in it. */
void etcl_board_memory_leave(etcl_board_t *board, etcl_board_waiter_t *waiter);

/** The place of a waiter in the queue, from 0. */
int etcl_board_memory_position(const etcl_board_t *board,
                               const etcl_board_waiter_t *waiter);

/** The first that still waits, or NULL. */
etcl_board_waiter_t *etcl_board_memory_first(const etcl_board_t *board);

#endif

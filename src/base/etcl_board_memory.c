/* Laying out, locking, repairing, and the queue as a data structure. Who gets
 * a place, and when, is etcl_board.c. */

#include "etcl_board_memory.h"

#include <errno.h>
#include <stdlib.h>

#define ALIGN 64u
#define SPINS 30 /* one or two microseconds */

static apr_size_t aligned(apr_size_t len)
{
    return (len + ALIGN - 1) / ALIGN * ALIGN;
}

/* The next array; `memory` is NULL when only its end is asked for. */
static void *carve(char *memory, apr_size_t *at, int count, apr_size_t size)
{
    apr_size_t begin = *at;

    *at += aligned((apr_size_t)count * size);
    return memory ? memory + begin : NULL;
}

/* One walk says how much memory there is and what lies where. */
static apr_size_t lay_out(etcl_board_t *board, const etcl_board_shape_t *shape,
                          char *memory)
{
    apr_size_t at = aligned(sizeof(*board));
    apr_size_t row_len = sizeof(*board->held) * (apr_size_t)shape->slots;

    board->shape = *shape;
    board->pids = carve(memory, &at, shape->children, sizeof(*board->pids));
    board->held = carve(memory, &at, shape->children, row_len);
    board->busy = carve(memory, &at, shape->slots, sizeof(*board->busy));
    board->seen = carve(memory, &at, shape->slots, sizeof(*board->seen));
    board->order = carve(memory, &at, shape->queue, sizeof(*board->order));
    board->waiters = carve(memory, &at, shape->queue, sizeof(*board->waiters));
    board->note_count = etcl_board_notes_count(shape);
    board->notes = carve(memory, &at, board->note_count, sizeof(*board->notes));
    board->free_notes =
        carve(memory, &at, board->note_count, sizeof(*board->free_notes));
    return at;
}

apr_size_t etcl_board_size(const etcl_board_shape_t *shape)
{
    etcl_board_t board;

    return lay_out(&board, shape, NULL);
}

static int init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t how;
    int rv = pthread_mutexattr_init(&how);

    if (rv) {
        return rv;
    }
    pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
    rv = pthread_mutex_init(lock, &how);
    pthread_mutexattr_destroy(&how);
    return rv;
}

apr_status_t etcl_board_init(void *memory, const etcl_board_shape_t *shape,
                             etcl_board_t **out)
{
    etcl_board_t *board = memory;
    int rv;

    if (shape->slots < 1 || shape->slots > ETCL_ROSTER_SLOTS_MAX ||
        shape->threads < 0 || shape->children < 1 || shape->queue < 0) {
        return ETCL_EINVAL;
    }
    lay_out(board, shape, memory);
    rv = init_lock(&board->lock);
    if (rv) {
        return rv;
    }
    etcl_board_memory_repair(board);
    *out = board;
    return APR_SUCCESS;
}

/* Where a processor can be told that it waits in a loop. */
static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* What is done under the lock takes less time than to fall asleep on it and to
 * be woken; only who has lost the processor meanwhile holds it for longer. */
static int take_lock(pthread_mutex_t *lock)
{
    int rv = pthread_mutex_trylock(lock);
    int i;

    for (i = 0; rv == EBUSY && i < SPINS; i++) {
        pause_briefly();
        rv = pthread_mutex_trylock(lock);
    }
    return rv == EBUSY ? pthread_mutex_lock(lock) : rv;
}

void etcl_board_memory_lock(etcl_board_t *board)
{
    if (take_lock(&board->lock) == EOWNERDEAD) {
        etcl_board_memory_repair(board);
        pthread_mutex_consistent(&board->lock);
    }
}

void etcl_board_memory_unlock(etcl_board_t *board)
{
    pthread_mutex_unlock(&board->lock);
}

apr_uint32_t *etcl_board_memory_held(etcl_board_t *board, int child)
{
    return board->held + (apr_size_t)child * (apr_size_t)board->shape.slots;
}

static int state_of(const etcl_board_waiter_t *waiter)
{
    return (int)atomic_load(&waiter->word);
}

/* What belongs to a seat that nobody has. */
static void empty_free_seats(etcl_board_t *board)
{
    apr_size_t row_len = (apr_size_t)board->shape.slots * sizeof(*board->held);
    int i;

    for (i = 0; i < board->shape.children; i++) {
        if (!board->pids[i]) {
            memset(etcl_board_memory_held(board, i), 0, row_len);
        }
    }
    for (i = 0; i < board->shape.queue; i++) {
        if (!board->pids[board->waiters[i].child]) {
            atomic_store(&board->waiters[i].word, ETCL_BOARD_FREE);
        }
    }
}

static void recount_busy(etcl_board_t *board)
{
    int child, slot, i;

    memset(board->busy, 0, (apr_size_t)board->shape.slots * sizeof(int));
    for (child = 0; child < board->shape.children; child++) {
        for (slot = 0; slot < board->shape.slots; slot++) {
            board->busy[slot] +=
                (int)etcl_board_memory_held(board, child)[slot];
        }
    }
    for (i = 0; i < board->shape.queue; i++) {
        if (state_of(&board->waiters[i]) == ETCL_BOARD_GRANTED) {
            board->busy[board->waiters[i].slot]++;
        }
    }
}

/* Free places behind all others. */
static apr_uint64_t rank_of(const etcl_board_waiter_t *waiter)
{
    return state_of(waiter) == ETCL_BOARD_FREE ? APR_UINT64_MAX
                                               : waiter->ticket;
}

static int compare_ranks(const void *left, const void *right, void *waiters)
{
    const etcl_board_waiter_t *all = waiters;
    apr_uint64_t a = rank_of(&all[*(const int *)left]);
    apr_uint64_t b = rank_of(&all[*(const int *)right]);

    return a < b ? -1 : a > b;
}

static void line_up(etcl_board_t *board)
{
    int i;

    board->used = 0;
    for (i = 0; i < board->shape.queue; i++) {
        board->order[i] = i;
        board->used += state_of(&board->waiters[i]) != ETCL_BOARD_FREE;
        if (board->waiters[i].ticket >= board->next_ticket) {
            board->next_ticket = board->waiters[i].ticket + 1;
        }
    }
    qsort_r(board->order, (apr_size_t)board->shape.queue, sizeof(int),
            compare_ranks, board->waiters);
}

void etcl_board_memory_repair(etcl_board_t *board)
{
    empty_free_seats(board);
    recount_busy(board);
    line_up(board);
    etcl_board_notes_repair(board);
}

/* The word goes last: what a process that dies here leaves behind is either
 * a whole waiter or none. */
etcl_board_waiter_t *etcl_board_memory_enter(etcl_board_t *board, int child,
                                             const etcl_wish_t *wish,
                                             apr_int64_t now_us)
{
    etcl_board_waiter_t *waiter;

    if (board->used == board->shape.queue) {
        return NULL;
    }
    waiter = &board->waiters[board->order[board->used]];
    waiter->child = child;
    waiter->ticket = board->next_ticket++;
    waiter->since_us = now_us;
    waiter->wish = *wish;
    waiter->wish.has_left = NULL; /* no address of one process for others */
    waiter->wish.client = NULL;
    atomic_store(&waiter->word, ETCL_BOARD_WAITING);
    board->used++;
    return waiter;
}

void etcl_board_memory_leave(etcl_board_t *board, etcl_board_waiter_t *waiter)
{
    int at = etcl_board_memory_position(board, waiter);
    int behind = board->used - 1 - at;

    atomic_store(&waiter->word, ETCL_BOARD_FREE);
    memmove(board->order + at, board->order + at + 1,
            (apr_size_t)behind * sizeof(int));
    board->order[--board->used] = (int)(waiter - board->waiters);
}

int etcl_board_memory_position(const etcl_board_t *board,
                               const etcl_board_waiter_t *waiter)
{
    int at = 0;

    while (board->order[at] != (int)(waiter - board->waiters)) {
        at++;
    }
    return at;
}

etcl_board_waiter_t *etcl_board_memory_first(const etcl_board_t *board)
{
    etcl_board_waiter_t *waiter;
    int i;

    for (i = 0; i < board->used; i++) {
        waiter = &board->waiters[board->order[i]];
        if (state_of(waiter) == ETCL_BOARD_WAITING) {
            return waiter;
        }
    }
    return NULL;
}

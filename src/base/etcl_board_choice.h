/* Which worker a request gets: the decision of the lease board, without its
 * memory, its lock and its clock. */

#ifndef ETCL_BOARD_CHOICE_H
#define ETCL_BOARD_CHOICE_H

#include "etcl_board.h"

/* How long a request would rather wait than go back to the slot it wishes to
 * avoid: enough for a supervisor to notice a death and say so in the roster. */
#define ETCL_BOARD_AVOID_US 1000000

/* A slot as the roster and the board show it at one moment. */
typedef struct {
    int takes;    /* ready, and its heart beats */
    int alive;    /* ready or starting */
    int capacity; /* calls at a time */
    int busy;     /* leased */
    apr_uint32_t incarnation;
} etcl_board_seen_t;

/**
 * The least busy slot with a free place that fits the wish; of equals the
 * first, so that a calm group keeps one worker warm.
 *
 * Units    `waited_us` so far in the queue
 * Returns  its number, or -1
 */
int etcl_board_choice_slot(const etcl_board_seen_t *seen, int slots,
                           const etcl_wish_t *wish, apr_int64_t waited_us);

/** Free places in all slots together, and whether any slot is alive. */
int etcl_board_choice_free(const etcl_board_seen_t *seen, int slots);
int etcl_board_choice_alive(const etcl_board_seen_t *seen, int slots);

#endif

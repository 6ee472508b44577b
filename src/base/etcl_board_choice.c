/* Pure functions of what is seen: no memory is shared here, nothing waits,
 * and the time is an argument. */

#include "etcl_board_choice.h"

static int free_places(const etcl_board_seen_t *slot)
{
    return slot->takes && slot->busy < slot->capacity
               ? slot->capacity - slot->busy
               : 0;
}

/* The worker itself is avoided, not its slot: the next incarnation is
 * welcome. */
static int is_avoided(const etcl_board_seen_t *seen, int slot,
                      const etcl_wish_t *wish, apr_int64_t waited_us)
{
    return slot == wish->avoid_slot && waited_us < ETCL_BOARD_AVOID_US &&
           seen[slot].incarnation == wish->avoid_incarnation;
}

int etcl_board_choice_slot(const etcl_board_seen_t *seen, int slots,
                           const etcl_wish_t *wish, apr_int64_t waited_us)
{
    int slot, best = -1;

    for (slot = 0; slot < slots; slot++) {
        if (free_places(&seen[slot]) &&
            !is_avoided(seen, slot, wish, waited_us) &&
            (best < 0 || seen[slot].busy < seen[best].busy)) {
            best = slot;
        }
    }
    return best;
}

int etcl_board_choice_free(const etcl_board_seen_t *seen, int slots)
{
    int slot, places = 0;

    for (slot = 0; slot < slots; slot++) {
        places += free_places(&seen[slot]);
    }
    return places;
}

int etcl_board_choice_alive(const etcl_board_seen_t *seen, int slots)
{
    int slot;

    for (slot = 0; slot < slots; slot++) {
        if (seen[slot].alive) {
            return 1;
        }
    }
    return 0;
}

/* Compares two generations of a group. What follows from it for requests and
 * for lifelines is etcl_succession.c's. */

#include "etcl_standing.h"

static int is_avoided(const etcl_roster_slot_t *slot, int number,
                      const etcl_wish_t *wish)
{
    return wish && number == wish->avoid_slot &&
           slot->incarnation == wish->avoid_incarnation;
}

static void count_worker(etcl_standing_t *standing, int failing)
{
    if (!standing->ready || failing < standing->fewest) {
        standing->fewest = failing;
    }
    if (failing > standing->most) {
        standing->most = failing;
    }
    ++standing->ready;
}

etcl_standing_t etcl_standing_of(const etcl_roster_t *roster, int slots,
                                 const etcl_wish_t *wish, apr_int64_t now_us)
{
    etcl_standing_t standing = { 0 };
    etcl_roster_slot_t slot;
    int i;

    for (i = 0; i < slots; ++i) {
        if (!etcl_roster_read(roster, i, &slot) &&
            etcl_roster_takes(&slot, now_us) && !is_avoided(&slot, i, wish)) {
            count_worker(&standing, (int)slot.failing);
        }
    }
    return standing;
}

int etcl_standing_is_whole(const etcl_standing_t *standing)
{
    return standing->ready && !standing->most;
}

int etcl_standing_takes_over(const etcl_standing_t *next,
                             const etcl_standing_t *old)
{
    return !old->ready || (next->ready && next->most <= old->fewest);
}

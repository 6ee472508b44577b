/* Looks at the slots of a policy, and decides nothing: what is to be done with
 * what was found is etcl_policy.c's. */

#include "etcl_tally.h"

etcl_tally_t etcl_tally_count(const etcl_policy_t *policy)
{
    etcl_tally_t tally = { .free_slot = -1 };
    const etcl_policy_slot_t *slot;
    int i;

    for (i = policy->slots - 1; i >= 0; i--) {
        slot = &policy->slot[i];
        tally.alive += slot->state != ETCL_WORKER_NONE;
        tally.starting += slot->state == ETCL_WORKER_STARTING;
        tally.ready += slot->state == ETCL_WORKER_READY;
        tally.stale += slot->state == ETCL_WORKER_READY && slot->stale;
        tally.outdated += slot->state == ETCL_WORKER_READY && slot->outdated;
        if (slot->state == ETCL_WORKER_NONE) {
            tally.free_slot = i;
        }
    }
    return tally;
}

static int is_overdue(const etcl_policy_slot_t *slot, apr_int64_t now_us)
{
    return (slot->state == ETCL_WORKER_RETIRING ||
            slot->state == ETCL_WORKER_STARTING) &&
           slot->until_us && now_us >= slot->until_us;
}

/* A worker that is still loading old code is of no use to anybody. */
static int is_useless(const etcl_policy_t *policy,
                      const etcl_policy_slot_t *slot)
{
    int live =
        slot->state == ETCL_WORKER_STARTING || slot->state == ETCL_WORKER_READY;

    return live && (policy->ending || slot->unwanted ||
                    (slot->stale && slot->state == ETCL_WORKER_STARTING));
}

int etcl_tally_useless(const etcl_policy_t *policy)
{
    int i;

    for (i = 0; i < policy->slots; i++) {
        if (is_useless(policy, &policy->slot[i])) {
            return i;
        }
    }
    return -1;
}

int etcl_tally_overdue(const etcl_policy_t *policy, apr_int64_t now_us)
{
    int i;

    for (i = 0; i < policy->slots; i++) {
        if (is_overdue(&policy->slot[i], now_us)) {
            return i;
        }
    }
    return -1;
}

static int goes_before(const etcl_policy_slot_t *a, const etcl_policy_slot_t *b)
{
    return a->outdated != b->outdated ? a->outdated : a->since_us < b->since_us;
}

int etcl_tally_stale(const etcl_policy_t *policy)
{
    const etcl_policy_slot_t *slot;
    int i, found = -1;

    for (i = 0; i < policy->slots; i++) {
        slot = &policy->slot[i];
        if (slot->state == ETCL_WORKER_READY && slot->stale &&
            (found < 0 || goes_before(slot, &policy->slot[found]))) {
            found = i;
        }
    }
    return found;
}

int etcl_tally_best(const etcl_policy_t *policy)
{
    const etcl_policy_slot_t *slot;
    int i, best = -1;

    for (i = 0; i < policy->slots; i++) {
        slot = &policy->slot[i];
        if (slot->state == ETCL_WORKER_READY && !slot->unwanted &&
            (best < 0 || slot->failing < best)) {
            best = slot->failing;
        }
    }
    return best;
}

apr_int64_t etcl_tally_sooner(apr_int64_t a_us, apr_int64_t b_us)
{
    return !a_us || (b_us && b_us < a_us) ? b_us : a_us;
}

apr_int64_t etcl_tally_until_us(const etcl_policy_t *policy)
{
    const etcl_policy_slot_t *slot;
    apr_int64_t until_us = 0;
    int i;

    for (i = 0; i < policy->slots; i++) {
        slot = &policy->slot[i];
        if (slot->state == ETCL_WORKER_RETIRING ||
            slot->state == ETCL_WORKER_STARTING) {
            until_us = etcl_tally_sooner(until_us, slot->until_us);
        }
    }
    return until_us;
}

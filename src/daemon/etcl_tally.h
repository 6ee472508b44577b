/* What the workers of a policy are at a moment: counted, and those found that
 * concern the next decision. */

#ifndef ETCL_TALLY_H
#define ETCL_TALLY_H

#include "etcl_policy.h"

typedef struct {
    int starting;  /* with new code */
    int ready;     /* serving, old and new */
    int stale;     /* of these: to be replaced */
    int outdated;  /* of these: their code has changed */
    int alive;     /* anything that has not ended */
    int free_slot; /* or -1 */
} etcl_tally_t;

etcl_tally_t etcl_tally_count(const etcl_policy_t *policy);

/* Slots, or -1. */

/** The first worker whose time is over. */
int etcl_tally_overdue(const etcl_policy_t *policy, apr_int64_t now_us);

/** The first worker that must go whatever the others do. */
int etcl_tally_useless(const etcl_policy_t *policy);

/** Of the workers to be replaced, the one that has served longest; before it
 *  those whose code is old. */
int etcl_tally_stale(const etcl_policy_t *policy);

/** The fewest scripts that fail in a worker that serves; -1: nobody serves. */
int etcl_tally_best(const etcl_policy_t *policy);

/** When the next worker's time is over; 0: never. */
apr_int64_t etcl_tally_until_us(const etcl_policy_t *policy);

/** The sooner of two times, of which 0 is never. */
apr_int64_t etcl_tally_sooner(apr_int64_t a_us, apr_int64_t b_us);

#endif

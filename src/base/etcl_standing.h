/* How well a generation of a group serves, as its roster says: how many of its
 * workers take requests, and how many scripts they could not load. */

#ifndef ETCL_STANDING_H
#define ETCL_STANDING_H

#include "etcl_board.h"

typedef struct {
    int ready;  /* workers that take requests */
    int fewest; /* scripts that the best of them could not load */
    int most;   /* and the worst */
} etcl_standing_t;

/**
 * Look at a roster.
 *
 * Shape    `slots` is the reader's own count; `wish`, or NULL, names a worker
 *          that is not counted, since it did not take a call
 * Context  the roster is hostile: a lie makes this generation look better or
 *          worse than it is, and nothing else
 */
etcl_standing_t etcl_standing_of(const etcl_roster_t *roster, int slots,
                                 const etcl_wish_t *wish, apr_int64_t now_us);

/** Whether every worker that takes requests has loaded everything. */
int etcl_standing_is_whole(const etcl_standing_t *standing);

/** Whether a new generation can take requests over: it serves, and none of its
 *  workers has loaded less than the best of the old ones has; or the old ones
 *  do not serve. */
int etcl_standing_takes_over(const etcl_standing_t *next,
                             const etcl_standing_t *old);

#endif

/* The templates of a supervisor as processes (preload=on), and the workers
 * that they fork, which are children of the supervisor all the same. */

#ifndef ETCL_NURSERY_H
#define ETCL_NURSERY_H

#include "etcl_crew.h"

/** Before the first template: whoever loses its parent comes to us. */
void etcl_nursery_open(void);

/** Fork a template into a free place; failure is logged and backed off. */
void etcl_nursery_load(etcl_crew_t *crew, int place);

/** End a template: workers that it has forked live on. */
void etcl_nursery_drop(etcl_crew_t *crew, int place);

/** Have a template fork a worker; failure is logged and backed off. */
void etcl_nursery_bear(etcl_crew_t *crew, int place, int slot);

/**
 * What a template says of itself.
 *
 * Returns  0: its code is worse than what serves, which stays
 */
int etcl_nursery_hear(etcl_crew_t *crew, int place, const etcl_note_t *note);

/** The first note of such a worker: the kernel says who sent it. */
void etcl_nursery_born(etcl_crew_t *crew, int slot, pid_t pid);

/** A worker that was ordered did not come. */
void etcl_nursery_lost(etcl_crew_t *crew, int slot);

/** Bury templates that have ended, and orphans that nobody else will. */
void etcl_nursery_reap(etcl_crew_t *crew);

#endif

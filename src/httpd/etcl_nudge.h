/* After a graceful restart the MPM looks once for children of the old
 * generation that have ended, and then sleeps for a second before it starts
 * new ones; meanwhile nobody accepts connections. */

#ifndef ETCL_NUDGE_H
#define ETCL_NUDGE_H

#include <apr_pools.h>

/**
 * Wake the MPM from that sleep, again and again until the new generation has a
 * child, for half a second at most. A woken MPM starts new children at once,
 * whether or not old ones still have something to finish.
 *
 * Owns     nothing outlives `pconf`
 * Context  Apache parent, at the end of post_config
 */
void etcl_nudge_start(apr_pool_t *pconf);

#endif

/* From one generation of a group to the next: who serves meanwhile. The old
 * workers do, until the new ones have loaded as much as they have. */

#ifndef ETCL_SUCCESSION_H
#define ETCL_SUCCESSION_H

#include "etcl_live.h"

/**
 * The generation that a request is for: `live`, or the one before it.
 *
 * Shape    `asked` is who was asked last, and `wish` may name a worker of it
 *          that did not take the call; it is forgotten when another generation
 *          is chosen
 * Context  Apache child, any thread
 */
etcl_live_t *etcl_succession_choose(etcl_live_t *live, const etcl_live_t *asked,
                                    etcl_wish_t *wish);

/** Whether it has as many ready workers as it is to have. */
int etcl_succession_is_ready(const etcl_live_t *live);

/** Of all lives, the old one of a group that serves best while a new one
 *  loads: one that is ready, and of these the one that has loaded most; the
 *  newest of equals; or NULL. */
etcl_live_t *etcl_succession_best(etcl_live_t *lives, const char *name);

/** Whether an old generation may end; `next`: the one that took its place, or
 *  NULL. Logs that it serves on when the new code does not load, once.
 *  Context: Apache parent, now and then */
int etcl_succession_is_over(etcl_live_t *old, const etcl_live_t *next);

/** An old generation ends, for whatever reason: says so, if it was said that
 *  it serves on. Context: Apache parent */
void etcl_succession_end(const etcl_live_t *old, const etcl_live_t *next);

#endif

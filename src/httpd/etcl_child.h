/* What an Apache child does for groups: it takes its seats and closes what is
 * the parent's. */

#ifndef ETCL_CHILD_H
#define ETCL_CHILD_H

#include "etcl_live.h"

#include <ap_mpm.h>

/** Hook child_init. */
void etcl_child_init(apr_pool_t *pchild, server_rec *server);

/** Hook child_status, in the parent: give back what a dead child held. */
void etcl_child_ended(server_rec *server, pid_t pid, ap_generation_t gen,
                      int slot, mpm_child_status state);

#endif

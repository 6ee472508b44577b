/* What the Apache parent does for groups: starts them, keeps their
 * supervisors running, hands over from one generation to the next, and ends
 * everything. */

#ifndef ETCL_PARENT_H
#define ETCL_PARENT_H

#include "etcl_live.h"

/** Hook pre_config, after etcl_config_begin: take back what the generation
 *  before left. */
int etcl_parent_take_over(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp);

/** Hook post_config: start the groups of this generation. */
int etcl_parent_start(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *server);

/** Hook monitor: let old generations go when the new one is ready. */
int etcl_parent_monitor(apr_pool_t *pool, server_rec *server);

/** All lives, newest first; also for an Apache child, by inheritance. */
etcl_live_t *etcl_parent_lives(void);

/** Whether this process is the parent, or all there is (httpd -X). */
int etcl_parent_is_here(void);

/** The parent's pid. */
pid_t etcl_parent_pid(void);

#endif

/* The scripts of groups, known before any request. */

#ifndef ETCL_SCRIPTS_H
#define ETCL_SCRIPTS_H

#include "etcl_config.h"

/**
 * What the aliases of all servers run in groups; counts the scripts of each.
 *
 * Owns     in `pool`; its elements are this room's
 */
apr_array_header_t *etcl_scripts_known(server_rec *main_server,
                                       apr_pool_t *pool);

/**
 * Put what a group loads ahead, and what its warm-up= asks, into it.
 *
 * known    of etcl_scripts_known
 * Returns  NULL, or what is wrong
 */
const char *etcl_scripts_resolve(etcl_member_t *member,
                                 const apr_array_header_t *known,
                                 apr_pool_t *pool);

#endif

/* Daemon process groups: defined by directives, resolved when the whole
 * configuration has been read, found by requests. */

#ifndef ETCL_GROUPS_H
#define ETCL_GROUPS_H

#include "etcl_config.h"

/**
 * Add a definition. A definition like an earlier one of the same name is that
 * group again: tools that copy virtual hosts do this.
 *
 * Returns  NULL, or what is wrong: both places and the option that differs
 */
const char *etcl_groups_add(cmd_parms *cmd, etcl_member_t *member);

/** The group of this name, or NULL. */
etcl_member_t *etcl_groups_find(const char *name);

/** Whether requests of `server` may use the group: it was defined in the main
 *  server, in this virtual host, or in one of the same ServerName. */
int etcl_groups_is_visible(const etcl_member_t *member,
                           const server_rec *server);

/** A path as the group's processes see it: without the folder of chroot=.
 *  NULL when it is not in there. */
const char *etcl_groups_path(const etcl_member_t *member, const char *path);

/** The group that an alias of a server runs in, as far as the configuration
 *  tells without a request; or NULL. */
etcl_member_t *etcl_groups_of_alias(const etcl_alias_t *alias,
                                    server_rec *server, apr_pool_t *pool);

/**
 * Look up accounts and the runtime, and collect the scripts to load ahead.
 *
 * Returns  APR_SUCCESS, or APR_EGENERAL: what is wrong was logged
 * Context  Apache parent, all directives read; again is the same
 */
apr_status_t etcl_groups_resolve(server_rec *main_server, apr_pool_t *pool);

#endif

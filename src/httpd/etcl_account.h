/* Accounts of the operating system, for daemon process groups. */

#ifndef ETCL_ACCOUNT_H
#define ETCL_ACCOUNT_H

#include "etcl_group.h"

/**
 * Fill in uid, gid, gids, user_name, user_home, peer_uid and work_dir of a
 * group from its options and from httpd's User and Group.
 *
 * Returns  NULL, or what is wrong and what to do
 */
const char *etcl_account_resolve(etcl_group_t *group, apr_pool_t *pool);

/** The uid that the group's sockets belong to. */
apr_int64_t etcl_account_socket_owner(const etcl_group_t *group);

#endif

/* Becoming the user that a group runs as, for good. */

#ifndef ETCL_IDENTITY_H
#define ETCL_IDENTITY_H

#include "etcl_group.h"

/**
 * Take the group's user, group and supplementary groups, and prove it: what
 * the kernel says is compared, and the way back to root must be closed. Then
 * no program that is started can gain privileges, and no other process of
 * the same user can look into this one.
 *
 * Context  before anything of the group is touched; one thread
 * Returns  APR_SUCCESS, or APR_EGENERAL: it is logged; the process must end
 */
apr_status_t etcl_identity_take(const etcl_group_t *group);

#endif

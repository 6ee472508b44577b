/* Whether an account can read a path, and what stops it. */

#ifndef ETCL_REACH_H
#define ETCL_REACH_H

#include "etcl_group.h"

/**
 * Walk a path as the account of a group would, by mode bits.
 *
 * Returns  NULL, or a sentence that names the first component that is missing
 *          or that the account may not enter or read; *missing tells which
 * Context  Apache parent; access control lists are not looked at
 */
const char *etcl_reach_blocked(const etcl_group_t *group, const char *path,
                               apr_pool_t *pool, int *missing);

#endif

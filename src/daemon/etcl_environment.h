/* Where and how a group's processes run: root directory, priority, umask,
 * folder, environment variables, locale, limits. */

#ifndef ETCL_ENVIRONMENT_H
#define ETCL_ENVIRONMENT_H

#include "etcl_group.h"

/**
 * What only root may do: chroot and priority.
 *
 * Context  supervisor, before the group's identity is taken
 * Returns  APR_SUCCESS, or APR_EGENERAL: it is logged
 */
apr_status_t etcl_environment_enter(const etcl_group_t *group);

/**
 * What the group's user may do: umask, working directory, environment
 * variables, locale. A locale that is not installed is a warning.
 *
 * Context  supervisor, as the group's user
 * Returns  APR_SUCCESS, or APR_EGENERAL: it is logged
 */
apr_status_t etcl_environment_settle(const etcl_group_t *group,
                                     apr_pool_t *pool);

/** Limits of memory, before any of it is taken: of workers, and of templates,
 *  whose memory is theirs. Failures are warnings. */
void etcl_environment_limit_memory(const etcl_group_t *group);

/** The limit of CPU time: of workers only. A template loads and forks for all
 *  of them, and nobody replaces it for that. */
void etcl_environment_limit_time(const etcl_group_t *group);

/** Whether the locale in force is C or POSIX, so that Python needs UTF-8. */
int etcl_environment_is_plain(void);

#endif

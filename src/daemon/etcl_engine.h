/* The runtime of a group: the shared object that holds CPython. */

#ifndef ETCL_ENGINE_H
#define ETCL_ENGINE_H

#include "etcl_group.h"
#include "etcl_runtime.h"

/**
 * Load the group's runtime into this process; again it is the same.
 *
 * Context  worker; with chroot= also the supervisor before it, since the file
 *          lies outside of the new root
 * Returns  its table, or NULL: it is logged
 */
const etcl_runtime_t *etcl_engine_open(const etcl_group_t *group);

/** What the runtime is told of the group; the callbacks are the caller's. */
void etcl_engine_configure(const etcl_group_t *group,
                           etcl_runtime_config_t *out);

#endif

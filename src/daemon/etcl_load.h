/* Python and the applications of a group, in a worker or in a template. */

#ifndef ETCL_LOAD_H
#define ETCL_LOAD_H

#include "etcl_group.h"
#include "etcl_runtime.h"

#include <stdatomic.h>

/**
 * Where to tell the supervisor what was loaded, and where to keep that some
 * script was. In a fork both are others: what was loaded is loaded there.
 *
 * Owns     `loaded` is borrowed for the life of the process
 */
void etcl_load_tell(int control_fd, atomic_int *loaded);

/**
 * Start Python; `forks`: to be forked later.
 *
 * Returns  NULL: it is logged, and the supervisor told
 */
const etcl_runtime_t *etcl_load_python(const etcl_group_t *group, int forks);

/**
 * Load every known script. Each that does not load is told by the runtime.
 *
 * Returns  how many these are
 */
int etcl_load_scripts(const etcl_group_t *group, const etcl_runtime_t *runtime);

#endif

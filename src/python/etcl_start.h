/* Python's start: checked first, configured, never aborting the process. */

#ifndef ETCL_START_H
#define ETCL_START_H

#include "etcl_runtime.h"

/** See etcl_runtime_t.start. */
apr_status_t etcl_start_python(const etcl_runtime_config_t *config,
                               apr_pool_t *pool, const char **why);

/** As given to etcl_start_python. */
const etcl_runtime_config_t *etcl_start_config(void);

#endif

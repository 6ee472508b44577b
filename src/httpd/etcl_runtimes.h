/* The installed runtimes: etcl/cpython-X.Y.so beside the module. */

#ifndef ETCL_RUNTIMES_H
#define ETCL_RUNTIMES_H

#include "etcl_config.h"

/** The folder `etcl` beside the module, or NULL. */
const char *etcl_runtimes_folder(apr_pool_t *pool);

/**
 * Choose a runtime: the version of the virtual environment or installation
 * `home`, else of a component lib/pythonX.Y of `path`, else the default one.
 *
 * Returns  NULL with *runtime, a path; or which version is wanted, which are
 *          installed, and what to install
 */
const char *etcl_runtimes_choose(const char *home, const char *path,
                                 apr_pool_t *pool, const char **runtime);

/**
 * Whether a path is of another version than the runtime.
 *
 * Returns  NULL, or that version
 */
const char *etcl_runtimes_mismatch(const char *path, const char *runtime,
                                   apr_pool_t *pool);

/** "3.11" of a runtime's path. */
const char *etcl_runtimes_version(const char *runtime, apr_pool_t *pool);

/**
 * The folder of a Python that `text` means: it may also be the path of its
 * bin/python or of its site-packages.
 */
const char *etcl_runtimes_home(const char *text, apr_pool_t *pool);

#endif

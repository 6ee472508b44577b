/* What `python-home` means, checked before Python is started with it: a wrong
 * one would end the process ("No module named 'encodings'"). */

#ifndef ETCL_HOME_H
#define ETCL_HOME_H

#include "etcl.h"

typedef struct {
    const char *program; /* for PyConfig.program_name */
    const char *prefix;  /* for PyConfig.home; NULL with a venv */
} etcl_home_t;

/**
 * Resolve python-home. A virtual environment may be named by its folder, its
 * bin/python or its site-packages; any other folder is the prefix of an
 * installation; NULL is the installation this runtime was built for.
 *
 * Returns  APR_SUCCESS, or APR_EGENERAL with `*why` (in `pool`)
 */
apr_status_t etcl_home_resolve(const char *python_home, apr_pool_t *pool,
                               etcl_home_t *out, const char **why);

#endif

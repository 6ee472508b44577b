/* What an interpreter begins with: its options, and the environment of the
 * process as it was before any application changed it. */

#ifndef ETCL_ORIGIN_H
#define ETCL_ORIGIN_H

#include "etcl_interp.h"

/** Remember the environment and the time; before Python starts. */
apr_status_t etcl_origin_take(apr_pool_t *pool);

/** The process begins now: it is a fork of the one that remembered. */
void etcl_origin_begin(void);

/** The dict `config` of the Python files: new, or NULL with the error set. */
PyObject *etcl_origin_describe(etcl_interp_t *interp);

#endif

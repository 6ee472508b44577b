/* A template: a process that loads applications in order to be forked. */

#ifndef ETCL_PRELOAD_H
#define ETCL_PRELOAD_H

#include "etcl_python.h"

#include <apr_errno.h>
#include <sys/types.h>

/** etcl_runtime_t.settle */
apr_status_t etcl_preload_settle(void);

/** etcl_runtime_t.fork */
pid_t etcl_preload_fork(void (*born)(void *), void *data);

/** Functions for preload.py. */
extern PyMethodDef etcl_preload_methods[];

#endif

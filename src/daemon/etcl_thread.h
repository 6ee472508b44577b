/* Threads of a worker that nobody waits for. */

#ifndef ETCL_THREAD_H
#define ETCL_THREAD_H

#include "etcl.h"

/* Enough for a thread that never runs Python. */
#define ETCL_THREAD_SMALL 262144

/**
 * Start a detached thread.
 *
 * Units    `stack_len` bytes, at least what the system wants; 0: its default
 * Returns  APR_SUCCESS or errno
 */
apr_status_t etcl_thread_start(void *(*run)(void *), void *data,
                               apr_int64_t stack_len);

#endif

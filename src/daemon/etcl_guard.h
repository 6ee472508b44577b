/* Watches over the limits of a worker: looks at what its threads do, asks
 * etcl_limits.c what is due, and does what concerns a single request. */

#ifndef ETCL_GUARD_H
#define ETCL_GUARD_H

#include "etcl_limits.h"
#include "etcl_serve.h"

/** The worker serves from now on. */
void etcl_guard_start(etcl_service_t *service, apr_int64_t now_us);

/** SIGXCPU has come. Async-signal-safe. */
void etcl_guard_cpu_spent(void);

/**
 * End every call that runs, as far as Apache is concerned: with `status`, or
 * with 0 by breaking off, as if the process had died.
 *
 * Context  any thread that runs no call, after etcl_guard_start
 */
void etcl_guard_cut(int status);

/**
 * Look, and do what is due to requests.
 *
 * Context  the heart's thread, after etcl_guard_start
 * Returns  NOTHING until a time, or RENEW, once, or END: for the caller
 */
etcl_due_t etcl_guard_look(int ending, apr_int64_t now_us);

#endif

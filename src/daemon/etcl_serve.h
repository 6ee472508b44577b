/* A request thread: takes calls from links and has them answered. */

#ifndef ETCL_SERVE_H
#define ETCL_SERVE_H

#include "etcl_duty.h"
#include "etcl_ledger.h"
#include "etcl_runtime.h"
#include "etcl_worker.h"

#include <stdatomic.h>

/* What all request threads of a worker share. */
typedef struct {
    const etcl_worker_t *worker;
    const etcl_runtime_t *runtime;
    apr_uint32_t incarnation; /* of this worker in its slot */
    etcl_park_t park;
    etcl_ledger_t *ledger; /* one line for each of `duties`; or NULL */
    etcl_duty_t *duties;   /* of duty_count request threads, duty_max at most */
    int duty_max;
    int warms_up; /* the first request thread begins with etcl_warm.h */
    atomic_int duty_count;
    _Atomic apr_int64_t active_us;  /* the last request that counts ended */
    _Atomic apr_int64_t loading_us; /* the first request began */
    _Atomic apr_uint64_t kept;      /* scripts told of as not reloaded */
    atomic_int loaded;              /* some script has loaded */
    _Atomic apr_uint64_t answered;  /* calls, as far as they are counted */
    _Atomic apr_uint64_t wake_at;   /* so many concern the heart; 0 none */
} etcl_service_t;

/**
 * Start the request threads.
 *
 * Owns     `service` is borrowed for the life of the process
 * Returns  APR_SUCCESS, or errno: some may have been started
 */
apr_status_t etcl_serve_start(etcl_service_t *service);

/**
 * One more request thread, for one that was given up.
 *
 * Returns  APR_SUCCESS, APR_ENOMEM: there are twice as many as were wanted,
 *          or errno
 */
apr_status_t etcl_serve_add(etcl_service_t *service);

#endif

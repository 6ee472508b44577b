/* A request thread: takes calls from links and has them answered. */

#ifndef ETCL_SERVE_H
#define ETCL_SERVE_H

#include "etcl_park.h"
#include "etcl_runtime.h"
#include "etcl_worker.h"

/* What all request threads of a worker share. */
typedef struct {
    const etcl_worker_t *worker;
    const etcl_runtime_t *runtime;
    apr_uint32_t incarnation; /* of this worker in its slot */
    etcl_park_t park;
} etcl_service_t;

/**
 * Start the request threads.
 *
 * Owns     `service` is borrowed for the life of the process
 * Returns  APR_SUCCESS, or errno: some may have been started
 */
apr_status_t etcl_serve_start(etcl_service_t *service);

#endif

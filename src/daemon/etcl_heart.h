/* The thread of a worker that never waits for Python: it beats, hears what the
 * supervisor and signals say, watches over limits, and ends the process when
 * Python does not. */

#ifndef ETCL_HEART_H
#define ETCL_HEART_H

#include "etcl_serve.h"

/**
 * Let signals in and start the thread. An order to end ends the process at once
 * until etcl_heart_serve or etcl_ending_service.
 *
 * Owns     `worker` is borrowed for the life of the process
 * Returns  APR_SUCCESS or errno
 */
apr_status_t etcl_heart_start(const etcl_worker_t *worker);

/** From now on the worker serves: an order is for etcl_ending_wait. */
void etcl_heart_serve(etcl_service_t *service);

/** The application has closed descriptors of the worker, which can serve
 *  nobody without them: end the process. Any thread. */
void etcl_heart_robbed(void) __attribute__((noreturn));

/** Have limits looked at now. Any thread. */
void etcl_heart_wake(void);

#endif

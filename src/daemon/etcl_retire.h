/* The end of a worker that has been serving. */

#ifndef ETCL_RETIRE_H
#define ETCL_RETIRE_H

#include "etcl_serve.h"

/**
 * Wait for the order to end, refuse what is not begun, let calls in flight
 * finish, stop Python, and end the process.
 *
 * Context  main thread of a worker
 */
void etcl_retire_run(etcl_service_t *service) __attribute__((noreturn));

#endif

/* The page that a worker asks of itself before it is ready: warm-up=. What an
 * application does only in its first request is then done. */

#ifndef ETCL_WARM_H
#define ETCL_WARM_H

#include "etcl_serve.h"

/* It is waited for so long, and no longer than four fifths of startup-timeout
 * since the worker began. */
#define ETCL_WARM_US 60000000

/**
 * Ask for the page, if there is one and it was not asked for.
 *
 * Context  the first request thread, before its first call: what an
 *          application keeps for a thread is then kept for one that serves
 */
void etcl_warm_ask(etcl_service_t *service);

/**
 * Wait for its answer.
 *
 * Units    `began_us`, when the worker began
 * Returns  1  it was an error, or too late: the application counts as one
 *             that does not load; it is logged
 *          0  else
 * Context  the main thread
 */
int etcl_warm_wait(const etcl_service_t *service, apr_int64_t began_us);

#endif

/* Complete answers that wait for their end. An application that has given all
 * that it promised has close() called, which takes microseconds as a rule; the
 * answer then leaves in one packet with its end. If it takes longer, the
 * answer is sent without. */

#ifndef ETCL_LINGER_H
#define ETCL_LINGER_H

#include "etcl_serve.h"

/* An answer lingers at least so long, and at most twice as long. */
#define ETCL_LINGER_US 5000

/**
 * Start the thread that sends what lingers for too long.
 *
 * Owns     `service` is borrowed for the life of the process
 * Returns  APR_SUCCESS or errno
 */
apr_status_t etcl_linger_start(const etcl_service_t *service);

/** A reply of the service has begun to linger. Costs nothing while others do,
 *  too; before etcl_linger_start it does nothing. */
void etcl_linger_begin(void);

#endif

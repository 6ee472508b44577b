/* The thread of a worker that enters Python in the place of its heart, which
 * must never wait: for probes, interruptions and signals. */

#ifndef ETCL_PROBE_H
#define ETCL_PROBE_H

#include "etcl_duty.h"

/**
 * Start the thread. With `probes` it enters Python once a second.
 *
 * Owns     `runtime` is borrowed for the life of the process
 * Returns  APR_SUCCESS or errno
 */
apr_status_t etcl_probe_start(const etcl_runtime_t *runtime, int probes);

/** Have a call interrupted, or a signal published: as soon as may be. */
void etcl_probe_interrupt(etcl_duty_t *duty, apr_uint64_t serial);
void etcl_probe_signal(int number);

/** Since when the thread has been waiting inside Python; 0: it is not. */
apr_int64_t etcl_probe_entered_us(void);

#endif

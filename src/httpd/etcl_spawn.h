/* Starting etcld with the descriptors of include/etcl_daemon.h. */

#ifndef ETCL_SPAWN_H
#define ETCL_SPAWN_H

#include "etcl_live.h"

/**
 * Fork, and exec etcld after `delay_us` (a back-off that the parent need not
 * wait for).
 *
 * Returns  APR_SUCCESS with live->proc.pid; errno of fork
 * Context  Apache parent
 */
apr_status_t etcl_spawn_supervisor(etcl_live_t *live, apr_int64_t delay_us);

#endif

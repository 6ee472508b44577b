/* How long a worker has to end, by the options of its group. */

#ifndef ETCL_GRACE_H
#define ETCL_GRACE_H

#include "etcl.h"

typedef struct {
    apr_int64_t calls_us; /* for the calls in flight */
    apr_int64_t stop_us;  /* then, for Python to end */
} etcl_grace_t;

/**
 * Units    seconds as configured. graceful 0 gives calls the shutdown time;
 *          shutdown 0 means no limit of its own, which is a minute here.
 *          `hurry`: all of it within the shutdown time.
 */
etcl_grace_t etcl_grace_of(apr_int64_t graceful, apr_int64_t shutdown,
                           int hurry);

#endif

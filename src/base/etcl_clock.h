/* Time, in the only unit there is: monotonic microseconds. */

#ifndef ETCL_CLOCK_H
#define ETCL_CLOCK_H

#include <apr.h>

/** Monotonic time in microseconds; not affected by changes of the date. */
apr_int64_t etcl_clock_us(void);

/** Wall clock in microseconds since the epoch, for log lines and environ. */
apr_int64_t etcl_clock_wall_us(void);

#endif

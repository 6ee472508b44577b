/* The two clocks of the machine in microseconds. Nothing here is cached:
 * clock_gettime() of these clocks is no system call on Linux. */

#include "etcl_clock.h"

#include <time.h>

static apr_int64_t read_clock(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (apr_int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

apr_int64_t etcl_clock_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

apr_int64_t etcl_clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

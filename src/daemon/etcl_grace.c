/* One rule for a supervisor, which tells a worker to end, and for a worker that
 * ends by itself. Neither clock nor process is known here. */

#include "etcl_grace.h"

#define SECOND_US APR_INT64_C(1000000)
#define NO_LIMIT_US (60 * SECOND_US)

etcl_grace_t etcl_grace_of(apr_int64_t graceful, apr_int64_t shutdown,
                           int hurry)
{
    apr_int64_t stop_us = shutdown ? shutdown * SECOND_US : NO_LIMIT_US;
    apr_int64_t last_us = stop_us < 2 * SECOND_US ? stop_us / 2 : SECOND_US;

    if (hurry) {
        return (etcl_grace_t){ stop_us - last_us, last_us };
    }
    return (etcl_grace_t){ graceful ? graceful * SECOND_US : stop_us, stop_us };
}

/* A start costs a second of one CPU or so: once in eight does no harm, and
 * what was mended outside of a script is found soon. */

#include "etcl_backoff.h"

#define SECOND_US APR_INT64_C(1000000)

void etcl_backoff_fail(etcl_backoff_t *backoff, apr_int64_t now_us)
{
    static const int delays[] = { 0, 1, 2, 4, 8 };
    int last = (int)(sizeof(delays) / sizeof(*delays)) - 1;
    int step = backoff->failures < last ? backoff->failures : last;

    backoff->failures++;
    backoff->not_before_us = now_us + delays[step] * SECOND_US;
}

void etcl_backoff_clear(etcl_backoff_t *backoff)
{
    *backoff = (etcl_backoff_t){ 0, 0 };
}

int etcl_backoff_rests(const etcl_backoff_t *backoff, apr_int64_t now_us)
{
    return now_us < backoff->not_before_us;
}

int etcl_backoff_news(const etcl_backoff_t *backoff, int before,
                      apr_int64_t now_us)
{
    apr_int64_t left_us = backoff->not_before_us - now_us;

    return backoff->failures > before && left_us > 0
               ? (int)((left_us + SECOND_US - 1) / SECOND_US)
               : 0;
}

/* Pauses between starts that fail, longer and longer. A pure function. */

#ifndef ETCL_BACKOFF_H
#define ETCL_BACKOFF_H

#include "etcl.h"

typedef struct {
    int failures;              /* starts that failed, in a row */
    apr_int64_t not_before_us; /* no start until then; 0: at once */
} etcl_backoff_t;

/** One more has failed. */
void etcl_backoff_fail(etcl_backoff_t *backoff, apr_int64_t now_us);

/** One has not, or there is reason to hope. */
void etcl_backoff_clear(etcl_backoff_t *backoff);

/** Whether a pause is being made. */
int etcl_backoff_rests(const etcl_backoff_t *backoff, apr_int64_t now_us);

/** How long the pause is that began after `before` failures, in seconds; 0:
 *  there is none. */
int etcl_backoff_news(const etcl_backoff_t *backoff, int before,
                      apr_int64_t now_us);

#endif

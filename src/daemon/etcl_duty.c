/* Two locks, so that somebody who waits for the GIL on a call's behalf keeps
 * the call from ending, but not others from looking at it. */

#include "etcl_duty.h"

void etcl_duty_init(etcl_duty_t *duty, etcl_reply_t *reply)
{
    *duty = (etcl_duty_t){ .reply = reply };
    pthread_mutex_init(&duty->lock, NULL);
    pthread_mutex_init(&duty->hold, NULL);
}

void etcl_duty_begin(etcl_duty_t *duty, const etcl_call_t *call,
                     etcl_line_t *line, apr_int64_t now_us)
{
    pthread_mutex_lock(&duty->lock);
    duty->now = (etcl_limits_thread_t){ ETCL_STAGE_RUNS, now_us };
    duty->serial++;
    duty->call = call;
    duty->line = line;
    pthread_mutex_unlock(&duty->lock);
}

void etcl_duty_end(etcl_duty_t *duty)
{
    pthread_mutex_lock(&duty->hold);
    pthread_mutex_lock(&duty->lock);
    duty->now = (etcl_limits_thread_t){ ETCL_STAGE_IDLE, 0 };
    duty->call = NULL;
    duty->line = NULL;
    pthread_mutex_unlock(&duty->lock);
    pthread_mutex_unlock(&duty->hold);
}

static int still_runs(etcl_duty_t *duty, apr_uint64_t serial)
{
    int runs;

    pthread_mutex_lock(&duty->lock);
    runs = duty->call && duty->serial == serial;
    pthread_mutex_unlock(&duty->lock);
    return runs;
}

void etcl_duty_interrupt(etcl_duty_t *duty, apr_uint64_t serial,
                         const etcl_runtime_t *runtime)
{
    pthread_mutex_lock(&duty->hold);
    if (still_runs(duty, serial)) {
        runtime->interrupt(&duty->reply->base);
    }
    pthread_mutex_unlock(&duty->hold);
}

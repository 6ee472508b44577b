/* What a request thread does, for those who watch over its time: the guard
 * (etcl_guard.c) and the thread that enters Python for it (etcl_probe.c). */

#ifndef ETCL_DUTY_H
#define ETCL_DUTY_H

#include "etcl_limits.h"
#include "etcl_park.h"
#include "etcl_reply.h"
#include "etcl_runtime.h"

#include <pthread.h>

typedef struct {
    pthread_mutex_t lock; /* guards what follows; never held for long */
    etcl_limits_thread_t now;
    apr_uint64_t serial;     /* counts the calls of the thread */
    const etcl_call_t *call; /* NULL: none; lives until etcl_duty_end */
    etcl_line_t *line;
    etcl_reply_t *reply;
    /* Held by who does something to the call that may wait for the GIL: the
     * thread waits for it before it ends the call. Taken before `lock`. */
    pthread_mutex_t hold;
} etcl_duty_t;

void etcl_duty_init(etcl_duty_t *duty, etcl_reply_t *reply);

/** The thread begins a call; `call` and `line` are borrowed until its end. */
void etcl_duty_begin(etcl_duty_t *duty, const etcl_call_t *call,
                     etcl_line_t *line, apr_int64_t now_us);

/** It has ended it. */
void etcl_duty_end(etcl_duty_t *duty);

/**
 * Raise RequestTimeout in call `serial`, if it still runs.
 *
 * Context  not the thread itself; waits for the GIL
 */
void etcl_duty_interrupt(etcl_duty_t *duty, apr_uint64_t serial,
                         const etcl_runtime_t *runtime);

#endif

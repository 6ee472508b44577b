/* The thread of a worker that never waits for Python: it beats, hears what the
 * supervisor and signals say, watches over limits, and ends the process when
 * Python does not. */

#ifndef ETCL_HEART_H
#define ETCL_HEART_H

#include "etcl_note.h"
#include "etcl_serve.h"

/* To end: why, and how long it may take. */
typedef struct {
    etcl_why_t why;
    apr_int64_t calls_until_us; /* calls in flight may run until then */
    apr_int64_t stop_us;        /* then Python has this long */
} etcl_order_t;

/**
 * Let signals in before there is a heart, in a process whose forks will have
 * one: SIGTERM and SIGINT end it, others do nothing. What an application takes
 * over now stays its own.
 */
void etcl_heart_prepare(void);

/**
 * Install the handlers of signals, then let signals in, and start the thread.
 * An order to end ends the process at once until etcl_heart_serve or
 * etcl_heart_service.
 *
 * Owns     `worker` is borrowed for the life of the process
 * Returns  APR_SUCCESS or errno
 */
apr_status_t etcl_heart_start(const etcl_worker_t *worker);

/** From now on the worker serves: orders are for etcl_heart_wait. */
void etcl_heart_serve(etcl_service_t *service);

/** From now on the calling thread runs a service: an order to end is a
 *  SIGTERM for it, whose handler is Python's. */
void etcl_heart_service(void);

/** The application has closed descriptors of the worker, which can serve
 *  nobody without them: end the process. Any thread. */
void etcl_heart_robbed(void) __attribute__((noreturn));

/** Have limits looked at now. Any thread. */
void etcl_heart_wake(void);

/** Wait for the order to end. */
void etcl_heart_wait(void);

/** The order as it is by now: it may become more urgent. */
etcl_order_t etcl_heart_order(void);

/** Python is being stopped, which may take its time within the order: the
 *  process is ended when it is over. */
void etcl_heart_stopping(void);

#endif

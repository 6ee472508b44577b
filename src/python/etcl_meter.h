/* What a request takes: time, bytes, CPU, waits for the GIL. Measured only
 * when somebody asked for events or metrics; else it costs one comparison. */

#ifndef ETCL_METER_H
#define ETCL_METER_H

#include "etcl_python.h"

#include <apr.h>

/* X(name): the stretches of a request, in mod_wsgi's names. */
#define ETCL_METER_PHASES(X)                                                   \
    X(server)                                                                  \
    X(queue)                                                                   \
    X(daemon)                                                                  \
    X(application)                                                             \
    X(request)                                                                 \
    X(input_read)                                                              \
    X(output_write)                                                            \
    X(gil_wait)

/* Of one turn. Times are microseconds. */
typedef struct {
    int on;               /* the rest is kept, but for start_us */
    apr_int64_t start_us; /* wall clock: the application is called */
    apr_int64_t end_us;   /* wall clock: it is done */
    apr_int64_t input_us;
    apr_int64_t output_us;
    apr_int64_t gate_us; /* waiting for the GIL */
    apr_int64_t user_us; /* CPU of the thread: until it ends, when it began */
    apr_int64_t system_us;
    int reads; /* of the exchange */
    int writes;
    int gates;
} etcl_meter_t;

struct etcl_turn_t;

/** Begin, when `on`; the gate took `gate_us`. */
void etcl_meter_begin(etcl_meter_t *meter, int on, apr_int64_t gate_us);

/**
 * The application is done: CPU time becomes that of the turn, and the turn
 * counts in the metrics, when these are recorded.
 */
void etcl_meter_end(struct etcl_turn_t *turn, int status);

/** What was recorded is another process's: a fork of it begins anew. */
void etcl_meter_begin_process(void);

/** Whether metrics are recorded. Any thread. */
int etcl_meter_recording(void);

/** Functions for metrics.py. */
extern PyMethodDef etcl_meter_methods[];

#endif

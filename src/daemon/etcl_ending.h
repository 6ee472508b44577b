/* How long a worker has to end: the order, whoever gives it, and the time at
 * which the process is ended whatever it does. One for a process. */

#ifndef ETCL_ENDING_H
#define ETCL_ENDING_H

#include "etcl_group.h"
#include "etcl_note.h"

/* An order to end. */
typedef struct {
    etcl_why_t why;
    apr_int64_t calls_until_us; /* calls in flight may run until then */
    apr_int64_t stop_us;        /* then Python has this long */
} etcl_ending_t;

/** No order yet. `options` is borrowed for the life of the process. */
void etcl_ending_open(const etcl_group_options_t *options);

/** From now on there are calls to finish; until then an order ends the process
 *  at once. */
void etcl_ending_serve(void);

/** From now on the calling thread runs a service: an order to end is a
 *  SIGTERM for it, whose handler is Python's. */
void etcl_ending_service(void);

/** Give the order; of two the more urgent holds. Any thread. */
void etcl_ending_give(const etcl_ending_t *order);

/** The same with the time that the group's options give; with `hurry` all of
 *  it within shutdown-timeout. */
void etcl_ending_begin(etcl_why_t why, int hurry);

int etcl_ending_is_given(void);

/** Wait until it is given. */
void etcl_ending_wait(void);

/** The order as it is by now: it may become more urgent. */
etcl_ending_t etcl_ending_get(void);

/** Python is being stopped, which may take its time within the order: the
 *  process is ended when it is over. */
void etcl_ending_stopping(void);

/** When the process is to be ended; 0: not yet known. */
apr_int64_t etcl_ending_until_us(void);

#endif

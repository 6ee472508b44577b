/* A turn: one request on its way through Python. A thread has one turn after
 * another in the same memory. Python objects of a request (wsgi.input,
 * start_response, write) point to it only while it lasts. */

#ifndef ETCL_TURN_H
#define ETCL_TURN_H

#include "etcl_python.h"
#include "etcl_call.h"
#include "etcl_buffer.h"
#include "etcl_exchange.h"
#include "etcl_meter.h"

#include <pthread.h>

struct etcl_seat_t;

#define ETCL_TURN_STREAMS 2 /* unfinished lines: fd 1, fd 2 */

/* What start_response() said, and how much of the answer was given away. */
typedef struct {
    int status;             /* 0: start_response was not called yet */
    etcl_span_t reason;     /* in `line` */
    PyObject *line;         /* the status as the application gave it */
    etcl_header_t *headers; /* malloc'ed; spans into `held` */
    PyObject **held;        /* malloc'ed; two str for each header */
    apr_size_t count;
    apr_size_t size;      /* allocated; one more than may be in use */
    apr_int64_t promised; /* Content-Length, or -1 */
    apr_int64_t sent;     /* bytes of body given to the exchange */
    int begun;            /* the head was given to the exchange */
    int opened;           /* bytes may have left */
    int cut;              /* a block was cut at Content-Length */
    char length[24];      /* text of a Content-Length of ours */
} etcl_response_t;

/* Whether RequestTimeout was raised in the turn; with the GIL. */
typedef enum {
    ETCL_TURN_CALM,
    ETCL_TURN_INTERRUPTED, /* it is on its way, or came */
    ETCL_TURN_LATE         /* the application is done: not any more */
} etcl_turn_state_t;

typedef struct etcl_turn_t {
    const etcl_call_t *call;
    etcl_exchange_t *x;       /* NULL between requests */
    struct etcl_seat_t *seat; /* of the thread in its interpreter */
    struct etcl_turn_t *next; /* that runs in the same interpreter */
    struct etcl_turn_t **at;  /* what points to this one */
    etcl_span_t callable;     /* name of what is called */
    PyObject *data;           /* request_data(); NULL until asked for */
    etcl_turn_state_t state;
    etcl_meter_t meter;
    pthread_mutex_t guard; /* held by the one user of `x` */
    unsigned int serial;   /* counts the turns of the thread */
    unsigned int forks;    /* etcl_fork_count() when it began */
    apr_status_t broken;   /* first error of `x`; then it is let alone */
    apr_int64_t taken;     /* bytes of the request body so far */
    int is_head;           /* the answer has no body */
    etcl_response_t response;
    etcl_buffer_t lines[ETCL_TURN_STREAMS];
} etcl_turn_t;

/** Once per thread. */
void etcl_turn_init(etcl_turn_t *turn);

/** GIL held. */
void etcl_turn_begin(etcl_turn_t *turn, const etcl_call_t *call,
                     etcl_exchange_t *x, struct etcl_seat_t *seat);

/**
 * The answer is complete: unfinished lines are written, and the objects of
 * the request are told that it is over.
 *
 * Context  GIL held; waits, without it, for a thread of the application that
 *          is still inside the exchange.
 */
void etcl_turn_end(etcl_turn_t *turn);

/** A variable of the turn by its id; "" when it has none. */
etcl_span_t etcl_turn_value(const etcl_turn_t *turn, unsigned int id);

/** Whether the turn lasts, in this process: not in a forked copy of it. */
int etcl_turn_is_mine(const etcl_turn_t *turn);

/**
 * Go on after code of the application ran; a forked copy ends here.
 */
void etcl_turn_check_fork(const etcl_turn_t *turn);

#endif

/* What the bridge keeps for each OS thread: its number, its turn, and a seat
 * in each interpreter it has been in. A new PyThreadState for each request
 * would cost 10 µs and the application's thread locals. */

#ifndef ETCL_THREADS_H
#define ETCL_THREADS_H

#include "etcl_environ.h"
#include "etcl_interp.h"
#include "etcl_turn.h"

/* A thread's place in one interpreter. */
typedef struct etcl_seat_t {
    struct etcl_seat_t *next;
    etcl_interp_t *interp;
    PyThreadState *state;
    int thread_id;        /* mod_wsgi.thread_id; 0 is the thread that started */
    apr_int64_t *busy_us; /* of the thread: time in applications */
    etcl_environ_t environ;
    PyObject *input;    /* for the next request; NULL: the last one kept it */
    PyObject *start;    /* likewise: start_response */
    PyObject *write;    /* likewise */
    PyObject *presence; /* likewise: etcl.client_disconnected */
} etcl_seat_t;

/** Before anything else of this room. */
void etcl_threads_init(void);

/**
 * Give the calling thread a seat that has a thread state already.
 *
 * Returns  NULL: no memory
 */
etcl_seat_t *etcl_threads_adopt(etcl_interp_t *interp, PyThreadState *state);

/**
 * Enter an interpreter through the gate.
 *
 * Context  without the GIL; holds it on return.
 * Returns  NULL: no memory, and the GIL is not held
 */
etcl_seat_t *etcl_threads_enter(etcl_interp_t *interp);

/**
 * The seat that the calling thread took last; NULL: it never took any.
 *
 * Context  the handler of a signal that ends the process
 */
const etcl_seat_t *etcl_threads_crashed(void);

/** The memory of the calling thread's turns; NULL: no memory. */
etcl_turn_t *etcl_threads_turn(void);

/** Whether the turn lasts and belongs to the calling thread, or NULL. */
etcl_turn_t *etcl_threads_current(void);

/** Tell which exchange the calling thread serves, and where; NULL: none. */
void etcl_threads_serve(etcl_exchange_t *x, etcl_interp_t *interp);

/* A turn that somebody else looks at: it may be over by now. */
typedef struct {
    etcl_turn_t *turn;
    etcl_interp_t *interp;
    unsigned int serial;  /* of the turn when it was found */
    unsigned long thread; /* as CPython identifies it */
} etcl_sight_t;

/**
 * Find the turn that serves `x`.
 *
 * Owns     the memory of a turn stays for ever; use it with the GIL of
 *          `interp`, and only while its serial is the same.
 * Returns  0: nobody serves it
 */
int etcl_threads_find(const etcl_exchange_t *x, etcl_sight_t *out);

/* What a thread has done. */
typedef struct {
    int thread_id;
    unsigned int turns;
    apr_int64_t busy_us;
    apr_int64_t since_us; /* wall clock; 0: it does nothing now */
} etcl_load_t;

/** What each living thread has done; returns how many, at most `max`. */
int etcl_threads_loads(etcl_load_t *out, int max);

/** How many threads serve an exchange now. */
int etcl_threads_busy(void);

/**
 * Send `signal` to the thread that serves `x`, or to any for NULL.
 *
 * Returns  0: no thread serves it
 */
int etcl_threads_kill(const etcl_exchange_t *x, int signal);

#endif

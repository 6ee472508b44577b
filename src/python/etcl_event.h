/* Events of requests for those who subscribed to them, in their interpreter.
 * Without subscribers each costs the look at an empty list. */

#ifndef ETCL_EVENT_H
#define ETCL_EVENT_H

#include "etcl_threads.h"

/** Whether anybody subscribed, in the interpreter of the turn, and it is a
 *  request. */
static inline int etcl_event_wanted(const etcl_turn_t *turn)
{
    return PyList_GET_SIZE(turn->seat->interp->tools.event_callbacks) > 0 &&
           !(turn->call->flags & ETCL_CALL_WARM_UP);
}

/**
 * request_started.
 *
 * Returns  the application to call, which a subscriber may have replaced: a
 *          new reference; NULL with the Python error set
 */
PyObject *etcl_event_start(etcl_turn_t *turn, PyObject *application,
                           PyObject *environ);

/** response_started; -1 with the Python error set: the time is up. */
int etcl_event_response(etcl_turn_t *turn, PyObject *status, PyObject *headers,
                        PyObject *info);

/** request_exception; keeps the Python error indicator clear. */
void etcl_event_exception(etcl_turn_t *turn, PyObject *error);

/** request_finished; likewise. */
void etcl_event_finish(etcl_turn_t *turn, int status);

/** Functions for module.py. */
extern PyMethodDef etcl_event_methods[];

#endif

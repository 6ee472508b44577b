/* wsgi.input: the body of the request, pulled as the application reads. */

#ifndef ETCL_INPUT_H
#define ETCL_INPUT_H

#include "etcl_turn.h"

struct etcl_seat_t;

/** The type mod_wsgi.Input, new; NULL with the Python error set. */
PyObject *etcl_input_type(void);

/**
 * The input of a turn.
 *
 * Returns  a new reference, or NULL with the Python error set
 */
PyObject *etcl_input_make(etcl_turn_t *turn);

/** The request is over: from now on every use raises RuntimeError. */
void etcl_input_detach(struct etcl_seat_t *seat);

#endif

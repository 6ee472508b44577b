/* start_response() and the write() that it returns. */

#ifndef ETCL_STARTER_H
#define ETCL_STARTER_H

#include "etcl_turn.h"

struct etcl_interp_t;
struct etcl_seat_t;

/** Make the types of start_response and write; -1 with the error set. */
int etcl_starter_types(struct etcl_interp_t *interp);

/** start_response of a turn: a new reference, or NULL with the error set. */
PyObject *etcl_starter_make(etcl_turn_t *turn);

/** The request is over: start_response and write raise from now on. */
void etcl_starter_detach(struct etcl_seat_t *seat);

#endif

/* environ['etcl.client_disconnected']: a callable that says whether the client
 * has gone. */

#ifndef ETCL_PRESENCE_H
#define ETCL_PRESENCE_H

#include "etcl_turn.h"

/** Its type. New reference, or NULL with the Python error set. GIL held. */
PyObject *etcl_presence_type(void);

/** The callable of a turn. New reference, or NULL with the Python error set.
 *  GIL held. */
PyObject *etcl_presence_make(etcl_turn_t *turn);

/** The turn is over: whoever kept the callable is told so. GIL held. */
void etcl_presence_detach(struct etcl_seat_t *seat);

#endif

/* The gate in front of the GIL: requests enter Python first come, first
 * served. Only the head of the queue waits for the GIL; the others sleep. */

#ifndef ETCL_GATE_H
#define ETCL_GATE_H

#include "etcl_python.h"

/**
 * Take the GIL for `state`, in turn.
 *
 * Context  without the GIL; blocks.
 */
void etcl_gate_enter(PyThreadState *state);

#endif

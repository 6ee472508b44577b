/* The gate in front of the GIL: requests enter Python first come, first
 * served. Only the first few of the queue wait for the GIL, the others
 * sleep. */

#ifndef ETCL_GATE_H
#define ETCL_GATE_H

#include "etcl_python.h"

typedef struct etcl_gate_t etcl_gate_t;

/** The gate of the main interpreter's GIL. */
etcl_gate_t *etcl_gate_shared(void);

/** A gate for an interpreter with a GIL of its own; NULL: no memory. */
etcl_gate_t *etcl_gate_create(void);

/**
 * Take the GIL for `state`, in turn.
 *
 * Context  without the GIL; blocks.
 */
void etcl_gate_enter(etcl_gate_t *gate, PyThreadState *state);

#endif

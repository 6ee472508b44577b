/* Where text of the application goes: sys.stdout, sys.stderr, wsgi.errors.
 * During a request the calling thread's lines are entries in the request's
 * log; otherwise bytes go to the descriptor. */

#ifndef ETCL_STREAM_H
#define ETCL_STREAM_H

#include "etcl_turn.h"

/** Functions for the Python files of this folder (module _etcl). */
extern PyMethodDef etcl_stream_methods[];

/** A turn ends: write lines that lack their end. GIL held. */
void etcl_stream_finish(etcl_turn_t *turn);

#endif

/* The iterable that an application returns: what of it is sent, and when. */

#ifndef ETCL_BODY_H
#define ETCL_BODY_H

#include "etcl_turn.h"

/**
 * Send the body and the head before it.
 *
 * Shape    a list or tuple is a finished body: its length is stated, and all
 *          of it may be held back until the end. Blocks of anything else are
 *          on their way before the next is asked for.
 * Returns  0, or -1 with the Python error set. close() is the caller's.
 * Source   PEP 3333 "Buffering and Streaming", "Handling the Content-Length
 *          Header"
 */
int etcl_body_send(etcl_turn_t *turn, PyObject *body);

#endif

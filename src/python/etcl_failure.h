/* A Python error that ends a request becomes a line of its log. */

#ifndef ETCL_FAILURE_H
#define ETCL_FAILURE_H

#include "etcl_turn.h"

/**
 * Log and clear the Python error that is set: with its traceback, or, when
 * the client went away, as one line without.
 *
 * Returns  the status to answer when nothing has left yet
 */
int etcl_failure_report(etcl_turn_t *turn);

/** The same for an error of close(): the answer stands. */
void etcl_failure_report_close(etcl_turn_t *turn);

#endif

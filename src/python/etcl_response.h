/* An answer on its way to the exchange: the head once, then bytes, never more
 * than promised. */

#ifndef ETCL_RESPONSE_H
#define ETCL_RESPONSE_H

#include "etcl_turn.h"

/** Whether the answer has no body, whatever the application gives. */
int etcl_response_is_bodiless(const etcl_turn_t *turn);

/**
 * Give the head to the exchange, if that was not done yet. `whole` is the
 * length of the complete body when it is known, else -1: it becomes the
 * Content-Length that the application did not state.
 *
 * Returns  0, or -1 with the Python error set
 */
int etcl_response_begin(etcl_turn_t *turn, apr_int64_t whole);

/**
 * Send one block behind the head, never more than promised.
 *
 * Returns  0, or -1 with the Python error set
 */
int etcl_response_send(etcl_turn_t *turn, etcl_span_t block, unsigned int how);

/** Whether `len` bytes more are all that was promised. */
int etcl_response_is_last(const etcl_turn_t *turn, apr_int64_t len);

/** As many bytes as were promised were sent, or there is no body. */
int etcl_response_is_full(const etcl_turn_t *turn);

/**
 * Set the Python error for an error of the exchange, with byte counts.
 * Always returns -1.
 */
int etcl_response_raise(etcl_turn_t *turn, apr_status_t rv);

#endif

/* start_response() and write(): what PEP 3333 says about the head of an
 * answer, checked when the application says it. */

#ifndef ETCL_RESPONSE_H
#define ETCL_RESPONSE_H

#include "etcl_turn.h"

struct etcl_interp_t;
struct etcl_seat_t;

/** Make the types of start_response and write; -1 with the error set. */
int etcl_response_types(struct etcl_interp_t *interp);

/** start_response of a turn: a new reference, or NULL with the error set. */
PyObject *etcl_response_make(etcl_turn_t *turn);

/** The request is over: start_response and write raise from now on. */
void etcl_response_detach(struct etcl_seat_t *seat);

/** Let go of status and headers. */
void etcl_response_forget(etcl_turn_t *turn);

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

/** As many bytes as were promised were sent, or there is no body. */
int etcl_response_is_full(const etcl_turn_t *turn);

/**
 * Set the Python error for an error of the exchange, with byte counts.
 * Always returns -1.
 */
int etcl_response_raise(etcl_turn_t *turn, apr_status_t rv);

#endif

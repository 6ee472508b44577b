/* RequestTimeout: an exception raised in the thread of an overdue request. */

#ifndef ETCL_INTERRUPT_H
#define ETCL_INTERRUPT_H

#include "etcl_turn.h"

/** See etcl_runtime_t.interrupt. */
apr_status_t etcl_interrupt_call(etcl_exchange_t *x);

/**
 * An exception that has not come yet will not come any more.
 *
 * Context  GIL held; the thread of the turn.
 */
void etcl_interrupt_hold(const etcl_turn_t *turn);

/** The application is done: too late to interrupt it. Likewise. */
void etcl_interrupt_end(etcl_turn_t *turn);

#endif

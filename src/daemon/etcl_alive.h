/* Whether the client of a call is still there: a question to Apache, in the
 * midst of the call. For those rooms of the exchange over a link that receive
 * from it. */

#ifndef ETCL_ALIVE_H
#define ETCL_ALIVE_H

#include "etcl_reply.h"

/**
 * The exchange's `gone`. Waits for an answer, but not long: while Apache sends
 * to a slow client it does not hear the question, and the client is there.
 */
int etcl_alive_gone(etcl_exchange_t *x);

/** Take a packet for what it is if it answers the question: 1 when it does,
 *  and is of no other use. */
int etcl_alive_take(etcl_reply_t *reply, etcl_span_t packet);

/** Whether a packet on a link between calls is only the answer to a question
 *  that the call before it asked, and did not wait for. */
int etcl_alive_is_late(etcl_span_t packet, apr_uint32_t serial);

#endif

/* Raises RequestTimeout in one thread by CPython's asynchronous exceptions.
 * All of it happens with the GIL of the interpreter in which the request
 * runs, so that the request cannot end in between: what was asked for one
 * request never reaches the next one of the thread. */

#include "etcl_interrupt.h"

#include "etcl_outside.h"
#include "etcl_stop.h"
#include "etcl_threads.h"

apr_status_t etcl_interrupt_call(etcl_exchange_t *x)
{
    apr_status_t rv = APR_NOTFOUND;
    etcl_sight_t sight;
    etcl_turn_t *turn;

    if (etcl_stop_began() || !etcl_threads_find(x, &sight) ||
        !etcl_threads_enter(sight.interp)) {
        return rv;
    }
    turn = sight.turn;
    if (turn->x == x && turn->serial == sight.serial &&
        turn->state == ETCL_TURN_CALM) {
        turn->state = ETCL_TURN_INTERRUPTED;
        PyThreadState_SetAsyncExc(sight.thread,
                                  sight.interp->tools.RequestTimeout);
        rv = APR_SUCCESS;
    }
    etcl_outside_leave();
    return rv;
}

void etcl_interrupt_hold(const etcl_turn_t *turn)
{
    if (turn->state == ETCL_TURN_INTERRUPTED) {
        PyThreadState_SetAsyncExc((unsigned long)pthread_self(), NULL);
    }
}

void etcl_interrupt_end(etcl_turn_t *turn)
{
    etcl_interrupt_hold(turn);
    turn->state = ETCL_TURN_LATE;
}

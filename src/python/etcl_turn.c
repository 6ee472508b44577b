/* Begin and end of a turn: what is fresh for each request, and what of it is
 * kept for the next one. How the objects of a request are made: etcl_input.c,
 * etcl_starter.c. */

#include "etcl_turn.h"

#include "etcl_fork.h"
#include "etcl_headers.h"
#include "etcl_input.h"
#include "etcl_outside.h"
#include "etcl_presence.h"
#include "etcl_starter.h"
#include "etcl_stream.h"
#include "etcl_threads.h"

#define LINE_MAX_BYTES 65536

void etcl_turn_init(etcl_turn_t *turn)
{
    int i;

    memset(turn, 0, sizeof(*turn));
    pthread_mutex_init(&turn->guard, NULL);
    for (i = 0; i < ETCL_TURN_STREAMS; i++) {
        etcl_buffer_init(&turn->lines[i], LINE_MAX_BYTES);
    }
}

/* WSGIHandlerScript fixes the name. */
static etcl_span_t callable_of(const etcl_call_t *call)
{
    if (call->flags & ETCL_CALL_HANDLER) {
        return ETCL_SPAN("handle_request");
    }
    return call->target.callable;
}

static void join(etcl_turn_t *turn)
{
    etcl_interp_t *interp = turn->seat->interp;

    turn->next = interp->running;
    turn->at = &interp->running;
    if (turn->next) {
        turn->next->at = &turn->next;
    }
    interp->running = turn;
}

static void leave(etcl_turn_t *turn)
{
    *turn->at = turn->next;
    if (turn->next) {
        turn->next->at = turn->at;
    }
}

void etcl_turn_begin(etcl_turn_t *turn, const etcl_call_t *call,
                     etcl_exchange_t *x, struct etcl_seat_t *seat)
{
    turn->call = call;
    turn->x = x;
    turn->seat = seat;
    turn->serial++;
    turn->forks = etcl_fork_count();
    turn->broken = APR_SUCCESS;
    turn->taken = 0;
    turn->is_head = 0;
    turn->response.status = 0;
    turn->response.promised = -1;
    turn->response.sent = 0;
    turn->response.begun = 0;
    turn->response.opened = 0;
    turn->response.cut = 0;
    turn->callable = callable_of(call);
    turn->state = ETCL_TURN_CALM;
    turn->meter.on = 0;
    join(turn);
}

void etcl_turn_end(etcl_turn_t *turn)
{
    PyObject *data;

    etcl_stream_finish(turn);
    etcl_headers_forget(&turn->response);
    etcl_input_detach(turn->seat);
    etcl_starter_detach(turn->seat);
    etcl_presence_detach(turn->seat);
    leave(turn);
    etcl_outside_lock(&turn->guard);
    turn->x = NULL;
    turn->call = NULL;
    pthread_mutex_unlock(&turn->guard);
    data = turn->data;
    turn->data = NULL;
    Py_XDECREF(data);
}

etcl_span_t etcl_turn_value(const etcl_turn_t *turn, unsigned int id)
{
    apr_size_t i;

    for (i = 0; i < turn->call->pair_count; i++) {
        if (turn->call->pairs[i].id == id) {
            return turn->call->pairs[i].value;
        }
    }
    return (etcl_span_t){ "", 0 };
}

int etcl_turn_is_mine(const etcl_turn_t *turn)
{
    return turn->x && turn->forks == etcl_fork_count();
}

void etcl_turn_check_fork(const etcl_turn_t *turn)
{
    if (turn->forks != etcl_fork_count()) {
        etcl_fork_end();
    }
}

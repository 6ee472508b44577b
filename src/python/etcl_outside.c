/* The only file that releases the GIL: around what may block. A pointer into
 * a Python object is used here only while the caller holds a reference. */

#include "etcl_outside.h"

#include "etcl_clock.h"

#include <errno.h>
#include <unistd.h>

void etcl_outside_leave(void)
{
    PyEval_SaveThread();
}

void etcl_outside_lock(pthread_mutex_t *mutex)
{
    PyThreadState *state;

    if (!pthread_mutex_trylock(mutex)) {
        return;
    }
    state = PyEval_SaveThread();
    pthread_mutex_lock(mutex);
    PyEval_RestoreThread(state);
}

int etcl_outside_put(int fd, etcl_span_t text)
{
    PyThreadState *state = PyEval_SaveThread();
    int error = 0;

    while (text.len && !error) {
        ssize_t len = write(fd, text.ptr, text.len);

        if (len >= 0) {
            text.ptr += len;
            text.len -= (apr_size_t)len;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    PyEval_RestoreThread(state);
    return error;
}

/* After the wait the turn may be over: another thread of the application used
 * it, and the request ended meanwhile. */
static apr_status_t claim(etcl_turn_t *turn)
{
    unsigned int serial = turn->serial;

    if (!etcl_turn_is_mine(turn)) {
        return ETCL_EDENIED;
    }
    etcl_outside_lock(&turn->guard);
    if (turn->serial != serial || !turn->x) {
        pthread_mutex_unlock(&turn->guard);
        return ETCL_EDENIED;
    }
    if (turn->broken) {
        pthread_mutex_unlock(&turn->guard);
        return turn->broken;
    }
    return APR_SUCCESS;
}

/* What is measured of a turn, when it is. */
static apr_int64_t now_of(const etcl_turn_t *turn)
{
    return turn->meter.on ? etcl_clock_us() : 0;
}

static void come_back(etcl_turn_t *turn, PyThreadState *state)
{
    apr_int64_t since_us = now_of(turn);

    PyEval_RestoreThread(state);
    if (since_us) {
        turn->meter.gate_us += etcl_clock_us() - since_us;
        turn->meter.gates++;
    }
}

static void add_output(etcl_turn_t *turn, apr_int64_t since_us)
{
    if (since_us) {
        turn->meter.output_us += etcl_clock_us() - since_us;
        turn->meter.writes++;
    }
}

static apr_status_t release(etcl_turn_t *turn, apr_status_t rv)
{
    if (rv && rv != APR_EOF) {
        turn->broken = rv;
    }
    pthread_mutex_unlock(&turn->guard);
    return rv;
}

/* What is here already is worth no convoy: the GIL is kept. */
static int is_ready(etcl_exchange_t *x, apr_size_t max, int whole)
{
    apr_size_t len = x->ops->ready ? x->ops->ready(x) : 0;

    return whole ? len >= max : len > 0;
}

apr_status_t etcl_outside_read(etcl_turn_t *turn, char *into, apr_size_t max,
                               int whole, apr_size_t *got)
{
    PyThreadState *state = NULL;
    apr_status_t rv = claim(turn);
    apr_int64_t since_us;

    *got = 0;
    if (rv) {
        return rv;
    }
    since_us = now_of(turn);
    if (!is_ready(turn->x, max, whole)) {
        state = PyEval_SaveThread();
    }
    rv = turn->x->ops->read(turn->x, into, max, whole, got);
    if (state) {
        come_back(turn, state);
    }
    turn->taken += (apr_int64_t)*got;
    if (since_us) {
        turn->meter.input_us += etcl_clock_us() - since_us;
        turn->meter.reads++;
    }
    return release(turn, rv);
}

/* The guard is not waited for: who has it may wait for the client. */
int etcl_outside_gone(etcl_turn_t *turn)
{
    PyThreadState *state;
    int gone;

    if (!etcl_turn_is_mine(turn)) {
        return -1;
    }
    if (turn->broken) {
        return 1;
    }
    if (pthread_mutex_trylock(&turn->guard)) {
        return 0;
    }
    state = PyEval_SaveThread();
    gone = turn->x->ops->gone(turn->x);
    come_back(turn, state);
    pthread_mutex_unlock(&turn->guard);
    return gone != 0;
}

apr_status_t etcl_outside_begin(etcl_turn_t *turn, const etcl_head_t *head)
{
    apr_status_t rv = claim(turn);

    if (rv) {
        return rv;
    }
    rv = turn->x->ops->begin(turn->x, head);
    return release(turn, rv);
}

apr_status_t etcl_outside_write(etcl_turn_t *turn, etcl_span_t block,
                                unsigned int how)
{
    PyThreadState *state;
    apr_status_t rv = claim(turn);
    apr_int64_t since_us;

    if (rv) {
        return rv;
    }
    since_us = now_of(turn);
    rv = turn->x->ops->write(turn->x, block, how | ETCL_WRITE_NOWAIT);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        state = PyEval_SaveThread();
        rv = turn->x->ops->write(turn->x, block, how);
        come_back(turn, state);
    }
    add_output(turn, since_us);
    return release(turn, rv);
}

apr_status_t etcl_outside_send_file(etcl_turn_t *turn, int fd,
                                    apr_int64_t offset, apr_int64_t len)
{
    PyThreadState *state;
    apr_status_t rv = claim(turn);
    apr_int64_t since_us;

    if (rv) {
        return rv;
    }
    since_us = now_of(turn);
    state = PyEval_SaveThread();
    rv = turn->x->ops->send_file(turn->x, fd, offset, len);
    come_back(turn, state);
    add_output(turn, since_us);
    return release(turn, rv);
}

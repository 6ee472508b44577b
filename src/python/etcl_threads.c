/* Threads and their thread states. When an OS thread ends, its states are
 * deleted as threading's own threads delete theirs. Records are kept for the
 * next thread: somebody may still look at the lock in a turn. */

#include "etcl_threads.h"

#include "etcl_dump.h"
#include "etcl_gate.h"
#include "etcl_outside.h"
#include "etcl_stop.h"

#include <signal.h>
#include <stdlib.h>

typedef struct thread_t {
    struct thread_t *next;
    int id;
    int alive;
    pthread_t handle;
    etcl_exchange_t *serving; /* atomic: read by others, under the lock */
    etcl_interp_t *within;    /* of `serving`; set before it */
    apr_int64_t busy_us;      /* of all its turns */
    unsigned int begun;       /* the turn's serial when the thread began */
    etcl_seat_t *seats;
    const etcl_seat_t *entered; /* the latest of them that it took */
    etcl_turn_t turn;
} thread_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static thread_t *threads; /* all records, under the lock */
static int count;
static pthread_key_t at_end;
static __thread thread_t *me;

/* CPython cannot make another state for an interpreter that has none left:
 * the first one of each stays. */
static void clear_seat(etcl_seat_t *seat)
{
    PyEval_RestoreThread(seat->state);
    Py_CLEAR(seat->input);
    Py_CLEAR(seat->start);
    Py_CLEAR(seat->write);
    etcl_environ_clear(&seat->environ);
    if (seat->state == seat->interp->first) {
        etcl_outside_leave();
    } else {
        PyThreadState_Clear(seat->state);
        PyThreadState_DeleteCurrent();
    }
    free(seat);
}

/* A thread ends. Once the end of Python began, nothing may be touched. */
static void forget_thread(void *data)
{
    thread_t *thread = data;

    while (thread->seats && !etcl_stop_began()) {
        etcl_seat_t *seat = thread->seats;

        thread->seats = seat->next;
        clear_seat(seat);
    }
    pthread_mutex_lock(&lock);
    thread->seats = NULL;
    thread->entered = NULL;
    thread->alive = 0;
    pthread_mutex_unlock(&lock);
}

void etcl_threads_init(void)
{
    pthread_key_create(&at_end, forget_thread);
}

static thread_t *find_free(void)
{
    thread_t *thread;

    for (thread = threads; thread && thread->alive; thread = thread->next) {
    }
    if (thread) {
        return thread;
    }
    thread = calloc(1, sizeof(*thread));
    if (thread) {
        etcl_turn_init(&thread->turn);
        thread->next = threads;
        threads = thread;
    }
    return thread;
}

static thread_t *get_me(void)
{
    if (me) {
        return me;
    }
    pthread_mutex_lock(&lock);
    me = find_free();
    if (me) {
        me->id = count++;
        me->alive = 1;
        me->busy_us = 0;
        me->begun = me->turn.serial;
        me->handle = pthread_self();
        pthread_setspecific(at_end, me);
        etcl_dump_unblock();
    }
    pthread_mutex_unlock(&lock);
    return me;
}

etcl_seat_t *etcl_threads_adopt(etcl_interp_t *interp, PyThreadState *state)
{
    thread_t *thread = get_me();
    etcl_seat_t *seat = thread ? calloc(1, sizeof(*seat)) : NULL;

    if (!seat) {
        return NULL;
    }
    seat->interp = interp;
    seat->state = state;
    seat->thread_id = thread->id;
    seat->busy_us = &thread->busy_us;
    seat->next = thread->seats;
    thread->seats = seat;
    return seat;
}

static etcl_seat_t *find_seat(const etcl_interp_t *interp)
{
    etcl_seat_t *seat = me ? me->seats : NULL;

    while (seat && seat->interp != interp) {
        seat = seat->next;
    }
    return seat;
}

static etcl_seat_t *make_seat(etcl_interp_t *interp)
{
    PyThreadState *state = PyThreadState_New(interp->state);
    etcl_seat_t *seat;

    if (!state) {
        return NULL;
    }
    seat = etcl_threads_adopt(interp, state);
    if (!seat) {
        etcl_gate_enter(interp->gate, state);
        PyThreadState_Clear(state);
        PyThreadState_DeleteCurrent();
    }
    return seat;
}

/* A thread is in the main interpreter first: the PyGILState functions, which
 * extension modules use, belong to the first state that a thread has. */
etcl_seat_t *etcl_threads_enter(etcl_interp_t *interp)
{
    etcl_interp_t *main = interp;
    etcl_seat_t *seat = find_seat(interp);

    while (main->next) {
        main = main->next;
    }
    if (!seat && main != interp && !find_seat(main) && !make_seat(main)) {
        return NULL;
    }
    if (!seat) {
        seat = make_seat(interp);
    }
    if (seat) {
        etcl_gate_enter(interp->gate, seat->state);
        me->entered = seat;
    }
    return seat;
}

/* Neither the lock nor `me`, whose memory may be made at its first use. */
const etcl_seat_t *etcl_threads_crashed(void)
{
    const thread_t *thread;

    for (thread = threads; thread; thread = thread->next) {
        if (thread->alive && pthread_equal(thread->handle, pthread_self())) {
            return thread->entered;
        }
    }
    return NULL;
}

etcl_turn_t *etcl_threads_turn(void)
{
    thread_t *thread = get_me();

    return thread ? &thread->turn : NULL;
}

etcl_turn_t *etcl_threads_current(void)
{
    return me && etcl_turn_is_mine(&me->turn) ? &me->turn : NULL;
}

void etcl_threads_serve(etcl_exchange_t *x, etcl_interp_t *interp)
{
    me->within = interp;
    __atomic_store_n(&me->serving, x, __ATOMIC_RELEASE);
}

int etcl_threads_find(const etcl_exchange_t *x, etcl_sight_t *out)
{
    thread_t *thread;
    int found = 0;

    pthread_mutex_lock(&lock);
    for (thread = threads; thread && !found; thread = thread->next) {
        if (__atomic_load_n(&thread->serving, __ATOMIC_ACQUIRE) == x) {
            *out = (etcl_sight_t){ &thread->turn, thread->within,
                                   thread->turn.serial,
                                   (unsigned long)thread->handle };
            found = out->interp != NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return found;
}

int etcl_threads_loads(etcl_load_t *out, int max)
{
    const thread_t *thread;
    int number = 0;

    pthread_mutex_lock(&lock);
    for (thread = threads; thread && number < max; thread = thread->next) {
        unsigned int busy =
            __atomic_load_n(&thread->serving, __ATOMIC_ACQUIRE) != NULL;

        if (thread->alive) {
            out[number++] = (etcl_load_t){
                .thread_id = thread->id,
                .turns = thread->turn.serial - thread->begun - busy,
                .busy_us = thread->busy_us,
                .since_us = busy ? thread->turn.meter.start_us : 0
            };
        }
    }
    pthread_mutex_unlock(&lock);
    return number;
}

int etcl_threads_busy(void)
{
    thread_t *thread;
    int busy = 0;

    pthread_mutex_lock(&lock);
    for (thread = threads; thread; thread = thread->next) {
        busy += !!__atomic_load_n(&thread->serving, __ATOMIC_ACQUIRE);
    }
    pthread_mutex_unlock(&lock);
    return busy;
}

int etcl_threads_kill(const etcl_exchange_t *x, int signal)
{
    thread_t *thread;
    int found = 0;

    pthread_mutex_lock(&lock);
    for (thread = threads; thread && !found; thread = thread->next) {
        const etcl_exchange_t *serving =
            __atomic_load_n(&thread->serving, __ATOMIC_ACQUIRE);

        if (thread->alive && serving && (!x || serving == x)) {
            found = !pthread_kill(thread->handle, signal);
        }
    }
    pthread_mutex_unlock(&lock);
    return found;
}

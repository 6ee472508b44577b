/* A queue of semaphores. CPython hands the GIL to any of the threads that
 * wait for it; with one waiter at a time, "any" is the one who came first. */

#include "etcl_gate.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

typedef struct waiter_t {
    sem_t called;
    struct waiter_t *next;
} waiter_t;

struct etcl_gate_t {
    pthread_mutex_t lock;
    int taken; /* somebody is the head and waits for the GIL */
    waiter_t *first;
    waiter_t **last;
};

static __thread waiter_t me; /* a thread waits in one place at a time */
static etcl_gate_t shared = { .lock = PTHREAD_MUTEX_INITIALIZER,
                              .last = &shared.first };

etcl_gate_t *etcl_gate_shared(void)
{
    return &shared;
}

etcl_gate_t *etcl_gate_create(void)
{
    etcl_gate_t *gate = calloc(1, sizeof(*gate));

    if (gate) {
        pthread_mutex_init(&gate->lock, NULL);
        gate->last = &gate->first;
    }
    return gate;
}

static void wait_for_turn(etcl_gate_t *gate)
{
    pthread_mutex_lock(&gate->lock);
    if (!gate->taken) {
        gate->taken = 1;
        pthread_mutex_unlock(&gate->lock);
        return;
    }
    sem_init(&me.called, 0, 0);
    me.next = NULL;
    *gate->last = &me;
    gate->last = &me.next;
    pthread_mutex_unlock(&gate->lock);
    while (sem_wait(&me.called) && errno == EINTR) {
    }
    sem_destroy(&me.called);
}

static void call_next(etcl_gate_t *gate)
{
    waiter_t *next;

    pthread_mutex_lock(&gate->lock);
    next = gate->first;
    if (!next) {
        gate->taken = 0;
    } else {
        gate->first = next->next;
        if (!gate->first) {
            gate->last = &gate->first;
        }
        sem_post(&next->called);
    }
    pthread_mutex_unlock(&gate->lock);
}

void etcl_gate_enter(etcl_gate_t *gate, PyThreadState *state)
{
    wait_for_turn(gate);
    PyEval_RestoreThread(state);
    call_next(gate);
}

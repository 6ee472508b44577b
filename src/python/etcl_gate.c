/* A queue of semaphores. CPython hands the GIL to any of the threads that
 * wait for it; with one waiter at a time, "any" is the one who came first. */

#include "etcl_gate.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

typedef struct waiter_t {
    sem_t called;
    struct waiter_t *next;
} waiter_t;

static __thread waiter_t me; /* a thread waits in one place at a time */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int taken; /* somebody is the head and waits for the GIL */
static waiter_t *first;
static waiter_t **last = &first;

static void wait_for_turn(void)
{
    pthread_mutex_lock(&lock);
    if (!taken) {
        taken = 1;
        pthread_mutex_unlock(&lock);
        return;
    }
    sem_init(&me.called, 0, 0);
    me.next = NULL;
    *last = &me;
    last = &me.next;
    pthread_mutex_unlock(&lock);
    while (sem_wait(&me.called) && errno == EINTR) {
    }
    sem_destroy(&me.called);
}

static void call_next(void)
{
    waiter_t *next;

    pthread_mutex_lock(&lock);
    next = first;
    if (!next) {
        taken = 0;
    } else {
        first = next->next;
        if (!first) {
            last = &first;
        }
        sem_post(&next->called);
    }
    pthread_mutex_unlock(&lock);
}

void etcl_gate_enter(PyThreadState *state)
{
    wait_for_turn();
    PyEval_RestoreThread(state);
    call_next();
}

/* Keeps the order to end between the threads that give it and those that obey.
 * It ends nothing itself but a worker that has nothing to finish: that one may
 * be stuck in an import, with Python's lock. */

#include "etcl_ending.h"
#include "etcl_clock.h"
#include "etcl_grace.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards it all */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static struct {
    const etcl_group_options_t *options;
    int serves;
    pthread_t script; /* with `has_script`: runs a service */
    int has_script;
    int told_script;
    int is_given;
    etcl_ending_t order;
    apr_int64_t until_us;
} ending;

void etcl_ending_open(const etcl_group_options_t *options)
{
    pthread_mutex_lock(&lock);
    memset(&ending, 0, sizeof(ending));
    ending.options = options;
    pthread_mutex_unlock(&lock);
}

void etcl_ending_serve(void)
{
    pthread_mutex_lock(&lock);
    ending.serves = 1;
    pthread_mutex_unlock(&lock);
}

void etcl_ending_service(void)
{
    pthread_mutex_lock(&lock);
    ending.script = pthread_self();
    ending.has_script = 1;
    pthread_mutex_unlock(&lock);
}

/* A service has no calls to finish, and all of its time to end. */
static void end_script(const etcl_ending_t *order)
{
    if (!ending.told_script) {
        ending.told_script = 1;
        ending.until_us = etcl_clock_us() + order->stop_us;
        pthread_kill(ending.script, SIGTERM);
    }
}

static void end_serving(const etcl_ending_t *order)
{
    apr_int64_t until_us = order->calls_until_us + order->stop_us;

    if (!ending.until_us || until_us < ending.until_us) {
        ending.until_us = until_us;
    }
}

void etcl_ending_give(const etcl_ending_t *order)
{
    pthread_mutex_lock(&lock);
    if (!ending.serves && !ending.has_script) {
        _exit(0);
    }
    if (ending.has_script) {
        end_script(order);
    } else {
        end_serving(order);
    }
    if (!ending.is_given ||
        order->calls_until_us < ending.order.calls_until_us) {
        ending.order = *order;
    }
    ending.is_given = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static etcl_grace_t grace_of(int hurry)
{
    return etcl_grace_of(ending.options->graceful_timeout,
                         ending.options->shutdown_timeout, hurry);
}

void etcl_ending_begin(etcl_why_t why, int hurry)
{
    etcl_grace_t grace = grace_of(hurry);

    etcl_ending_give(
        &(etcl_ending_t){ .why = why,
                          .calls_until_us = etcl_clock_us() + grace.calls_us,
                          .stop_us = grace.stop_us });
}

int etcl_ending_is_given(void)
{
    int is_given;

    pthread_mutex_lock(&lock);
    is_given = ending.is_given;
    pthread_mutex_unlock(&lock);
    return is_given;
}

void etcl_ending_wait(void)
{
    pthread_mutex_lock(&lock);
    while (!ending.is_given) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

etcl_ending_t etcl_ending_get(void)
{
    etcl_ending_t order;

    pthread_mutex_lock(&lock);
    order = ending.order;
    pthread_mutex_unlock(&lock);
    return order;
}

/* When no calls were left to wait for, their time is Python's as well, up to
 * what shutdown-timeout gives it. */
void etcl_ending_stopping(void)
{
    etcl_grace_t full = grace_of(0);
    apr_int64_t now_us = etcl_clock_us(), least_us, most_us;

    pthread_mutex_lock(&lock);
    least_us = now_us + ending.order.stop_us;
    most_us = ending.order.calls_until_us + ending.order.stop_us;
    if (!ending.is_given || most_us > now_us + full.stop_us) {
        most_us = now_us + full.stop_us;
    }
    if (!ending.told_script) {
        ending.until_us = most_us > least_us ? most_us : least_us;
    }
    pthread_mutex_unlock(&lock);
}

apr_int64_t etcl_ending_until_us(void)
{
    apr_int64_t until_us;

    pthread_mutex_lock(&lock);
    until_us = ending.until_us;
    pthread_mutex_unlock(&lock);
    return until_us;
}

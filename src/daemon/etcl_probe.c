/* One thread, one short list of errands. Whether it comes back from Python is
 * what deadlock-timeout is about: the guard looks at when it went in. */

#include "etcl_probe.h"
#include "etcl_clock.h"
#include "etcl_thread.h"

#include <stdatomic.h>
#include <time.h>

#define ERRANDS_MAX 64 /* more are dropped: the call is given up later */

/* An interruption, or with `duty` NULL a signal. */
typedef struct {
    etcl_duty_t *duty;
    apr_uint64_t serial;
    int number;
} errand_t;

static struct {
    const etcl_runtime_t *runtime;
    int probes;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    errand_t errands[ERRANDS_MAX];
    int count;
} probe = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Atomic apr_int64_t entered_us;

static void add_errand(const errand_t *errand)
{
    pthread_mutex_lock(&probe.lock);
    if (probe.count < ERRANDS_MAX) {
        probe.errands[probe.count++] = *errand;
        pthread_cond_signal(&probe.wake);
    }
    pthread_mutex_unlock(&probe.lock);
}

void etcl_probe_interrupt(etcl_duty_t *duty, apr_uint64_t serial)
{
    add_errand(&(errand_t){ .duty = duty, .serial = serial });
}

void etcl_probe_signal(int number)
{
    add_errand(&(errand_t){ .number = number });
}

apr_int64_t etcl_probe_entered_us(void)
{
    return atomic_load(&entered_us);
}

/* The next errand, or after a second none: then it is time to probe. */
static int take_errand(errand_t *out)
{
    struct timespec until;
    int found, failed = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&probe.lock);
    while (!probe.count && !failed) {
        failed = pthread_cond_timedwait(&probe.wake, &probe.lock, &until);
    }
    found = probe.count > 0;
    if (found) {
        *out = probe.errands[0];
        probe.count--;
        memmove(probe.errands, probe.errands + 1,
                (size_t)probe.count * sizeof(*out));
    }
    pthread_mutex_unlock(&probe.lock);
    return found;
}

static void run_errand(const errand_t *errand)
{
    if (errand->duty) {
        etcl_duty_interrupt(errand->duty, errand->serial, probe.runtime);
    } else {
        probe.runtime->signal(errand->number);
    }
}

static void *run_probe(void *unused)
{
    errand_t errand;

    for (;;) {
        int found = take_errand(&errand);

        atomic_store(&entered_us, etcl_clock_us());
        if (found) {
            run_errand(&errand);
        } else if (probe.probes) {
            probe.runtime->probe();
        }
        atomic_store(&entered_us, 0);
    }
    return unused;
}

apr_status_t etcl_probe_start(const etcl_runtime_t *runtime, int probes)
{
    pthread_condattr_t clock;

    probe.runtime = runtime;
    probe.probes = probes;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&probe.wake, &clock);
    pthread_condattr_destroy(&clock);
    return etcl_thread_start(run_probe, NULL, ETCL_THREAD_SMALL);
}

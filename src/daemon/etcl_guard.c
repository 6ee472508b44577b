/* Carries out request-timeout and interrupt-timeout. A thread that is stuck
 * cannot answer: the guard answers in its place and shuts the link, so that
 * nothing the thread does later reaches anybody; another thread takes over. */

#include "etcl_guard.h"
#include "etcl_journal.h"
#include "etcl_probe.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define TARGET_MAX 256 /* of a request's path, in the log */

static struct {
    etcl_service_t *service;
    etcl_limits_t limits;
    etcl_limits_state_t state;
    etcl_limits_thread_t *threads; /* what was seen of them */
    apr_uint64_t *serials;
} guard;

static atomic_int cpu_spent;

void etcl_guard_cpu_spent(void)
{
    atomic_store(&cpu_spent, 1);
}

void etcl_guard_start(etcl_service_t *service, apr_int64_t now_us)
{
    size_t room = (size_t)service->duty_max;

    guard.service = service;
    guard.limits = etcl_limits_of(&service->worker->group->options,
                                  (apr_uint64_t)getpid() * 2654435761u);
    guard.threads = calloc(room + 1, sizeof(*guard.threads));
    guard.serials = calloc(room + 1, sizeof(*guard.serials));
    guard.state.ready_us = now_us;
    guard.state.capacity = (int)service->worker->group->options.threads;
    guard.state.thread = guard.threads;
    atomic_store(&service->wake_at, guard.limits.requests);
}

static void look_at_threads(void)
{
    etcl_service_t *service = guard.service;
    int i, count = guard.threads && guard.serials
                       ? atomic_load(&service->duty_count)
                       : 0;

    for (i = 0; i < count; i++) {
        etcl_duty_t *duty = &service->duties[i];

        pthread_mutex_lock(&duty->lock);
        guard.threads[i] = duty->now;
        guard.serials[i] = duty->serial;
        pthread_mutex_unlock(&duty->lock);
    }
    guard.state.threads = count;
}

static void look(int ending)
{
    etcl_service_t *service = guard.service;
    etcl_limits_state_t *state = &guard.state;
    etcl_roster_slot_t self;

    look_at_threads();
    state->entered_us = etcl_probe_entered_us();
    state->active_us = atomic_load(&service->active_us);
    state->loading_us =
        atomic_load(&service->loaded) ? 0 : atomic_load(&service->loading_us);
    state->cpu_spent = atomic_load(&cpu_spent);
    state->drained = etcl_park_is_drained(&service->park);
    state->ending = ending;
    if (etcl_roster_read(service->worker->roster, service->worker->slot,
                         &self) == APR_SUCCESS) {
        state->requests = self.requests;
    }
}

static etcl_span_t find_pair(const etcl_call_t *call, const char *name)
{
    apr_size_t i;

    for (i = 0; i < call->pair_count; i++) {
        if (etcl_span_is(call->pairs[i].key, name)) {
            return call->pairs[i].value;
        }
    }
    return ETCL_SPAN("?");
}

static void tell(const etcl_call_t *call, const char *what)
{
    const etcl_worker_t *worker = guard.service->worker;
    etcl_span_t method = find_pair(call, "REQUEST_METHOD");
    etcl_span_t target = find_pair(call, "REQUEST_URI");

    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0260: %.*s %.*s took longer than request-timeout, "
                     "%d s, in worker %d of group %s (pid %ld): %s; its "
                     "Python stack follows",
                     (int)(method.len < 32 ? method.len : 32), method.ptr,
                     (int)(target.len < TARGET_MAX ? target.len : TARGET_MAX),
                     target.ptr, (int)(guard.limits.request_us / 1000000),
                     worker->slot, worker->group->name, (long)getpid(), what);
}

/* While the lock is held the call cannot end under us. */
static etcl_duty_t *lock_call(int thread, etcl_stage_t stage)
{
    etcl_duty_t *duty = &guard.service->duties[thread];

    pthread_mutex_lock(&duty->lock);
    if (duty->call && duty->serial == guard.serials[thread] &&
        duty->now.stage == stage) {
        return duty;
    }
    pthread_mutex_unlock(&duty->lock);
    return NULL;
}

static void interrupt(int thread, apr_int64_t now_us)
{
    etcl_duty_t *duty = lock_call(thread, ETCL_STAGE_RUNS);

    if (!duty) {
        return;
    }
    tell(duty->call, "RequestTimeout is raised in it");
    guard.service->runtime->dump(&duty->reply->base);
    duty->now = (etcl_limits_thread_t){ ETCL_STAGE_INTERRUPTED, now_us };
    pthread_mutex_unlock(&duty->lock);
    etcl_probe_interrupt(duty, guard.serials[thread]);
}

static int give_up(int thread, apr_int64_t now_us)
{
    etcl_service_t *service = guard.service;
    etcl_duty_t *duty = lock_call(thread, guard.threads[thread].stage);

    if (!duty) {
        return 0;
    }
    tell(duty->call, guard.limits.interrupt_us
                         ? "RequestTimeout did not end it, so its client is "
                           "answered 504 and the worker is replaced"
                         : "its client is answered 504 and the worker is "
                           "replaced");
    service->runtime->dump(&duty->reply->base);
    etcl_park_lose(&service->park, duty->line);
    etcl_outbox_take_over(&duty->reply->box, 504);
    duty->now = (etcl_limits_thread_t){ ETCL_STAGE_LOST, now_us };
    pthread_mutex_unlock(&duty->lock);
    etcl_serve_add(service);
    return 1;
}

void etcl_guard_cut(int status)
{
    etcl_service_t *service = guard.service;
    int i, count = atomic_load(&service->duty_count);

    for (i = 0; i < count; i++) {
        etcl_duty_t *duty = &service->duties[i];

        pthread_mutex_lock(&duty->lock);
        if (duty->call && duty->now.stage != ETCL_STAGE_LOST) {
            etcl_park_lose(&service->park, duty->line);
            etcl_outbox_take_over(&duty->reply->box, status);
            duty->now.stage = ETCL_STAGE_LOST;
        }
        pthread_mutex_unlock(&duty->lock);
    }
}

etcl_due_t etcl_guard_look(int ending, apr_int64_t now_us)
{
    etcl_due_t due;

    look(ending);
    due = etcl_limits_next(&guard.limits, &guard.state, now_us);
    if (due.what == ETCL_DUE_INTERRUPT) {
        interrupt(due.thread, now_us);
        due.what = ETCL_DUE_NOTHING;
        due.until_us = now_us;
    } else if (due.what == ETCL_DUE_GIVE_UP) {
        due.what = give_up(due.thread, now_us) && !guard.state.asked && !ending
                       ? ETCL_DUE_RENEW
                       : ETCL_DUE_NOTHING;
        due.until_us = now_us;
    }
    guard.state.asked |= due.what == ETCL_DUE_RENEW;
    return due;
}

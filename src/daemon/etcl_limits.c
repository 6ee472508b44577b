/* The arithmetic of limits. Nothing here looks at a clock or a thread; the
 * tables of tests/unit/test_limits.c say what is wanted. */

#include "etcl_limits.h"

#define SECOND_US APR_INT64_C(1000000)
#define JITTER 10 /* a tenth */

etcl_limits_t etcl_limits_of(const etcl_group_options_t *options,
                             apr_uint64_t dice)
{
    apr_uint64_t most = (apr_uint64_t)options->maximum_requests;

    return (etcl_limits_t){
        .request_us = options->request_timeout * SECOND_US,
        .interrupt_us = options->interrupt_timeout * SECOND_US,
        .deadlock_us = options->deadlock_timeout * SECOND_US,
        .inactivity_us = options->inactivity_timeout * SECOND_US,
        .startup_us = options->startup_timeout * SECOND_US,
        .restart_us = options->restart_interval * SECOND_US,
        .requests = most - dice % (most / JITTER + 1),
    };
}

/* When a time limit is over; 0: it does not run. */
static apr_int64_t end_of(apr_int64_t since_us, apr_int64_t limit_us)
{
    return since_us && limit_us ? since_us + limit_us : 0;
}

static int is_over(apr_int64_t end_us, apr_int64_t now_us)
{
    return end_us && now_us >= end_us;
}

static apr_int64_t sooner(apr_int64_t a_us, apr_int64_t b_us)
{
    return !a_us || (b_us && b_us < a_us) ? b_us : a_us;
}

static apr_int64_t thread_end(const etcl_limits_t *limits,
                              const etcl_limits_thread_t *thread)
{
    switch (thread->stage) {
    case ETCL_STAGE_RUNS:
        return end_of(thread->since_us, limits->request_us);
    case ETCL_STAGE_INTERRUPTED:
        return end_of(thread->since_us, limits->interrupt_us);
    default:
        return 0;
    }
}

/* A limit of a thread that is over, or when the next one will be. */
static etcl_due_t check_threads(const etcl_limits_t *limits,
                                const etcl_limits_state_t *state,
                                apr_int64_t now_us)
{
    const etcl_limits_thread_t *thread = state->thread;
    etcl_due_t due = { ETCL_DUE_NOTHING, -1, ETCL_WHY_REQUEST, 0 };
    apr_int64_t end_us;
    int i;

    for (i = 0; i < state->threads; i++, thread++) {
        end_us = thread_end(limits, thread);
        if (is_over(end_us, now_us)) {
            due.thread = i;
            due.what = thread->stage == ETCL_STAGE_RUNS && limits->interrupt_us
                           ? ETCL_DUE_INTERRUPT
                           : ETCL_DUE_GIVE_UP;
            return due;
        }
        due.until_us = sooner(due.until_us, end_us);
    }
    return due;
}

static int count_stage(const etcl_limits_state_t *state, etcl_stage_t stage)
{
    int i, count = 0;

    for (i = 0; i < state->threads; i++) {
        count += state->thread[i].stage == stage;
    }
    return count;
}

static int is_idle(const etcl_limits_state_t *state)
{
    return count_stage(state, ETCL_STAGE_IDLE) == state->threads;
}

/* Ways in which a worker becomes useless. */
static etcl_due_t check_life(const etcl_limits_t *limits,
                             const etcl_limits_state_t *state,
                             apr_int64_t now_us)
{
    apr_int64_t stuck_us = end_of(state->entered_us, limits->deadlock_us);
    apr_int64_t load_us = end_of(state->loading_us, limits->startup_us);
    etcl_due_t due = { ETCL_DUE_END, -1, ETCL_WHY_DEADLOCK, 0 };

    if (is_over(stuck_us, now_us)) {
        return due;
    }
    if (is_over(load_us, now_us)) {
        due.why = ETCL_WHY_STARTUP;
        return due;
    }
    if (state->capacity &&
        count_stage(state, ETCL_STAGE_LOST) >= state->capacity) {
        due.why = ETCL_WHY_REQUEST;
        return due;
    }
    due.what = ETCL_DUE_NOTHING;
    due.until_us = sooner(stuck_us, load_us);
    return due;
}

/* Reasons to have a successor. */
static etcl_due_t check_age(const etcl_limits_t *limits,
                            const etcl_limits_state_t *state,
                            apr_int64_t now_us)
{
    apr_int64_t age_us = end_of(state->ready_us, limits->restart_us);
    apr_int64_t idle_us =
        is_idle(state) ? end_of(state->active_us, limits->inactivity_us) : 0;
    etcl_due_t due = { ETCL_DUE_RENEW, -1, ETCL_WHY_CPU, 0 };

    if (state->cpu_spent) {
        return due;
    }
    if (state->drained) {
        due.why = ETCL_WHY_DESCRIPTORS;
        return due;
    }
    if (limits->requests && state->requests >= limits->requests) {
        due.why = ETCL_WHY_REQUESTS;
        return due;
    }
    if (is_over(age_us, now_us)) {
        due.why = ETCL_WHY_AGE;
        return due;
    }
    if (is_over(idle_us, now_us)) {
        due.why = ETCL_WHY_INACTIVITY;
        return due;
    }
    due.what = ETCL_DUE_NOTHING;
    due.until_us = sooner(age_us, idle_us);
    return due;
}

etcl_due_t etcl_limits_next(const etcl_limits_t *limits,
                            const etcl_limits_state_t *state,
                            apr_int64_t now_us)
{
    etcl_due_t due = check_threads(limits, state, now_us);
    apr_int64_t until_us = due.until_us;

    if (due.what != ETCL_DUE_NOTHING || state->ending) {
        return due;
    }
    due = check_life(limits, state, now_us);
    if (due.what != ETCL_DUE_NOTHING) {
        return due;
    }
    until_us = sooner(until_us, due.until_us);
    if (!state->asked) {
        due = check_age(limits, state, now_us);
        until_us = sooner(until_us, due.until_us);
    }
    due.until_us = until_us;
    return due;
}

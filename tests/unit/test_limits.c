/* Which limit is due: one table row is a worker, a time and the answer. */

#include "etcl_limits.h"
#include "rows.h"

#define SECOND APR_INT64_C(1000000)
#define NOW (1000 * SECOND)
#define AGO(seconds) (NOW - (seconds)*SECOND)

static const etcl_limits_t all = {
    .request_us = 10 * SECOND,
    .deadlock_us = 20 * SECOND,
    .inactivity_us = 30 * SECOND,
    .startup_us = 40 * SECOND,
    .restart_us = 50 * SECOND,
    .requests = 100,
};

static const etcl_limits_t interrupts = { .request_us = 10 * SECOND,
                                          .interrupt_us = 5 * SECOND };
static const etcl_limits_t none = { 0 };

#define IDLE                                                                   \
    {                                                                          \
        ETCL_STAGE_IDLE, 0                                                     \
    }

/* Two threads: the capacity of every worker here. */
static const etcl_limits_thread_t idle[] = { IDLE, IDLE };
static const etcl_limits_thread_t busy[] = { IDLE,
                                             { ETCL_STAGE_RUNS, AGO(9) } };
static const etcl_limits_thread_t slow[] = { { ETCL_STAGE_RUNS, AGO(9) },
                                             { ETCL_STAGE_RUNS, AGO(10) } };
static const etcl_limits_thread_t raised[] = {
    IDLE, { ETCL_STAGE_INTERRUPTED, AGO(4) }
};
static const etcl_limits_thread_t deaf[] = {
    IDLE, { ETCL_STAGE_INTERRUPTED, AGO(5) }
};
static const etcl_limits_thread_t lost[] = { IDLE,
                                             { ETCL_STAGE_LOST, AGO(99) } };
static const etcl_limits_thread_t gone[] = { { ETCL_STAGE_LOST, AGO(99) },
                                             { ETCL_STAGE_LOST, AGO(9) } };

#define THREADS(list) .threads = 2, .capacity = 2, .thread = (list)

static const struct {
    const char *name;
    const etcl_limits_t *limits;
    etcl_limits_state_t state;
    etcl_due_t want;
} rows[] = {
    { "nothing is due", &all, { THREADS(idle) }, { ETCL_DUE_NOTHING } },
    { "without limits nothing ever is",
      &none,
      { THREADS(slow), .ready_us = 1, .entered_us = 1, .active_us = 1,
        .loading_us = 1, .requests = 1000000 },
      { ETCL_DUE_NOTHING } },
    /* request-timeout */
    { "a request in time",
      &all,
      { THREADS(busy) },
      { .what = ETCL_DUE_NOTHING, .until_us = NOW + SECOND } },
    { "a request too late",
      &all,
      { THREADS(slow) },
      { .what = ETCL_DUE_GIVE_UP, .thread = 1, .why = ETCL_WHY_REQUEST } },
    { "a request too late in a worker that ends",
      &all,
      { THREADS(slow), .ending = 1 },
      { .what = ETCL_DUE_GIVE_UP, .thread = 1, .why = ETCL_WHY_REQUEST } },
    { "a thread is given up once",
      &all,
      { THREADS(lost), .asked = 1 },
      { ETCL_DUE_NOTHING } },
    { "all threads are lost",
      &all,
      { THREADS(gone), .asked = 1 },
      { .what = ETCL_DUE_END, .why = ETCL_WHY_REQUEST } },
    /* interrupt-timeout */
    { "a request is interrupted first",
      &interrupts,
      { THREADS(slow) },
      { .what = ETCL_DUE_INTERRUPT, .thread = 1, .why = ETCL_WHY_REQUEST } },
    { "and has its time to end",
      &interrupts,
      { THREADS(raised) },
      { .what = ETCL_DUE_NOTHING, .until_us = NOW + SECOND } },
    { "and is given up then",
      &interrupts,
      { THREADS(deaf) },
      { .what = ETCL_DUE_GIVE_UP, .thread = 1, .why = ETCL_WHY_REQUEST } },
    /* deadlock-timeout */
    { "Python may still be entered",
      &all,
      { THREADS(idle), .entered_us = AGO(19) },
      { .what = ETCL_DUE_NOTHING, .until_us = NOW + SECOND } },
    { "Python cannot be entered",
      &all,
      { THREADS(busy), .entered_us = AGO(20) },
      { .what = ETCL_DUE_END, .why = ETCL_WHY_DEADLOCK } },
    { "Python cannot be entered and the worker ends anyway",
      &all,
      { THREADS(idle), .entered_us = AGO(20), .ending = 1 },
      { ETCL_DUE_NOTHING } },
    /* startup-timeout of a script that is loaded on demand */
    { "a script may still load",
      &all,
      { THREADS(idle), .loading_us = AGO(39) },
      { .what = ETCL_DUE_NOTHING, .until_us = NOW + SECOND } },
    { "a script does not load",
      &all,
      { THREADS(idle), .loading_us = AGO(40) },
      { .what = ETCL_DUE_END, .why = ETCL_WHY_STARTUP } },
    /* inactivity-timeout */
    { "idle for a while",
      &all,
      { THREADS(idle), .active_us = AGO(29) },
      { .what = ETCL_DUE_NOTHING, .until_us = NOW + SECOND } },
    { "idle for too long",
      &all,
      { THREADS(idle), .active_us = AGO(30) },
      { .what = ETCL_DUE_RENEW, .why = ETCL_WHY_INACTIVITY } },
    { "not idle while a request runs",
      &all,
      { THREADS(busy), .active_us = AGO(30) },
      { .what = ETCL_DUE_NOTHING, .until_us = NOW + SECOND } },
    /* restart-interval */
    { "young enough",
      &all,
      { THREADS(idle), .ready_us = AGO(49) },
      { .what = ETCL_DUE_NOTHING, .until_us = NOW + SECOND } },
    { "too old",
      &all,
      { THREADS(busy), .ready_us = AGO(50) },
      { .what = ETCL_DUE_RENEW, .why = ETCL_WHY_AGE } },
    { "too old, and it has asked",
      &all,
      { THREADS(idle), .ready_us = AGO(50), .asked = 1 },
      { ETCL_DUE_NOTHING } },
    { "too old, and it ends",
      &all,
      { THREADS(idle), .ready_us = AGO(50), .ending = 1 },
      { ETCL_DUE_NOTHING } },
    /* maximum-requests, cpu-time-limit */
    { "requests to go", &all, { THREADS(idle), .requests = 99 }, { 0 } },
    { "no requests to go",
      &all,
      { THREADS(idle), .requests = 100 },
      { .what = ETCL_DUE_RENEW, .why = ETCL_WHY_REQUESTS } },
    { "the CPU time is spent",
      &none,
      { THREADS(busy), .cpu_spent = 1 },
      { .what = ETCL_DUE_RENEW, .why = ETCL_WHY_CPU } },
    { "no descriptor is left",
      &none,
      { THREADS(busy), .drained = 1 },
      { .what = ETCL_DUE_RENEW, .why = ETCL_WHY_DESCRIPTORS } },
};

START_TEST(what_is_due)
{
    etcl_due_t due = etcl_limits_next(rows[_i].limits, &rows[_i].state, NOW);
    const etcl_due_t *want = &rows[_i].want;

    ck_assert_msg(due.what == want->what, "%s: %d", rows[_i].name, due.what);
    switch (due.what) {
    case ETCL_DUE_NOTHING:
        ck_assert_msg(due.until_us == want->until_us, "%s", rows[_i].name);
        break;
    case ETCL_DUE_INTERRUPT:
    case ETCL_DUE_GIVE_UP:
        ck_assert_msg(due.thread == want->thread, "%s", rows[_i].name);
        break;
    default:
        ck_assert_msg(due.why == want->why, "%s", rows[_i].name);
    }
}
END_TEST

START_TEST(options_are_seconds)
{
    etcl_group_t group;
    etcl_limits_t limits;

    etcl_group_init(&group, "limits");
    limits = etcl_limits_of(&group.options, 0);
    ck_assert_int_eq(limits.deadlock_us, 300 * SECOND);
    ck_assert_int_eq(limits.request_us, 0);
    ck_assert_uint_eq(limits.requests, 0);
    group.options.request_timeout = 7;
    group.options.threads = 200;
    limits = etcl_limits_of(&group.options, 0);
    ck_assert_int_eq(limits.request_us, 7 * SECOND); /* of no ln(threads) */
}
END_TEST

static const struct {
    int most;
    apr_uint64_t dice, want;
} jitter[] = { { 3, 12345, 3 },    { 50, 0, 50 },     { 50, 5, 45 },
               { 50, 6, 50 },      { 1000, 99, 901 }, { 1, 7, 1 },
               { 1000, 101, 1000 } };

START_TEST(workers_do_not_reach_maximum_requests_together)
{
    etcl_group_t group;

    etcl_group_init(&group, "limits");
    group.options.maximum_requests = jitter[_i].most;
    ck_assert_uint_eq(etcl_limits_of(&group.options, jitter[_i].dice).requests,
                      jitter[_i].want);
}
END_TEST

Suite *suite_limits(void)
{
    Suite *suite = suite_create("limits");
    TCase *tests = tcase_create("limits");

    tcase_add_rows(tests, what_is_due, rows);
    tcase_add_test(tests, options_are_seconds);
    tcase_add_rows(tests, workers_do_not_reach_maximum_requests_together,
                   jitter);
    suite_add_tcase(suite, tests);
    return suite;
}

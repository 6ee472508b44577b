/* What a supervisor decides: each test drives the policy as the supervisor
 * would, and looks at the next action. */

#include "etcl_policy.h"
#include "rows.h"

#define SECOND APR_INT64_C(1000000)
#define NOW (1000 * SECOND)

static etcl_policy_t policy;

static void begin_with(int wanted, int threads, int startup)
{
    etcl_group_t group;

    etcl_group_init(&group, "policy");
    group.options.processes = wanted;
    group.options.threads = threads;
    group.options.graceful_timeout = 15;
    group.options.eviction_timeout = 7;
    group.options.shutdown_timeout = 5;
    group.options.startup_timeout = startup;
    etcl_policy_init(&policy, 2 * wanted, &group.options);
}

static void begin(int wanted)
{
    begin_with(wanted, 15, 0);
}

static void expect(etcl_do_t what, int slot, apr_int64_t now_us)
{
    etcl_action_t action = etcl_policy_next(&policy, now_us);

    ck_assert_int_eq(action.what, what);
    ck_assert_int_eq(action.slot, slot);
}

static void fork_slot(int slot)
{
    expect(ETCL_DO_FORK, slot, NOW);
    etcl_policy_forked(&policy, slot, NOW);
}

/* Carry out a start that succeeds. */
static void start_ready(int slot, apr_int64_t now_us)
{
    expect(ETCL_DO_FORK, slot, now_us);
    etcl_policy_forked(&policy, slot, NOW);
    ck_assert_int_eq(etcl_policy_ready(&policy, slot, 0, now_us), 1);
}

static void retire(int slot, apr_int64_t now_us)
{
    expect(ETCL_DO_RETIRE, slot, now_us);
    etcl_policy_retiring(&policy, slot, etcl_policy_grace(&policy, 0), now_us);
}

START_TEST(as_many_workers_start_at_once_as_are_wanted)
{
    begin(3);
    fork_slot(0);
    fork_slot(1);
    fork_slot(2);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(a_crash_of_a_worker_that_served_is_filled_at_once)
{
    begin(2);
    start_ready(0, NOW);
    start_ready(1, NOW);
    etcl_policy_ended(&policy, 0, 0, NOW + SECOND);
    expect(ETCL_DO_FORK, 0, NOW + SECOND);
}
END_TEST

static const int delays[] = { 0, 1, 2, 4, 8, 8, 8 };

START_TEST(starts_that_fail_are_tried_less_and_less_often)
{
    apr_int64_t now_us = NOW, wait_us;
    etcl_action_t action;
    size_t i;

    begin(1);
    for (i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
        expect(ETCL_DO_FORK, 0, now_us);
        etcl_policy_forked(&policy, 0, NOW);
        etcl_policy_ended(&policy, 0, 0, now_us);
        wait_us = delays[i] * SECOND;
        if (wait_us) {
            ck_assert(etcl_policy_rests(&policy, now_us + wait_us - 1));
            action = etcl_policy_next(&policy, now_us + wait_us - 1);
            ck_assert_int_eq(action.what, ETCL_DO_WAIT);
            ck_assert_int_eq(action.until_us, now_us + wait_us);
        }
        now_us += wait_us;
        ck_assert(!etcl_policy_rests(&policy, now_us));
    }
}
END_TEST

START_TEST(workers_that_die_as_soon_as_they_are_ready_are_backed_off)
{
    apr_int64_t now_us = NOW;
    int i;

    begin(1);
    for (i = 0; i < ETCL_POLICY_SHORT_MAX + 2; i++) {
        start_ready(0, now_us);
        now_us += ETCL_POLICY_SHORT_US - 1;
        etcl_policy_ended(&policy, 0, 0, now_us);
    }
    ck_assert_int_eq(policy.starts.failures, 2);
    expect(ETCL_DO_WAIT, -1, now_us);
}
END_TEST

START_TEST(a_worker_that_answered_and_then_died_had_started)
{
    int i;

    begin(1);
    for (i = 0; i < 2 * ETCL_POLICY_SHORT_MAX; i++) {
        start_ready(0, NOW);
        etcl_policy_ended(&policy, 0, i % 2, NOW + 1);
    }
    expect(ETCL_DO_FORK, 0, NOW + 1);
}
END_TEST

START_TEST(a_fork_that_fails_is_backed_off_too)
{
    begin(1);
    etcl_policy_not_forked(&policy, NOW);
    expect(ETCL_DO_FORK, 0, NOW);
    etcl_policy_not_forked(&policy, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    expect(ETCL_DO_FORK, 0, NOW + SECOND);
}
END_TEST

START_TEST(a_reload_replaces_one_by_one_and_first_then_retires)
{
    begin(2);
    start_ready(0, NOW);
    start_ready(1, NOW + 1);
    etcl_policy_renew(&policy, -1);
    fork_slot(2);
    expect(ETCL_DO_WAIT, -1, NOW);
    ck_assert_int_eq(etcl_policy_ready(&policy, 2, 0, NOW), 1);
    retire(0, NOW);
    fork_slot(3);
    etcl_policy_ready(&policy, 3, 0, NOW);
    retire(1, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    etcl_policy_ended(&policy, 0, 0, NOW);
    etcl_policy_ended(&policy, 1, 0, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(one_worker_is_replaced_alone)
{
    begin(2);
    start_ready(0, NOW);
    start_ready(1, NOW);
    etcl_policy_renew(&policy, 1);
    fork_slot(2);
    etcl_policy_ready(&policy, 2, 0, NOW);
    retire(1, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(new_code_that_does_not_load_leaves_the_old_workers)
{
    begin(2);
    start_ready(0, NOW);
    start_ready(1, NOW);
    etcl_policy_renew(&policy, -1);
    fork_slot(2);
    ck_assert_int_eq(etcl_policy_ready(&policy, 2, 1, NOW), 0);
    retire(2, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    etcl_policy_ended(&policy, 2, 0, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    /* One of the old ones dies: the code is known not to load. */
    etcl_policy_ended(&policy, 0, 0, NOW + SECOND);
    expect(ETCL_DO_WAIT, -1, NOW + SECOND);
    /* The file changes again. */
    etcl_policy_renew(&policy, -1);
    expect(ETCL_DO_FORK, 0, NOW + SECOND);
}
END_TEST

START_TEST(code_that_never_loaded_serves_its_errors)
{
    begin(2);
    fork_slot(0);
    fork_slot(1);
    ck_assert_int_eq(etcl_policy_ready(&policy, 0, 1, NOW), 1);
    ck_assert_int_eq(etcl_policy_ready(&policy, 1, 1, NOW), 1);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(with_the_last_good_worker_gone_bad_code_serves_its_errors)
{
    begin(1);
    start_ready(0, NOW);
    etcl_policy_renew(&policy, -1);
    fork_slot(1);
    ck_assert_int_eq(etcl_policy_ready(&policy, 1, 1, NOW), 0);
    retire(1, NOW);
    etcl_policy_ended(&policy, 1, 0, NOW);
    etcl_policy_ended(&policy, 0, 0, NOW + SECOND);
    expect(ETCL_DO_FORK, 0, NOW + SECOND);
    etcl_policy_forked(&policy, 0, NOW);
    ck_assert_int_eq(etcl_policy_ready(&policy, 0, 1, NOW + SECOND), 1);
}
END_TEST

START_TEST(a_worker_that_hangs_in_old_code_is_replaced_as_well)
{
    begin(1);
    fork_slot(0);
    etcl_policy_renew(&policy, -1);
    retire(0, NOW);
    expect(ETCL_DO_FORK, 1, NOW);
}
END_TEST

START_TEST(a_worker_that_does_not_end_is_killed_in_time)
{
    apr_int64_t until_us = NOW + 20 * SECOND + ETCL_POLICY_SLACK_US;
    etcl_action_t action;

    begin(1);
    start_ready(0, NOW);
    etcl_policy_end(&policy, 0, NOW);
    retire(0, NOW);
    action = etcl_policy_next(&policy, NOW);
    ck_assert_int_eq(action.until_us, until_us);
    expect(ETCL_DO_WAIT, -1, until_us - 1);
    expect(ETCL_DO_KILL, 0, until_us);
    etcl_policy_killed(&policy, 0);
    expect(ETCL_DO_WAIT, -1, until_us);
    etcl_policy_ended(&policy, 0, 0, until_us);
    expect(ETCL_DO_EXIT, -1, until_us);
}
END_TEST

START_TEST(a_hurry_shortens_the_time_of_those_that_end_already)
{
    begin(1);
    start_ready(0, NOW);
    etcl_policy_end(&policy, 0, NOW);
    retire(0, NOW);
    etcl_policy_end(&policy, 1, NOW + SECOND);
    expect(ETCL_DO_WAIT, -1, NOW + 6 * SECOND);
    expect(ETCL_DO_KILL, 0, NOW + 6 * SECOND + ETCL_POLICY_SLACK_US);
}
END_TEST

START_TEST(no_worker_starts_in_a_group_that_ends)
{
    begin(2);
    start_ready(0, NOW);
    etcl_policy_end(&policy, 0, NOW);
    retire(0, NOW);
    etcl_policy_ended(&policy, 0, 0, NOW);
    expect(ETCL_DO_EXIT, -1, NOW);
}
END_TEST

START_TEST(without_a_free_slot_a_start_waits)
{
    begin(1);
    start_ready(0, NOW);
    etcl_policy_retiring(&policy, 0, &policy.grace, NOW);
    fork_slot(1);
    etcl_policy_ready(&policy, 1, 0, NOW);
    etcl_policy_retiring(&policy, 1, &policy.grace, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(a_worker_that_is_not_ready_in_time_is_killed_and_did_not_start)
{
    begin_with(1, 15, 3);
    fork_slot(0);
    ck_assert_int_eq(etcl_policy_next(&policy, NOW).until_us, NOW + 3 * SECOND);
    expect(ETCL_DO_WAIT, -1, NOW + 3 * SECOND - 1);
    expect(ETCL_DO_KILL, 0, NOW + 3 * SECOND);
    etcl_policy_killed(&policy, 0);
    etcl_policy_ended(&policy, 0, 0, NOW + 3 * SECOND);
    ck_assert_int_eq(policy.starts.failures, 1);
}
END_TEST

START_TEST(a_worker_that_is_ready_in_time_is_not_killed)
{
    begin_with(1, 15, 3);
    start_ready(0, NOW);
    expect(ETCL_DO_WAIT, -1, NOW + 10 * SECOND);
}
END_TEST

START_TEST(a_service_that_ends_at_once_is_backed_off)
{
    apr_int64_t now_us = NOW;

    begin_with(1, 0, 0);
    start_ready(0, now_us);
    etcl_policy_ended(&policy, 0, 0, now_us + SECOND);
    ck_assert_int_eq(policy.starts.failures, 0);
    start_ready(0, now_us);
    now_us += SECOND / 2;
    etcl_policy_ended(&policy, 0, 0, now_us);
    start_ready(0, now_us);
    now_us += SECOND / 2;
    etcl_policy_ended(&policy, 0, 0, now_us);
    ck_assert_int_eq(policy.starts.failures, 2);
    expect(ETCL_DO_WAIT, -1, now_us);
    expect(ETCL_DO_FORK, 0, now_us + SECOND);
}
END_TEST

START_TEST(eviction_has_a_time_of_its_own_until_there_is_a_hurry)
{
    begin(1);
    ck_assert_int_eq(etcl_policy_grace(&policy, 0)->calls_us, 15 * SECOND);
    ck_assert_int_eq(etcl_policy_grace(&policy, 1)->calls_us, 7 * SECOND);
    etcl_policy_end(&policy, 1, NOW);
    ck_assert_int_eq(etcl_policy_grace(&policy, 1)->calls_us, 4 * SECOND);
}
END_TEST

START_TEST(a_worker_that_stands_still_is_replaced)
{
    int i;

    begin(2);
    start_ready(0, NOW);
    start_ready(1, NOW);
    ck_assert_int_eq(etcl_policy_looked(&policy, 0, 1), 0);
    for (i = 1; i < ETCL_POLICY_LOOKS; i++) {
        ck_assert_int_eq(etcl_policy_looked(&policy, 0, 1), 0);
        ck_assert_int_eq(etcl_policy_looked(&policy, 1, i), 0);
    }
    expect(ETCL_DO_WAIT, -1, NOW);
    ck_assert_int_eq(etcl_policy_looked(&policy, 0, 1), 1);
    ck_assert_int_eq(etcl_policy_looked(&policy, 0, 1), 0);
    fork_slot(2);
    etcl_policy_ready(&policy, 2, 0, NOW);
    retire(0, NOW);
    for (i = ETCL_POLICY_LOOKS + 2; i < ETCL_POLICY_LOOKS_MAX; i++) {
        ck_assert_int_eq(etcl_policy_looked(&policy, 0, 1), 0);
    }
    expect(ETCL_DO_WAIT, -1, NOW);
    ck_assert_int_eq(etcl_policy_looked(&policy, 0, 1), 0);
    expect(ETCL_DO_KILL, 0, NOW);
}
END_TEST

START_TEST(a_worker_that_stands_still_before_it_is_ready_is_killed)
{
    int i;

    begin(1);
    fork_slot(0);
    for (i = 0; i <= ETCL_POLICY_LOOKS_MAX; i++) {
        expect(ETCL_DO_WAIT, -1, NOW);
        ck_assert_int_eq(etcl_policy_looked(&policy, 0, 1), 0);
    }
    expect(ETCL_DO_KILL, 0, NOW);
}
END_TEST

START_TEST(a_limit_does_not_try_code_that_is_known_not_to_load)
{
    begin(1);
    start_ready(0, NOW);
    etcl_policy_renew(&policy, -1);
    fork_slot(1);
    ck_assert_int_eq(etcl_policy_ready(&policy, 1, 1, NOW), 0);
    retire(1, NOW);
    etcl_policy_ended(&policy, 1, 0, NOW);
    etcl_policy_renew(&policy, 0);
    expect(ETCL_DO_WAIT, -1, NOW);
    etcl_policy_renew(&policy, -1);
    expect(ETCL_DO_FORK, 1, NOW);
}
END_TEST

START_TEST(with_wait_the_first_new_worker_sends_all_old_ones_home)
{
    begin(3);
    policy.wait = 1;
    start_ready(0, NOW);
    start_ready(1, NOW);
    start_ready(2, NOW);
    ck_assert(etcl_policy_is_settled(&policy));
    etcl_policy_renew(&policy, -1);
    ck_assert(!etcl_policy_is_settled(&policy));
    fork_slot(3);
    expect(ETCL_DO_WAIT, -1, NOW);
    etcl_policy_ready(&policy, 3, 0, NOW);
    ck_assert(!etcl_policy_is_settled(&policy));
    retire(0, NOW);
    retire(1, NOW);
    retire(2, NOW);
    ck_assert(etcl_policy_is_settled(&policy));
    fork_slot(4);
    fork_slot(5);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(with_wait_a_limit_still_replaces_one_by_one)
{
    begin(2);
    policy.wait = 1;
    start_ready(0, NOW);
    start_ready(1, NOW);
    etcl_policy_renew(&policy, 0);
    etcl_policy_renew(&policy, 1);
    ck_assert(etcl_policy_is_settled(&policy));
    fork_slot(2);
    expect(ETCL_DO_WAIT, -1, NOW);
    etcl_policy_ready(&policy, 2, 0, NOW);
    retire(0, NOW);
    fork_slot(3);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(code_that_does_not_load_is_waited_for_no_longer)
{
    begin(2);
    policy.wait = 1;
    start_ready(0, NOW);
    start_ready(1, NOW);
    etcl_policy_renew(&policy, -1);
    fork_slot(2);
    ck_assert_int_eq(etcl_policy_ready(&policy, 2, 1, NOW), 0);
    ck_assert(etcl_policy_is_settled(&policy));
    retire(2, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(code_at_which_a_worker_dies_is_waited_for_no_longer)
{
    begin(1);
    policy.wait = 1;
    start_ready(0, NOW);
    etcl_policy_renew(&policy, -1);
    fork_slot(1);
    ck_assert(!etcl_policy_is_settled(&policy));
    etcl_policy_ended(&policy, 1, 0, NOW);
    ck_assert(etcl_policy_is_settled(&policy));
    fork_slot(1);
    etcl_policy_ready(&policy, 1, 0, NOW);
    retire(0, NOW);
    ck_assert(etcl_policy_is_settled(&policy));
}
END_TEST

START_TEST(workers_that_are_missing_are_tried_again_in_a_while)
{
    apr_int64_t later_us = NOW + ETCL_POLICY_RETRY_US;

    begin(2);
    start_ready(0, NOW);
    start_ready(1, NOW);
    etcl_policy_renew(&policy, -1);
    fork_slot(2);
    etcl_policy_ready(&policy, 2, 1, NOW);
    retire(2, NOW);
    etcl_policy_ended(&policy, 2, 0, NOW);
    expect(ETCL_DO_WAIT, -1, later_us);
    etcl_policy_ended(&policy, 0, 0, NOW + SECOND);
    expect(ETCL_DO_WAIT, -1, later_us - 1);
    expect(ETCL_DO_FORK, 0, later_us);
}
END_TEST

/* Whatever the reasons are, and in whichever order they come. */
START_TEST(few_workers_are_more_than_wanted_at_any_time)
{
    apr_uint64_t dice = (apr_uint64_t)_i * 2654435761u + 1;
    int step, slot, i, alive;
    etcl_action_t action;

    begin(3);
    policy.wait = _i % 2;
    for (step = 0; step < 2000; step++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        slot = (int)(dice >> 40) % policy.slots;
        if (policy.slot[slot].state == ETCL_WORKER_READY) {
            etcl_policy_renew(&policy, dice >> 60 ? slot : -1);
        } else if (policy.slot[slot].state == ETCL_WORKER_STARTING) {
            etcl_policy_ready(&policy, slot, 0, NOW + step);
        } else if (policy.slot[slot].state == ETCL_WORKER_RETIRING) {
            etcl_policy_ended(&policy, slot, 1, NOW + step);
        }
        while ((action = etcl_policy_next(&policy, NOW + step)).what !=
               ETCL_DO_WAIT) {
            if (action.what == ETCL_DO_FORK) {
                etcl_policy_forked(&policy, action.slot, NOW + step);
            } else {
                etcl_policy_retiring(&policy, action.slot, &policy.grace,
                                     NOW + step);
            }
        }
        for (i = 0, alive = 0; i < policy.slots; i++) {
            alive += policy.slot[i].state == ETCL_WORKER_READY ||
                     policy.slot[i].state == ETCL_WORKER_STARTING;
        }
        ck_assert_int_le(alive, policy.wanted + 1);
    }
}
END_TEST

Suite *suite_policy(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("policy");

    tcase_add_test(tests, as_many_workers_start_at_once_as_are_wanted);
    tcase_add_test(tests, a_crash_of_a_worker_that_served_is_filled_at_once);
    tcase_add_test(tests, starts_that_fail_are_tried_less_and_less_often);
    tcase_add_test(tests,
                   workers_that_die_as_soon_as_they_are_ready_are_backed_off);
    tcase_add_test(tests, a_worker_that_answered_and_then_died_had_started);
    tcase_add_test(tests, a_fork_that_fails_is_backed_off_too);
    tcase_add_test(tests, a_reload_replaces_one_by_one_and_first_then_retires);
    tcase_add_test(tests, one_worker_is_replaced_alone);
    tcase_add_test(tests, new_code_that_does_not_load_leaves_the_old_workers);
    tcase_add_test(tests, code_that_never_loaded_serves_its_errors);
    tcase_add_test(tests,
                   with_the_last_good_worker_gone_bad_code_serves_its_errors);
    tcase_add_test(tests, a_worker_that_hangs_in_old_code_is_replaced_as_well);
    tcase_add_test(tests, a_worker_that_does_not_end_is_killed_in_time);
    tcase_add_test(tests, a_hurry_shortens_the_time_of_those_that_end_already);
    tcase_add_test(tests, no_worker_starts_in_a_group_that_ends);
    tcase_add_test(tests, without_a_free_slot_a_start_waits);
    tcase_add_test(
        tests, a_worker_that_is_not_ready_in_time_is_killed_and_did_not_start);
    tcase_add_test(tests, a_worker_that_is_ready_in_time_is_not_killed);
    tcase_add_test(tests, a_service_that_ends_at_once_is_backed_off);
    tcase_add_test(tests,
                   eviction_has_a_time_of_its_own_until_there_is_a_hurry);
    tcase_add_test(tests, a_worker_that_stands_still_is_replaced);
    tcase_add_test(tests,
                   a_worker_that_stands_still_before_it_is_ready_is_killed);
    tcase_add_test(tests, a_limit_does_not_try_code_that_is_known_not_to_load);
    tcase_add_test(tests,
                   with_wait_the_first_new_worker_sends_all_old_ones_home);
    tcase_add_test(tests, with_wait_a_limit_still_replaces_one_by_one);
    tcase_add_test(tests, code_that_does_not_load_is_waited_for_no_longer);
    tcase_add_test(tests, code_at_which_a_worker_dies_is_waited_for_no_longer);
    tcase_add_test(tests, workers_that_are_missing_are_tried_again_in_a_while);
    tcase_add_loop_test(tests, few_workers_are_more_than_wanted_at_any_time, 0,
                        8);
    suite_add_tcase(suite, tests);
    return suite;
}

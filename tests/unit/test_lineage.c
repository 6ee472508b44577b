/* What a supervisor decides about templates, by the policy that it asks: each
 * test drives it as the supervisor would. */

#include "etcl_policy.h"
#include "rows.h"

#define SECOND APR_INT64_C(1000000)
#define NOW (1000 * SECOND)

static etcl_policy_t policy;

static void begin_with(int threads, int startup)
{
    etcl_group_t group;

    etcl_group_init(&group, "lineage");
    group.options.processes = 2;
    group.options.threads = threads;
    group.options.preload = 1;
    group.options.startup_timeout = startup;
    etcl_policy_init(&policy, 4, &group.options);
}

static etcl_action_t expect(etcl_do_t what, int number, apr_int64_t now_us)
{
    etcl_action_t action = etcl_policy_next(&policy, now_us);
    int template = what == ETCL_DO_LOAD || what == ETCL_DO_DROP;

    ck_assert_int_eq(action.what, what);
    ck_assert_int_eq(template ? action.place : action.slot, number);
    return action;
}

static void load(int place, apr_int64_t now_us)
{
    expect(ETCL_DO_LOAD, place, now_us);
    etcl_lineage_loading(&policy.lineage, place, now_us);
}

static void drop(int place, apr_int64_t now_us)
{
    expect(ETCL_DO_DROP, place, now_us);
    etcl_lineage_killed(&policy.lineage, place, now_us);
    etcl_lineage_ended(&policy.lineage, place, now_us);
}

static void bear(int place, int slot, int failing)
{
    etcl_action_t action = expect(ETCL_DO_BEAR, slot, NOW);

    ck_assert_int_eq(action.place, place);
    etcl_policy_ordered(&policy, slot, NOW);
    etcl_policy_born(&policy, slot, NOW);
    ck_assert_int_eq(etcl_policy_ready(&policy, slot, failing, NOW), 1);
}

/* A template in place 1, from which two workers were forked. */
static void begin(int failing)
{
    begin_with(15, 0);
    load(1, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 1, failing, NOW),
                     ETCL_HEIR_SAME);
    bear(1, 0, failing);
    bear(1, 1, failing);
    expect(ETCL_DO_WAIT, -1, NOW);
}

START_TEST(workers_wait_for_the_template_and_are_forked_from_it)
{
    begin_with(15, 0);
    load(1, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 1, 0, NOW),
                     ETCL_HEIR_SAME);
    bear(1, 0, 0);
    bear(1, 1, 0);
    expect(ETCL_DO_WAIT, -1, NOW);
}
END_TEST

START_TEST(a_service_has_no_template)
{
    begin_with(0, 0);
    expect(ETCL_DO_FORK, 0, NOW);
}
END_TEST

START_TEST(a_crash_is_filled_from_the_template)
{
    begin(0);
    etcl_policy_ended(&policy, 0, 1, NOW + SECOND);
    expect(ETCL_DO_BEAR, 0, NOW + SECOND);
}
END_TEST

START_TEST(a_template_that_dies_is_replaced_and_workers_stay)
{
    begin(0);
    etcl_lineage_ended(&policy.lineage, 1, NOW + 9 * SECOND);
    load(1, NOW + 9 * SECOND);
    ck_assert_int_eq(
        etcl_policy_template_ready(&policy, 1, 0, NOW + 9 * SECOND),
        ETCL_HEIR_SAME);
    expect(ETCL_DO_WAIT, -1, NOW + 9 * SECOND);
}
END_TEST

START_TEST(new_code_is_a_new_template_first)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 0, NOW),
                     ETCL_HEIR_NEW);
    drop(1, NOW);
    bear(0, 2, 0);
    expect(ETCL_DO_RETIRE, 0, NOW);
}
END_TEST

START_TEST(while_a_new_template_loads_the_old_one_fills_a_crash)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    etcl_policy_ended(&policy, 0, 1, NOW);
    bear(1, 0, 0);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 0, NOW),
                     ETCL_HEIR_NEW);
    drop(1, NOW);
    ck_assert_int_eq(policy.slot[0].stale, 1);
}
END_TEST

START_TEST(one_that_loads_old_code_is_given_up)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    etcl_policy_renew(&policy, -1);
    drop(0, NOW);
    load(0, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 0, NOW),
                     ETCL_HEIR_NEW);
    ck_assert_int_eq(policy.slot[0].stale, 1);
}
END_TEST

START_TEST(one_that_is_to_go_is_not_ready_any_more)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    etcl_policy_renew(&policy, -1);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 0, NOW),
                     ETCL_HEIR_NONE);
    drop(0, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 0, NOW),
                     ETCL_HEIR_NONE);
    ck_assert_int_eq(policy.slot[0].stale, 0);
}
END_TEST

START_TEST(code_that_loads_less_leaves_everything_as_it_is)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 1, NOW),
                     ETCL_HEIR_USELESS);
    drop(0, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    etcl_policy_ended(&policy, 1, 1, NOW);
    bear(1, 1, 0);
    etcl_policy_renew(&policy, -1);
    expect(ETCL_DO_LOAD, 0, NOW);
}
END_TEST

START_TEST(code_that_loads_less_is_not_tried_again_and_again)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 1, NOW),
                     ETCL_HEIR_USELESS);
    drop(0, NOW);
    etcl_lineage_ended(&policy.lineage, 1, NOW + 9 * SECOND);
    expect(ETCL_DO_WAIT, -1, NOW + 9 * SECOND);
    etcl_policy_ended(&policy, 0, 1, NOW + 9 * SECOND);
    expect(ETCL_DO_WAIT, -1, NOW + 9 * SECOND);
    etcl_policy_ended(&policy, 1, 1, NOW + 9 * SECOND);
    expect(ETCL_DO_LOAD, 1, NOW + 9 * SECOND);
}
END_TEST

START_TEST(code_that_loads_as_little_as_before_is_taken)
{
    begin(1);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    ck_assert_int_eq(etcl_policy_template_ready(&policy, 0, 1, NOW),
                     ETCL_HEIR_NEW);
}
END_TEST

START_TEST(one_with_old_code_that_cannot_be_forked_says_nothing_of_the_new)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    etcl_policy_renew(&policy, -1);
    etcl_policy_template_refused(&policy, 0);
    drop(0, NOW);
    etcl_policy_template_refused(&policy, 0);
    load(0, NOW);
    ck_assert_int_eq(policy.slot[0].stale, 0);
}
END_TEST

START_TEST(what_cannot_be_forked_is_loaded_by_every_worker)
{
    begin_with(15, 0);
    load(1, NOW);
    etcl_policy_template_refused(&policy, 1);
    drop(1, NOW);
    expect(ETCL_DO_FORK, 0, NOW);
}
END_TEST

START_TEST(new_code_that_cannot_be_forked_replaces_the_old_all_the_same)
{
    begin(0);
    etcl_policy_renew(&policy, -1);
    load(0, NOW);
    etcl_policy_template_refused(&policy, 0);
    drop(0, NOW);
    drop(1, NOW);
    expect(ETCL_DO_FORK, 2, NOW);
    etcl_policy_renew(&policy, -1);
    expect(ETCL_DO_LOAD, 1, NOW);
}
END_TEST

static const int delays[] = { 0, 1, 2, 4, 8, 8 };

START_TEST(templates_that_do_not_start_are_tried_less_and_less_often)
{
    apr_int64_t now_us = NOW;
    etcl_action_t action;
    size_t i;

    begin_with(15, 0);
    for (i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
        load(1, now_us);
        etcl_lineage_ended(&policy.lineage, 1, now_us);
        if (delays[i]) {
            action = expect(ETCL_DO_WAIT, -1, now_us);
            ck_assert_int_eq(action.until_us, now_us + delays[i] * SECOND);
        }
        now_us += delays[i] * SECOND;
    }
    etcl_policy_renew(&policy, -1);
    expect(ETCL_DO_LOAD, 1, now_us);
}
END_TEST

START_TEST(a_template_that_loads_too_long_is_killed_and_tried_again)
{
    begin_with(15, 10);
    load(1, NOW);
    ck_assert_int_eq(expect(ETCL_DO_WAIT, -1, NOW).until_us, NOW + 10 * SECOND);
    drop(1, NOW + 10 * SECOND);
    ck_assert_int_eq(policy.lineage.starts.failures, 1);
    expect(ETCL_DO_LOAD, 1, NOW + 10 * SECOND);
}
END_TEST

START_TEST(a_template_that_does_not_fork_is_given_up)
{
    apr_int64_t late_us = NOW + ETCL_POLICY_BIRTH_US;

    begin(0);
    etcl_policy_ended(&policy, 0, 1, NOW);
    expect(ETCL_DO_BEAR, 0, NOW);
    etcl_policy_ordered(&policy, 0, NOW);
    expect(ETCL_DO_WAIT, -1, late_us - 1);
    expect(ETCL_DO_KILL, 0, late_us);
    etcl_policy_killed(&policy, 0);
    etcl_policy_ended(&policy, 0, 0, late_us);
    drop(1, late_us);
    expect(ETCL_DO_LOAD, 1, late_us);
}
END_TEST

START_TEST(a_worker_that_was_not_born_is_ordered_again)
{
    begin(0);
    etcl_policy_ended(&policy, 0, 1, NOW);
    expect(ETCL_DO_BEAR, 0, NOW);
    etcl_policy_ordered(&policy, 0, NOW);
    etcl_policy_ended(&policy, 0, 0, NOW);
    expect(ETCL_DO_BEAR, 0, NOW);
}
END_TEST

START_TEST(a_group_ends_with_its_template)
{
    begin(0);
    etcl_policy_end(&policy, 0, NOW);
    expect(ETCL_DO_RETIRE, 0, NOW);
    etcl_policy_retiring(&policy, 0, etcl_policy_grace(&policy, 0), NOW);
    etcl_policy_retiring(&policy, 1, etcl_policy_grace(&policy, 0), NOW);
    expect(ETCL_DO_DROP, 1, NOW);
    etcl_lineage_killed(&policy.lineage, 1, NOW);
    etcl_policy_ended(&policy, 0, 1, NOW);
    etcl_policy_ended(&policy, 1, 1, NOW);
    expect(ETCL_DO_WAIT, -1, NOW);
    etcl_lineage_ended(&policy.lineage, 1, NOW);
    expect(ETCL_DO_EXIT, -1, NOW);
}
END_TEST

Suite *suite_lineage(void)
{
    Suite *suite = suite_create("lineage");
    TCase *tests = tcase_create("lineage");

    tcase_add_test(tests, workers_wait_for_the_template_and_are_forked_from_it);
    tcase_add_test(tests, a_service_has_no_template);
    tcase_add_test(tests, a_crash_is_filled_from_the_template);
    tcase_add_test(tests, a_template_that_dies_is_replaced_and_workers_stay);
    tcase_add_test(tests, new_code_is_a_new_template_first);
    tcase_add_test(tests, while_a_new_template_loads_the_old_one_fills_a_crash);
    tcase_add_test(tests, one_that_loads_old_code_is_given_up);
    tcase_add_test(tests, one_that_is_to_go_is_not_ready_any_more);
    tcase_add_test(tests, code_that_loads_less_leaves_everything_as_it_is);
    tcase_add_test(tests, code_that_loads_less_is_not_tried_again_and_again);
    tcase_add_test(tests, code_that_loads_as_little_as_before_is_taken);
    tcase_add_test(
        tests, one_with_old_code_that_cannot_be_forked_says_nothing_of_the_new);
    tcase_add_test(tests, what_cannot_be_forked_is_loaded_by_every_worker);
    tcase_add_test(
        tests, new_code_that_cannot_be_forked_replaces_the_old_all_the_same);
    tcase_add_test(tests,
                   templates_that_do_not_start_are_tried_less_and_less_often);
    tcase_add_test(tests,
                   a_template_that_loads_too_long_is_killed_and_tried_again);
    tcase_add_test(tests, a_template_that_does_not_fork_is_given_up);
    tcase_add_test(tests, a_worker_that_was_not_born_is_ordered_again);
    tcase_add_test(tests, a_group_ends_with_its_template);
    suite_add_tcase(suite, tests);
    return suite;
}

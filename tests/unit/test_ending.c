/* The order to end, and the time that it leaves. */

#include "etcl_clock.h"
#include "etcl_ending.h"

#include <check.h>

#define SECOND_US APR_INT64_C(1000000)

static const etcl_group_options_t options = { .graceful_timeout = 15,
                                              .shutdown_timeout = 5 };

static void set_up(void)
{
    etcl_ending_open(&options);
    etcl_ending_serve();
}

static void give(apr_int64_t calls_until_us, apr_int64_t stop_us)
{
    etcl_ending_give(&(etcl_ending_t){ .why = ETCL_WHY_SCRIPT,
                                       .calls_until_us = calls_until_us,
                                       .stop_us = stop_us });
}

/* So long from now, give or take a second. */
static void is_in(apr_int64_t at_us, int seconds)
{
    apr_int64_t left_us = at_us - etcl_clock_us();

    ck_assert_int_gt(left_us, (seconds - 1) * SECOND_US);
    ck_assert_int_le(left_us, seconds * SECOND_US);
}

START_TEST(without_an_order_no_end_is_known)
{
    ck_assert_int_eq(etcl_ending_is_given(), 0);
    ck_assert_int_eq(etcl_ending_until_us(), 0);
}
END_TEST

START_TEST(an_order_is_kept)
{
    give(1000, 200);
    ck_assert_int_eq(etcl_ending_is_given(), 1);
    etcl_ending_wait();
    ck_assert_int_eq(etcl_ending_get().why, ETCL_WHY_SCRIPT);
    ck_assert_int_eq(etcl_ending_get().calls_until_us, 1000);
    ck_assert_int_eq(etcl_ending_until_us(), 1200);
}
END_TEST

START_TEST(of_two_orders_the_more_urgent_holds)
{
    give(1000, 200);
    give(5000, 200);
    ck_assert_int_eq(etcl_ending_get().calls_until_us, 1000);
    ck_assert_int_eq(etcl_ending_until_us(), 1200);
    give(500, 100);
    ck_assert_int_eq(etcl_ending_get().calls_until_us, 500);
    ck_assert_int_eq(etcl_ending_until_us(), 600);
}
END_TEST

START_TEST(what_ends_by_itself_has_the_time_of_its_group)
{
    etcl_ending_begin(ETCL_WHY_AGE, 0);
    ck_assert_int_eq(etcl_ending_get().why, ETCL_WHY_AGE);
    is_in(etcl_ending_get().calls_until_us, 15);
    is_in(etcl_ending_until_us(), 20);
    etcl_ending_begin(ETCL_WHY_SHUTDOWN, 1);
    is_in(etcl_ending_until_us(), 5);
}
END_TEST

START_TEST(time_that_no_call_needs_is_not_given_to_python)
{
    etcl_ending_begin(ETCL_WHY_AGE, 0);
    etcl_ending_stopping();
    is_in(etcl_ending_until_us(), 5);
}
END_TEST

START_TEST(python_has_its_time_though_calls_took_all_of_theirs)
{
    give(etcl_clock_us() - SECOND_US, 3 * SECOND_US);
    etcl_ending_stopping();
    is_in(etcl_ending_until_us(), 3);
}
END_TEST

Suite *suite_ending(void)
{
    Suite *suite = suite_create("ending");
    TCase *tests = tcase_create("ending");

    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, without_an_order_no_end_is_known);
    tcase_add_test(tests, an_order_is_kept);
    tcase_add_test(tests, of_two_orders_the_more_urgent_holds);
    tcase_add_test(tests, what_ends_by_itself_has_the_time_of_its_group);
    tcase_add_test(tests, time_that_no_call_needs_is_not_given_to_python);
    tcase_add_test(tests, python_has_its_time_though_calls_took_all_of_theirs);
    suite_add_tcase(suite, tests);
    return suite;
}

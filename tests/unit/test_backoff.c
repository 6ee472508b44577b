/* Pauses between starts that fail. */

#include "etcl_backoff.h"

#include <check.h>

#define SECOND APR_INT64_C(1000000)
#define NOW (1000 * SECOND)

START_TEST(pauses_grow_to_eight_seconds)
{
    static const int seconds[] = { 0, 1, 2, 4, 8, 8, 8 };
    etcl_backoff_t starts = { 0, 0 };
    size_t i;

    for (i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
        apr_int64_t end_us = NOW + seconds[i] * SECOND;

        etcl_backoff_fail(&starts, NOW);
        ck_assert_int_eq(starts.failures, (int)i + 1);
        ck_assert_int_eq(starts.not_before_us, end_us);
        ck_assert_int_eq(etcl_backoff_rests(&starts, NOW), seconds[i] > 0);
        ck_assert_int_eq(etcl_backoff_rests(&starts, end_us), 0);
    }
}
END_TEST

START_TEST(a_success_ends_the_pause)
{
    etcl_backoff_t starts = { 3, NOW + SECOND };

    etcl_backoff_clear(&starts);
    ck_assert_int_eq(starts.failures, 0);
    ck_assert_int_eq(etcl_backoff_rests(&starts, NOW), 0);
}
END_TEST

START_TEST(only_a_pause_that_has_just_begun_is_news)
{
    etcl_backoff_t starts = { 3, NOW + SECOND + 1 };

    ck_assert_int_eq(etcl_backoff_news(&starts, 2, NOW), 2);
    ck_assert_int_eq(etcl_backoff_news(&starts, 3, NOW), 0);
    ck_assert_int_eq(etcl_backoff_news(&starts, 2, NOW + 2 * SECOND), 0);
}
END_TEST

Suite *suite_backoff(void)
{
    Suite *suite = suite_create("backoff");
    TCase *tests = tcase_create("backoff");

    tcase_add_test(tests, pauses_grow_to_eight_seconds);
    tcase_add_test(tests, a_success_ends_the_pause);
    tcase_add_test(tests, only_a_pause_that_has_just_begun_is_news);
    suite_add_tcase(suite, tests);
    return suite;
}

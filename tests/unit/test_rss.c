/* Which worker is too big: each row is a worker of ready time, size and age
 * that is judged after those before it. */

#include "etcl_rss.h"
#include "rows.h"

#define MB 1000000
#define NOW APR_INT64_C(1000000000)
#define OLD ETCL_RSS_AGE_US

static etcl_rss_t rss;

static etcl_rss_verdict_t judge(int slot, apr_int64_t mb, apr_int64_t age_us)
{
    return etcl_rss_judge(&rss, slot, NOW, mb * MB, NOW + age_us);
}

START_TEST(a_worker_that_has_grown_above_the_limit_is_too_big)
{
    etcl_rss_init(&rss, 100 * MB);
    ck_assert_int_eq(judge(0, 30, 0), ETCL_RSS_FITS);
    ck_assert_int_eq(judge(0, 100, OLD), ETCL_RSS_FITS);
    ck_assert_int_eq(judge(0, 101, OLD), ETCL_RSS_GROWN);
    ck_assert_int_eq(judge(1, 30, OLD), ETCL_RSS_FITS);
}
END_TEST

START_TEST(a_worker_serves_for_a_while_whatever_its_size)
{
    etcl_rss_init(&rss, 100 * MB);
    judge(0, 30, 0);
    ck_assert_int_eq(judge(0, 500, OLD - 1), ETCL_RSS_FITS);
    ck_assert_int_eq(judge(0, 500, OLD), ETCL_RSS_GROWN);
}
END_TEST

START_TEST(a_limit_below_the_code_is_said_once_and_replaces_nobody)
{
    int slot;

    etcl_rss_init(&rss, 100 * MB);
    ck_assert_int_eq(judge(0, 200, 0), ETCL_RSS_LOW);
    for (slot = 0; slot < 4; slot++) {
        ck_assert_int_eq(judge(slot, 200, OLD), ETCL_RSS_FITS);
        ck_assert_int_eq(judge(slot, 250, OLD), ETCL_RSS_FITS);
    }
}
END_TEST

START_TEST(above_a_limit_that_is_too_low_a_quarter_is_growth)
{
    etcl_rss_init(&rss, 100 * MB);
    judge(0, 200, 0);
    ck_assert_int_eq(judge(0, 251, OLD), ETCL_RSS_GROWN);
}
END_TEST

START_TEST(the_next_worker_of_a_slot_is_measured_anew)
{
    etcl_rss_init(&rss, 100 * MB);
    judge(0, 200, 0);
    ck_assert_int_eq(etcl_rss_judge(&rss, 0, NOW + 1, 30 * MB, NOW + OLD),
                     ETCL_RSS_FITS);
    ck_assert_int_eq(etcl_rss_judge(&rss, 0, NOW + 1, 101 * MB, NOW + 1 + OLD),
                     ETCL_RSS_GROWN);
}
END_TEST

Suite *suite_rss(void)
{
    Suite *suite = suite_create("rss");
    TCase *tests = tcase_create("rss");

    tcase_add_test(tests, a_worker_that_has_grown_above_the_limit_is_too_big);
    tcase_add_test(tests, a_worker_serves_for_a_while_whatever_its_size);
    tcase_add_test(tests,
                   a_limit_below_the_code_is_said_once_and_replaces_nobody);
    tcase_add_test(tests, above_a_limit_that_is_too_low_a_quarter_is_growth);
    tcase_add_test(tests, the_next_worker_of_a_slot_is_measured_anew);
    suite_add_tcase(suite, tests);
    return suite;
}

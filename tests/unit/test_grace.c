/* How long a worker has to end. */

#include "etcl_grace.h"
#include "rows.h"

#define SECOND APR_INT64_C(1000000)

static const struct {
    apr_int64_t graceful, shutdown;
    int hurry;
    apr_int64_t calls_us, stop_us;
} limits[] = {
    { 15, 5, 0, 15 * SECOND, 5 * SECOND },  { 0, 5, 0, 5 * SECOND, 5 * SECOND },
    { 15, 0, 0, 15 * SECOND, 60 * SECOND }, { 15, 5, 1, 4 * SECOND, SECOND },
    { 15, 1, 1, SECOND / 2, SECOND / 2 },
};

START_TEST(options_become_limits)
{
    etcl_grace_t grace = etcl_grace_of(limits[_i].graceful, limits[_i].shutdown,
                                       limits[_i].hurry);

    ck_assert_int_eq(grace.calls_us, limits[_i].calls_us);
    ck_assert_int_eq(grace.stop_us, limits[_i].stop_us);
}
END_TEST

Suite *suite_grace(void)
{
    Suite *suite = suite_create("grace");
    TCase *tests = tcase_create("grace");

    tcase_add_rows(tests, options_become_limits, limits);
    suite_add_tcase(suite, tests);
    return suite;
}

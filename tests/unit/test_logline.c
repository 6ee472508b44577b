/* Log lines: httpd's shape, no forged lines, no torn lines. */

#include "hostile.h"
#include "rows.h"
#include "etcl_logline.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void set_up(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

static const struct {
    etcl_level_t level;
    const char *want;
} lines[] = {
    { ETCL_LOG_CRIT, "[Sun Nov 22 15:18:54.000123 2026] [etcl:crit] "
                     "[pid 12:tid 34] ETCL0042: text\n" },
    { ETCL_LOG_ERR, "[Sun Nov 22 15:18:54.000123 2026] [etcl:error] "
                    "[pid 12:tid 34] ETCL0042: text\n" },
    { ETCL_LOG_WARNING, "[Sun Nov 22 15:18:54.000123 2026] [etcl:warn] "
                        "[pid 12:tid 34] ETCL0042: text\n" },
    { ETCL_LOG_NOTICE, "[Sun Nov 22 15:18:54.000123 2026] [etcl:notice] "
                       "[pid 12:tid 34] ETCL0042: text\n" },
    { ETCL_LOG_INFO, "[Sun Nov 22 15:18:54.000123 2026] [etcl:info] "
                     "[pid 12:tid 34] ETCL0042: text\n" },
    { ETCL_LOG_DEBUG, "[Sun Nov 22 15:18:54.000123 2026] [etcl:debug] "
                      "[pid 12:tid 34] ETCL0042: text\n" }
};

START_TEST(a_line_looks_like_one_of_httpd_whatever_the_locale)
{
    char out[ETCL_LOGLINE_MAX];
    apr_size_t len;

    setlocale(LC_ALL, "de_DE.UTF-8");
    len = etcl_logline_format(lines[_i].level, 1795360734000123, 12, 34,
                              ETCL_SPAN("ETCL0042: text"), out);
    hostile_same((etcl_span_t){ out, len }, etcl_span(lines[_i].want));
}
END_TEST

START_TEST(a_line_is_one_line)
{
    char out[ETCL_LOGLINE_MAX];
    apr_size_t len = etcl_logline_format(
        ETCL_LOG_ERR, 0, 1, 1, ETCL_SPAN("a\n[x] forged\r\0\x1b[0m"), out);

    ck_assert_ptr_eq(memchr(out, '\n', len), out + len - 1);
    ck_assert_ptr_nonnull(
        memmem(out, len, "a\\n[x] forged\\r\\x00\\x1b[0m", 25));
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut_and_still_ends)
{
    static char text[2 * ETCL_LOGLINE_MAX];
    char out[ETCL_LOGLINE_MAX];
    apr_size_t len;

    memset(text, 'x', sizeof(text));
    len = etcl_logline_format(ETCL_LOG_ERR, 0, 1, 1,
                              (etcl_span_t){ text, sizeof(text) }, out);
    ck_assert_uint_eq(len, ETCL_LOGLINE_MAX);
    ck_assert_int_eq(out[len - 1], '\n');
    memset(text, '\1', sizeof(text));
    len = etcl_logline_format(ETCL_LOG_ERR, 0, 1, 1,
                              (etcl_span_t){ text, sizeof(text) }, out);
    ck_assert_uint_le(len, ETCL_LOGLINE_MAX);
    ck_assert_int_eq(out[len - 1], '\n');
}
END_TEST

START_TEST(a_line_is_written_whole_and_names_its_process)
{
    char want[64], got[ETCL_LOGLINE_MAX];
    ssize_t len;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    etcl_logline_printf(ends[1], ETCL_LOG_NOTICE, "ETCL%04d: %s", 200, "up");
    len = read(ends[0], got, sizeof(got));
    ck_assert_int_gt(len, 0);
    snprintf(want, sizeof(want), "[etcl:notice] [pid %d:tid %d] ETCL0200: up\n",
             (int)getpid(), (int)gettid());
    ck_assert_ptr_nonnull(memmem(got, (size_t)len, want, strlen(want)));
    close(ends[0]);
    close(ends[1]);
}
END_TEST

Suite *suite_logline(void)
{
    Suite *suite = suite_create("logline");
    TCase *tests = tcase_create("logline");

    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_rows(tests, a_line_looks_like_one_of_httpd_whatever_the_locale,
                   lines);
    tcase_add_test(tests, a_line_is_one_line);
    tcase_add_test(tests, a_line_that_is_too_long_is_cut_and_still_ends);
    tcase_add_test(tests, a_line_is_written_whole_and_names_its_process);
    suite_add_tcase(suite, tests);
    return suite;
}

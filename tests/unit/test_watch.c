/* Which change of a script counts, and when. Times of looks are the test's
 * own; files are real, in a folder of their own. */

#include "etcl_watch.h"

#include <check.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];
static etcl_watch_t *watch;
static apr_int64_t now_us;

static void write_file(int seconds, const char *text)
{
    struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    utimensat(AT_FDCWD, path, times, 0);
}

static void set_up(void)
{
    snprintf(folder, sizeof(folder), "/tmp/etcl-watch.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/site.py", folder);
    now_us = 1000000;
    watch = etcl_watch_create(0);
    write_file(1000, "one");
}

static void tear_down(void)
{
    etcl_watch_destroy(watch);
    unlink(path);
    rmdir(folder);
}

/* The next look. */
static const char *look(void)
{
    now_us = etcl_watch_next_us(watch);
    return etcl_watch_poll(watch, now_us);
}

static void add(apr_int64_t mtime_us)
{
    etcl_watch_add(watch, etcl_span(path), mtime_us);
    ck_assert_ptr_null(etcl_watch_poll(watch, now_us));
}

START_TEST(a_file_that_rests_is_no_change)
{
    add(-1);
    ck_assert_ptr_null(look());
    ck_assert_ptr_null(look());
}
END_TEST

START_TEST(a_change_is_told_once_when_it_has_rested)
{
    add(-1);
    write_file(2000, "two");
    ck_assert_ptr_null(look());
    write_file(2001, "three");
    ck_assert_ptr_null(look());
    ck_assert_str_eq(look(), path);
    ck_assert_ptr_null(look());
}
END_TEST

START_TEST(an_older_file_is_a_change_too)
{
    add(-1);
    write_file(500, "old");
    look();
    ck_assert_str_eq(look(), path);
}
END_TEST

START_TEST(a_file_that_is_missing_is_waited_for)
{
    add(-1);
    unlink(path);
    ck_assert_ptr_null(look());
    ck_assert_ptr_null(look());
    write_file(1500, "back");
    look();
    ck_assert_str_eq(look(), path);
}
END_TEST

START_TEST(a_mode_is_no_change)
{
    add(-1);
    chmod(path, 0600);
    look();
    ck_assert_ptr_null(look());
}
END_TEST

START_TEST(what_was_loaded_may_be_older_than_the_file)
{
    etcl_watch_add(watch, etcl_span(path), 999 * 1000000);
    ck_assert_str_eq(etcl_watch_poll(watch, now_us), path);
    ck_assert_ptr_null(look());
}
END_TEST

START_TEST(code_may_ask_to_be_loaded_again)
{
    add(1000 * APR_INT64_C(1000000));
    ck_assert_ptr_null(look());
    etcl_watch_add(watch, etcl_span(path), 0);
    ck_assert_str_eq(look(), path);
}
END_TEST

START_TEST(a_kept_file_may_change)
{
    etcl_watch_keep(watch, etcl_span(path));
    etcl_watch_poll(watch, now_us);
    write_file(2000, "two");
    look();
    ck_assert_ptr_null(look());
    ck_assert(etcl_watch_file(watch, 0).kept);
}
END_TEST

START_TEST(what_is_accepted_is_no_change)
{
    etcl_stamp_t stamp;

    add(-1);
    write_file(2000, "two");
    etcl_watch_accept(watch);
    ck_assert_ptr_null(look());
    ck_assert_ptr_null(look());
    stamp = etcl_watch_file(watch, 0).loaded;
    ck_assert_int_eq(stamp.mtime_ns, 2000 * APR_INT64_C(1000000000));
    ck_assert_int_eq(etcl_watch_count(watch), 1);
}
END_TEST

START_TEST(a_hasty_watch_looks_often)
{
    etcl_watch_destroy(watch);
    watch = etcl_watch_create(1);
    add(-1);
    ck_assert_int_eq(etcl_watch_next_us(watch), now_us + ETCL_WATCH_HASTY_US);
}
END_TEST

/* Whoever writes a file anew empties it first. */
START_TEST(an_empty_file_is_waited_for_but_not_for_ever)
{
    apr_int64_t until_us;

    add(-1);
    write_file(2000, "");
    until_us = etcl_watch_next_us(watch) + ETCL_WATCH_EMPTY_US;
    ck_assert_ptr_null(look());
    while (etcl_watch_next_us(watch) < until_us) {
        ck_assert_ptr_null(look());
    }
    ck_assert_str_eq(look(), path);
}
END_TEST

START_TEST(a_file_that_was_empty_for_a_moment_is_told_when_it_is_written)
{
    add(-1);
    write_file(2000, "");
    ck_assert_ptr_null(look());
    ck_assert_ptr_null(look());
    write_file(2001, "two");
    ck_assert_ptr_null(look());
    ck_assert_str_eq(look(), path);
}
END_TEST

Suite *suite_watch(void)
{
    Suite *suite = suite_create("watch");
    TCase *tests = tcase_create("watch");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_file_that_rests_is_no_change);
    tcase_add_test(tests, a_change_is_told_once_when_it_has_rested);
    tcase_add_test(tests, an_older_file_is_a_change_too);
    tcase_add_test(tests, a_file_that_is_missing_is_waited_for);
    tcase_add_test(tests, an_empty_file_is_waited_for_but_not_for_ever);
    tcase_add_test(
        tests, a_file_that_was_empty_for_a_moment_is_told_when_it_is_written);
    tcase_add_test(tests, a_mode_is_no_change);
    tcase_add_test(tests, what_was_loaded_may_be_older_than_the_file);
    tcase_add_test(tests, code_may_ask_to_be_loaded_again);
    tcase_add_test(tests, a_kept_file_may_change);
    tcase_add_test(tests, what_is_accepted_is_no_change);
    tcase_add_test(tests, a_hasty_watch_looks_often);
    suite_add_tcase(suite, tests);
    return suite;
}

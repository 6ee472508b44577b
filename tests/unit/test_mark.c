/* Descriptors that an application may have closed. */

#include "etcl_mark.h"

#include <check.h>
#include <fcntl.h>
#include <unistd.h>

static int fds[2];
static etcl_mark_t mark;

static void set_up(void)
{
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    mark = etcl_mark_take(fds[1]);
}

START_TEST(a_descriptor_is_what_it_was_until_it_is_closed)
{
    ck_assert_int_eq(etcl_mark_holds(&mark), 1);
    close(fds[1]);
    ck_assert_int_eq(etcl_mark_holds(&mark), 0);
    close(fds[0]);
}
END_TEST

START_TEST(another_file_of_the_same_number_is_not_it)
{
    int others[2];

    ck_assert_int_eq(pipe2(others, O_CLOEXEC), 0);
    ck_assert_int_eq(dup2(others[1], fds[1]), fds[1]);
    ck_assert_int_eq(etcl_mark_holds(&mark), 0);
    close(fds[1]);
    ck_assert_int_eq(open("/dev/null", O_WRONLY | O_CLOEXEC), fds[1]);
    ck_assert_int_eq(etcl_mark_holds(&mark), 0);
}
END_TEST

START_TEST(what_was_not_open_is_nothing)
{
    mark = etcl_mark_take(-1);
    ck_assert_int_eq(etcl_mark_holds(&mark), 0);
}
END_TEST

Suite *suite_mark(void)
{
    Suite *suite = suite_create("mark");
    TCase *tests = tcase_create("mark");

    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_descriptor_is_what_it_was_until_it_is_closed);
    tcase_add_test(tests, another_file_of_the_same_number_is_not_it);
    tcase_add_test(tests, what_was_not_open_is_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

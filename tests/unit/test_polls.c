/* What a loop waits for. */

#include "etcl_polls.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static etcl_polls_t polls;
static int first[2], second[2];
static char taken[8]; /* the numbers, in their order */

static void take(void *self, int number)
{
    size_t len = strlen(self);

    ck_assert_uint_lt(len, sizeof(taken) - 1);
    ((char *)self)[len] = (char)('0' + number);
}

static void watch(int fd, int number)
{
    etcl_polls_add(&polls, fd, (etcl_polls_who_t){ take, taken, number });
}

static void set_up(void)
{
    ck_assert_int_eq(pipe2(first, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(second, O_CLOEXEC), 0);
    memset(taken, 0, sizeof(taken));
    etcl_polls_clear(&polls);
}

static void tear_down(void)
{
    close(first[0]);
    close(first[1]);
    close(second[0]);
    close(second[1]);
}

START_TEST(only_what_can_be_read_is_taken)
{
    watch(first[0], 1);
    watch(second[0], 2);
    ck_assert_int_eq(write(second[1], "x", 1), 1);
    etcl_polls_wait(&polls, 1000);
    ck_assert_str_eq(taken, "2");
}
END_TEST

START_TEST(what_was_added_first_is_taken_first)
{
    watch(second[0], 2);
    watch(first[0], 1);
    watch(second[0], 3);
    ck_assert_int_eq(write(first[1], "x", 1), 1);
    ck_assert_int_eq(write(second[1], "x", 1), 1);
    etcl_polls_wait(&polls, 1000);
    ck_assert_str_eq(taken, "213");
}
END_TEST

START_TEST(the_end_of_a_pipe_is_something_to_take)
{
    watch(first[0], 1);
    close(first[1]);
    first[1] = -1;
    etcl_polls_wait(&polls, 1000);
    ck_assert_str_eq(taken, "1");
}
END_TEST

START_TEST(what_nobody_takes_ends_the_wait)
{
    etcl_polls_add(&polls, first[0], (etcl_polls_who_t){ .take = NULL });
    watch(second[0], 2);
    ck_assert_int_eq(write(first[1], "x", 1), 1);
    etcl_polls_wait(&polls, -1);
    ck_assert_str_eq(taken, "");
}
END_TEST

START_TEST(what_is_not_open_is_not_waited_for)
{
    watch(-1, 1);
    ck_assert_int_eq(polls.count, 0);
    etcl_polls_wait(&polls, 0);
    ck_assert_str_eq(taken, "");
}
END_TEST

START_TEST(what_does_not_fit_is_left_out)
{
    int i;

    for (i = 0; i < ETCL_POLLS_MAX + 1; i++) {
        watch(first[0], 1);
    }
    ck_assert_int_eq(polls.count, ETCL_POLLS_MAX);
}
END_TEST

Suite *suite_polls(void)
{
    Suite *suite = suite_create("polls");
    TCase *tests = tcase_create("polls");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, only_what_can_be_read_is_taken);
    tcase_add_test(tests, what_was_added_first_is_taken_first);
    tcase_add_test(tests, the_end_of_a_pipe_is_something_to_take);
    tcase_add_test(tests, what_nobody_takes_ends_the_wait);
    tcase_add_test(tests, what_is_not_open_is_not_waited_for);
    tcase_add_test(tests, what_does_not_fit_is_left_out);
    suite_add_tcase(suite, tests);
    return suite;
}

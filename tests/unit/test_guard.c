/* Limits of a real worker: each in a group of its own, with this test as its
 * Apache. When a limit is due is for test_limits.c. */

#include "etcl_clock.h"
#include "etcl_daemon.h"
#include "rig.h"
#include "rows.h"

#include <check.h>
#include <signal.h>
#include <unistd.h>

#define SECOND 1000000

static const char app[] = "import ctypes, os, time\n"
                          "def application(environ, start_response):\n"
                          "    path = environ['PATH_INFO']\n"
                          "    if path == '/hang':\n"
                          "        time.sleep(60)\n"
                          "    if path == '/slow':\n"
                          "        time.sleep(1)\n"
                          "    if path == '/loop':\n"
                          "        end = time.monotonic() + 30\n"
                          "        while time.monotonic() < end:\n"
                          "            pass\n"
                          "    if path == '/hold':\n"
                          "        ctypes.PyDLL(None).sleep(30)\n"
                          "    if path == '/spend':\n"
                          "        while time.process_time() < 1.2:\n"
                          "            pass\n"
                          "    write = start_response('200 OK', [])\n"
                          "    if path == '/stream':\n"
                          "        write(b'begin')\n"
                          "        time.sleep(60)\n"
                          "    return [b'%d' % os.getpid()]\n";

static const char service[] = "import os, sys, time\n"
                              "try:\n"
                              "    os.write(1, b'service begins\\n')\n"
                              "    time.sleep(60)\n"
                              "except SystemExit:\n"
                              "    os.write(1, b'service ends\\n')\n"
                              "    raise\n";

static const char stuck[] = "import time\ntime.sleep(60)\n";

static rig_t rig;
static rig_answer_t answer;

static void open_rig(void)
{
    rig_open(&rig, app);
}

static void close_rig(void)
{
    rig_close(&rig);
}

static pid_t start(void)
{
    rig_start(&rig);
    rig_wait(&rig, ETCL_SLOT_READY, 1);
    return rig_worker(&rig, rig_slot(&rig, ETCL_SLOT_READY));
}

static void wait_for_lines(const char *text, int count)
{
    apr_int64_t until_us = etcl_clock_us() + 10 * SECOND;

    while (rig_logged(&rig, text) < count) {
        ck_assert_msg(etcl_clock_us() < until_us, "no line with %s", text);
        usleep(10000);
    }
}

/* Another worker serves, and the old one has gone. */
static void expect_successor(pid_t old)
{
    ck_assert(rig_gone(old, 10 * SECOND));
    rig_wait(&rig, ETCL_SLOT_READY, 1);
    rig_ask(&rig, "/", 0, &answer);
    ck_assert_int_eq(answer.status, 200);
}

static apr_int64_t ask_for(const char *path)
{
    apr_int64_t begin_us = etcl_clock_us();

    rig_ask(&rig, path, 0, &answer);
    return etcl_clock_us() - begin_us;
}

START_TEST(a_request_that_takes_too_long_is_answered_504)
{
    pid_t old;

    rig.group.options.request_timeout = 1;
    rig.group.options.shutdown_timeout = 1;
    old = start();
    ck_assert_int_lt(ask_for("/hang"), 3 * SECOND);
    ck_assert_int_eq(answer.status, 504);
    ck_assert_int_eq(answer.ended, 0);
    ck_assert_int_eq(rig_logged(&rig, "ETCL0260"), 1);
    expect_successor(old);
}
END_TEST

START_TEST(what_has_begun_breaks_off_when_it_takes_too_long)
{
    rig.group.options.request_timeout = 1;
    start();
    ck_assert_int_lt(ask_for("/stream"), 3 * SECOND);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(answer.rv, APR_EOF);
    ck_assert_int_eq(answer.ended, 0);
}
END_TEST

START_TEST(others_finish_in_a_worker_that_is_replaced)
{
    etcl_link_t hangs, other;
    pid_t old;

    rig.group.options.request_timeout = 2;
    old = start();
    ck_assert_int_eq(rig_connect(&rig, 0, &hangs), APR_SUCCESS);
    ck_assert_int_eq(rig_connect(&rig, 0, &other), APR_SUCCESS);
    rig_call(&rig, &hangs, "/hang", 0);
    usleep(1500000);
    rig_call(&rig, &other, "/slow", 0);
    rig_read(&hangs, 0, &answer);
    ck_assert_int_eq(answer.status, 504);
    rig_read(&other, 0, &answer);
    ck_assert_int_eq(answer.ended, 1);
    expect_successor(old);
    etcl_link_close(&hangs);
    etcl_link_close(&other);
}
END_TEST

START_TEST(an_interrupted_request_leaves_its_worker_alive)
{
    pid_t old;

    rig.group.options.request_timeout = 1;
    rig.group.options.interrupt_timeout = 5;
    old = start();
    ck_assert_int_lt(ask_for("/loop"), 4 * SECOND);
    ck_assert_int_eq(answer.status, 504);
    sleep(1);
    ck_assert_int_eq(rig_worker(&rig, 0), old);
    ck_assert(!rig_gone(old, 0));
    ck_assert_int_eq(rig_logged(&rig, "ETCL0263"), 0);
}
END_TEST

START_TEST(a_request_that_does_not_hear_of_it_is_given_up)
{
    pid_t old;

    rig.group.options.request_timeout = 1;
    rig.group.options.interrupt_timeout = 1;
    rig.group.options.shutdown_timeout = 1;
    old = start();
    ck_assert_int_lt(ask_for("/hang"), 5 * SECOND);
    ck_assert_int_eq(answer.status, 504);
    expect_successor(old);
}
END_TEST

START_TEST(a_python_that_cannot_be_entered_is_ended)
{
    pid_t old;

    rig.group.options.deadlock_timeout = 1;
    old = start();
    ck_assert_int_lt(ask_for("/hold"), 6 * SECOND);
    ck_assert_int_eq(answer.rv, APR_EOF);
    ck_assert_int_eq(rig_logged(&rig, "ETCL0264"), 1);
    expect_successor(old);
}
END_TEST

START_TEST(a_worker_that_answered_enough_is_replaced)
{
    pid_t old;

    rig.group.options.maximum_requests = 3;
    old = start();
    ask_for("/");
    ask_for("/");
    ck_assert_int_eq(rig_worker(&rig, 0), old);
    ask_for("/");
    expect_successor(old);
    ck_assert_int_eq(rig_logged(&rig, "maximum-requests"), 1);
}
END_TEST

START_TEST(a_worker_that_is_idle_or_old_is_replaced)
{
    pid_t old;

    if (_i) {
        rig.group.options.restart_interval = 1;
    } else {
        rig.group.options.inactivity_timeout = 1;
    }
    old = start();
    if (!_i) {
        sleep(2); /* not before the first request */
        ck_assert(!rig_gone(old, 0));
        ask_for("/");
    }
    expect_successor(old);
    ck_assert_int_ge(rig_logged(&rig, "ETCL0263"), 1);
}
END_TEST

START_TEST(a_worker_that_spent_its_cpu_time_is_replaced)
{
    pid_t old;

    rig.group.options.cpu_time_limit = 1;
    old = start();
    ask_for("/spend");
    ck_assert_int_eq(answer.ended, 1);
    expect_successor(old);
    ck_assert_int_ge(rig_logged(&rig, "cpu-time-limit"), 1);
}
END_TEST

START_TEST(a_script_that_hangs_while_it_loads_is_killed)
{
    rig_rewrite(&rig, stuck);
    rig.group.options.startup_timeout = 1;
    rig_start(&rig);
    wait_for_lines("ETCL0261", 2);
    wait_for_lines("ETCL0234", 1);
}
END_TEST

static const struct {
    int number;
    const char *line;
} signals[] = {
    { SIGTERM, "SIGTERM: it ends" },
    { SIGINT, "SIGINT: it ends" },
    { SIGUSR1, "SIGUSR1: it is replaced" },
};

START_TEST(a_worker_that_is_told_to_go_is_replaced)
{
    pid_t old = start();

    kill(old, signals[_i].number);
    expect_successor(old);
    ck_assert_int_eq(rig_logged(&rig, signals[_i].line), 1);
}
END_TEST

START_TEST(other_signals_are_for_the_application)
{
    pid_t old = start();

    kill(old, SIGHUP);
    kill(old, SIGUSR2);
    wait_for_lines("subscribers in the application", 2);
    ask_for("/");
    ck_assert_int_eq(answer.ended, 1);
    ck_assert_int_eq(rig_worker(&rig, 0), old);
}
END_TEST

START_TEST(a_worker_that_is_stopped_is_replaced)
{
    pid_t old = start();

    kill(old, SIGSTOP);
    wait_for_lines("ETCL0266", 1);
    rig_wait(&rig, ETCL_SLOT_READY, 1);
    kill(old, SIGCONT);
    expect_successor(old);
}
END_TEST

START_TEST(a_service_runs_until_it_is_told_to_end)
{
    static etcl_preload_t script;

    rig_rewrite(&rig, service);
    script = (etcl_preload_t){ rig.script, "", "" };
    rig.group.preloads = &script;
    rig.group.options.threads = 0;
    rig_start(&rig);
    wait_for_lines("service begins", 1);
    kill(rig.pid, SIGTERM);
    ck_assert_int_eq(rig_join(&rig, 3 * SECOND), ETCL_EXIT_DONE);
    ck_assert_int_eq(rig_logged(&rig, "service ends"), 1);
    ck_assert_int_eq(rig_logged(&rig, "ETCL0248"), 0);
}
END_TEST

START_TEST(a_service_that_ends_is_started_again)
{
    static etcl_preload_t script;

    rig_rewrite(&rig, "import time\ntime.sleep(1.1)\n");
    script = (etcl_preload_t){ rig.script, "", "" };
    rig.group.preloads = &script;
    rig.group.options.threads = 0;
    rig_start(&rig);
    wait_for_lines("ETCL0265", 2);
    ck_assert_int_eq(rig_logged(&rig, "ETCL0234"), 0);
}
END_TEST

Suite *suite_guard(void)
{
    Suite *suite = suite_create("guard");
    TCase *tests = tcase_create("guard");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_request_that_takes_too_long_is_answered_504);
    tcase_add_test(tests, what_has_begun_breaks_off_when_it_takes_too_long);
    tcase_add_test(tests, others_finish_in_a_worker_that_is_replaced);
    tcase_add_test(tests, an_interrupted_request_leaves_its_worker_alive);
    tcase_add_test(tests, a_request_that_does_not_hear_of_it_is_given_up);
    tcase_add_test(tests, a_python_that_cannot_be_entered_is_ended);
    tcase_add_test(tests, a_worker_that_answered_enough_is_replaced);
    tcase_add_loop_test(tests, a_worker_that_is_idle_or_old_is_replaced, 0, 2);
    tcase_add_test(tests, a_worker_that_spent_its_cpu_time_is_replaced);
    tcase_add_test(tests, a_script_that_hangs_while_it_loads_is_killed);
    tcase_add_rows(tests, a_worker_that_is_told_to_go_is_replaced, signals);
    tcase_add_test(tests, other_signals_are_for_the_application);
    tcase_add_test(tests, a_worker_that_is_stopped_is_replaced);
    tcase_add_test(tests, a_service_runs_until_it_is_told_to_end);
    tcase_add_test(tests, a_service_that_ends_is_started_again);
    suite_add_tcase(suite, tests);
    return suite;
}

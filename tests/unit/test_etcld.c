/* The daemon program as a whole, without Apache: a real supervisor, real
 * workers with Python, and this test as their Apache. */

#include "etcl_clock.h"
#include "etcl_daemon.h"
#include "rig.h"
#include "rows.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000

static const char app[] =
    "import os, sys, time\n"
    "def numbers(count):\n"
    "    return b''.join(b'%010d' % i for i in range(count))\n"
    "def application(environ, start_response):\n"
    "    path = environ['PATH_INFO']\n"
    "    body = [b'one']\n"
    "    if path == '/slow':\n"
    "        time.sleep(1)\n"
    "    if path == '/hang':\n"
    "        time.sleep(60)\n"
    "    if path == '/die':\n"
    "        os.abort()\n"
    "    if path == '/who':\n"
    "        body = [b'%d %d' % (os.getuid(), os.getgid())]\n"
    "    if path == '/print':\n"
    "        os.write(1, b'to stdout\\nand ')\n"
    "        os.write(1, b'more\\n')\n"
    "    if path == '/fds':\n"
    "        body = [' '.join(os.popen('ls /proc/self/fd')).encode()]\n"
    "    if path == '/big':\n"
    "        body = [numbers(100000)]\n"
    "    if path == '/pieces':\n"
    "        text = numbers(200000)\n"
    "        body = [text[i:i + 1000] for i in range(0, len(text), 1000)]\n"
    "    if path == '/huge':\n"
    "        text = numbers(300000)\n"
    "        body = [text[i:i + 90000] for i in range(0, len(text), 90000)]\n"
    "    if path == '/odd':\n"
    "        body = [numbers(1000), numbers(7000)[10000:]]\n"
    "    if path == '/blocks':\n"
    "        text = numbers(240000)\n"
    "        body = (text[i:i + 800000] for i in range(0, 2400000, 800000))\n"
    "    if path == '/stream':\n"
    "        body = (b'%05d' % i for i in range(100))\n"
    "    if path == '/read':\n"
    "        body = [b'%d' % len(environ['wsgi.input'].read())]\n"
    "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
    "    return body\n";

static const char app_two[] = "def application(environ, start_response):\n"
                              "    start_response('200 OK', [])\n"
                              "    return [b'two']\n";

static const char app_broken[] = "import there_is_no_such_module\n";

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

static void start(void)
{
    rig_start(&rig);
    rig_wait(&rig, ETCL_SLOT_READY, 1);
}

static void expect(const char *path, const char *body)
{
    rig_ask(&rig, path, 0, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(answer.ended, 1);
    ck_assert_uint_eq(answer.len, strlen(body));
    ck_assert_mem_eq(answer.body, body, answer.len);
}

START_TEST(a_call_is_answered_in_one_packet)
{
    start();
    expect("/", "one");
    ck_assert_int_eq(answer.packets, 1);
}
END_TEST

START_TEST(workers_run_as_the_user_of_the_group)
{
    char who[64];

    start();
    snprintf(who, sizeof(who), "%d %d",
             (int)(rig.group.uid < 0 ? geteuid() : rig.group.uid),
             (int)(rig.group.gid < 0 ? getegid() : rig.group.gid));
    expect("/who", who);
}
END_TEST

START_TEST(programs_of_an_application_inherit_no_descriptor)
{
    start();
    expect("/fds", "0\n 1\n 2\n 3\n"); /* 3 is the folder that ls reads */
}
END_TEST

static const struct {
    const char *path;
    apr_size_t len;
    int packets, windows, files;
} large[] = { { "/big", 1000000, 1, 1, 0 },
              { "/pieces", 2000000, 1, 1, 0 },
              { "/huge", 3000000, 2, 0, 1 },
              { "/odd", 70000, 1, 1, 0 },
              { "/blocks", 2400000, 4, 1, 2 } };

/* A window comes with a descriptor, but for the first time, in one packet. */
START_TEST(a_large_answer_crosses_as_a_whole)
{
    char want[16];
    etcl_link_t link;
    apr_size_t i;
    int again;

    start();
    ck_assert_int_eq(rig_connect(&rig, 0, &link), APR_SUCCESS);
    for (again = 0; again < 2; again++) {
        rig_call(&rig, &link, large[_i].path, 0);
        rig_read(&link, 0, &answer);
        ck_assert_int_eq(answer.ended, 1);
        ck_assert_uint_eq(answer.len, large[_i].len);
        ck_assert_int_eq(answer.files, large[_i].files);
        ck_assert_int_eq(answer.windows, large[_i].windows);
    }
    ck_assert_int_eq(answer.packets, large[_i].packets);
    for (i = 0; i + 10 <= answer.len; i += 10) {
        snprintf(want, sizeof(want), "%010d", (int)(i / 10));
        ck_assert_mem_eq(answer.body + i, want, 10);
    }
    etcl_link_close(&link);
}
END_TEST

START_TEST(a_stream_arrives_in_order)
{
    start();
    rig_ask(&rig, "/stream", 0, &answer);
    ck_assert_uint_eq(answer.len, 500);
    ck_assert_mem_eq(answer.body + 495, "00099", 5);
}
END_TEST

static const apr_int64_t body_lens[] = { 1,     16383,   16384,   65524,
                                         65525, 1000000, 30000000 };

START_TEST(a_body_is_pulled)
{
    char want[32];

    start();
    snprintf(want, sizeof(want), "%ld", (long)body_lens[_i]);
    rig_ask(&rig, "/read", body_lens[_i], &answer);
    ck_assert_uint_eq(answer.len, strlen(want));
    ck_assert_mem_eq(answer.body, want, answer.len);
}
END_TEST

START_TEST(a_long_call_and_its_body_come_in_pieces)
{
    etcl_link_t link;
    int i;

    start();
    ck_assert_int_eq(rig_connect(&rig, 0, &link), APR_SUCCESS);
    for (i = 0; i < 4; i++) { /* read, or left unread: no matter */
        rig_call_in_pieces(&rig, &link, i % 2 ? "/read" : "/");
        rig_read(&link, 0, &answer);
        ck_assert_int_eq(answer.ended, 1);
        ck_assert_mem_eq(answer.body, i % 2 ? "6" : "o", 1);
    }
    etcl_link_close(&link);
}
END_TEST

START_TEST(a_call_that_is_queued_when_its_worker_retires_is_refused)
{
    etcl_link_t busy, queued;

    rig.group.options.threads = 1;
    start();
    ck_assert_int_eq(rig_connect(&rig, 0, &busy), APR_SUCCESS);
    ck_assert_int_eq(rig_connect(&rig, 0, &queued), APR_SUCCESS);
    rig_call(&rig, &busy, "/slow", 0);
    usleep(100000);
    ck_assert_int_eq(rig_call(&rig, &queued, "/", 0), APR_SUCCESS);
    kill(rig.pid, SIGUSR1);
    rig_read(&busy, 0, &answer);
    ck_assert_int_eq(answer.ended, 1);
    rig_read(&queued, 0, &answer);
    ck_assert_int_eq(answer.refused, 1);
    expect("/", "one");
    etcl_link_close(&busy);
    etcl_link_close(&queued);
}
END_TEST

START_TEST(a_link_serves_many_calls)
{
    etcl_link_t link;
    int i;

    start();
    ck_assert_int_eq(rig_connect(&rig, 0, &link), APR_SUCCESS);
    for (i = 0; i < 500; i++) {
        ck_assert_int_eq(rig_call(&rig, &link, i % 3 ? "/" : "/read", i % 7),
                         APR_SUCCESS);
        rig_read(&link, i % 7, &answer);
        ck_assert_int_eq(answer.ended, 1);
    }
    etcl_link_close(&link);
}
END_TEST

START_TEST(who_does_not_know_the_secret_is_turned_away)
{
    etcl_link_t link;

    start();
    rig.group.secret[31] ^= 1;
    ck_assert_int_eq(rig_connect(&rig, 0, &link), APR_EOF);
    etcl_link_close(&link);
    ck_assert_int_eq(rig_logged(&rig, "ETCL0249"), 1);
}
END_TEST

START_TEST(a_slot_without_a_worker_turns_away_at_once)
{
    etcl_link_t link;

    start();
    ck_assert_int_ne(rig_connect(&rig, 3, &link), APR_SUCCESS);
    etcl_link_close(&link);
}
END_TEST

START_TEST(what_is_printed_becomes_lines_of_the_log)
{
    apr_int64_t until_us = etcl_clock_us() + 2 * SECOND;

    start();
    expect("/print", "one");
    while (!rig_logged(&rig, "] and more") && etcl_clock_us() < until_us) {
        usleep(5000);
    }
    ck_assert_int_eq(rig_logged(&rig, "] to stdout"), 1);
    ck_assert_int_eq(rig_logged(&rig, "] and more"), 1);
}
END_TEST

/* The roster says READY of a worker until its supervisor has buried it. */
static int serves_other(pid_t old)
{
    etcl_roster_slot_t slot;
    int i, found = 0;

    for (i = 0; i < rig.group.slots; i++) {
        etcl_roster_read(rig.roster, i, &slot);
        found |= slot.state == ETCL_SLOT_READY && (pid_t)slot.pid != old;
    }
    return found;
}

static void wait_for_other(pid_t old)
{
    apr_int64_t until_us = etcl_clock_us() + 10 * SECOND;

    while (!serves_other(old)) {
        ck_assert_int_lt(etcl_clock_us(), until_us);
        usleep(1000);
    }
}

START_TEST(a_worker_that_crashes_is_replaced_and_told)
{
    pid_t first;

    start();
    first = rig_worker(&rig, 0);
    rig_ask(&rig, "/die", 0, &answer);
    ck_assert_int_eq(answer.rv, APR_EOF);
    ck_assert(rig_gone(first, 10 * SECOND));
    wait_for_other(first);
    expect("/", "one");
    ck_assert_int_eq(rig_logged(&rig, "died: signal 6 (SIGABRT)"), 1);
}
END_TEST

/* RETIRING stands in the roster before the worker has heard of it. */
static void expect_hang_up(const etcl_link_t *link)
{
    struct pollfd wait = { .fd = link->fd, .events = POLLIN };

    ck_assert_int_eq(poll(&wait, 1, 10000), 1);
    ck_assert_int_ne(wait.revents & POLLHUP, 0);
}

START_TEST(the_end_of_the_lifeline_lets_calls_finish)
{
    etcl_link_t busy, idle;

    start();
    ck_assert_int_eq(rig_connect(&rig, 0, &busy), APR_SUCCESS);
    ck_assert_int_eq(rig_connect(&rig, 0, &idle), APR_SUCCESS);
    rig_call(&rig, &busy, "/slow", 0);
    usleep(200000);
    close(rig.lifeline_fd);
    rig.lifeline_fd = -1;
    rig_wait(&rig, ETCL_SLOT_RETIRING, 1);
    expect_hang_up(&idle);
    ck_assert_int_eq(rig_call(&rig, &idle, "/", 0), APR_EPIPE);
    rig_read(&busy, 0, &answer);
    ck_assert_int_eq(answer.ended, 1);
    ck_assert_int_eq(rig_join(&rig, 5 * SECOND), ETCL_EXIT_DONE);
    etcl_link_close(&busy);
    etcl_link_close(&idle);
}
END_TEST

START_TEST(sigterm_ends_everything_in_time)
{
    etcl_link_t link;
    pid_t worker;

    rig.group.options.shutdown_timeout = 1;
    start();
    worker = rig_worker(&rig, 0);
    ck_assert_int_eq(rig_connect(&rig, 0, &link), APR_SUCCESS);
    rig_call(&rig, &link, "/hang", 0);
    usleep(200000);
    kill(rig.pid, SIGTERM);
    ck_assert_int_eq(rig_join(&rig, 3 * SECOND), ETCL_EXIT_DONE);
    ck_assert(rig_gone(worker, 0));
    etcl_link_close(&link);
}
END_TEST

/* The supervisor's parent is a process of its own here, which is killed. */
static void kill_parent(int told[2])
{
    pid_t parent = fork();

    if (!parent) {
        rig_start(&rig);
        if (write(told[1], &rig, sizeof(rig)) < 0) {
            _exit(1);
        }
        pause();
        _exit(0);
    }
    ck_assert_int_eq(read(told[0], &rig, sizeof(rig)), sizeof(rig));
    sleep(1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
}

START_TEST(the_death_of_the_parent_ends_everything)
{
    int told[2];

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    ck_assert_int_eq(pipe(told), 0);
    kill_parent(told);
    ck_assert_int_eq(rig_join(&rig, 5 * SECOND), ETCL_EXIT_DONE);
    rig.lifeline_fd = -1;
}
END_TEST

START_TEST(workers_outlive_their_supervisor_only_to_finish)
{
    etcl_link_t link;
    pid_t worker;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    start();
    worker = rig_worker(&rig, 0);
    ck_assert_int_eq(rig_connect(&rig, 0, &link), APR_SUCCESS);
    rig_call(&rig, &link, "/slow", 0);
    usleep(200000);
    kill(rig.pid, SIGKILL);
    rig_read(&link, 0, &answer);
    ck_assert_int_eq(answer.ended, 1);
    rig_join(&rig, SECOND);
    ck_assert(rig_gone(worker, 3 * SECOND));
    etcl_link_close(&link);
}
END_TEST

static void wait_for_body(const char *body)
{
    apr_int64_t until_us = etcl_clock_us() + 10 * SECOND;

    do {
        rig_ask(&rig, "/", 0, &answer);
        ck_assert_int_eq(answer.status, 200);
        ck_assert(etcl_clock_us() < until_us);
        usleep(10000);
    } while (answer.len != strlen(body) ||
             memcmp(answer.body, body, answer.len));
}

START_TEST(a_changed_script_is_replaced_without_a_failed_request)
{
    start();
    rig_rewrite(&rig, app_two);
    wait_for_body("two");
    rig_wait(&rig, ETCL_SLOT_READY, 1);
    ck_assert_int_eq(rig_logged(&rig, "ETCL0241"), 1);
}
END_TEST

static void wait_for_line(const char *text)
{
    apr_int64_t until_us = etcl_clock_us() + 10 * SECOND;

    while (!rig_logged(&rig, text)) {
        ck_assert_msg(etcl_clock_us() < until_us, "no line with %s", text);
        usleep(10000);
    }
}

/* A place with WSGIScriptReloading Off, in a server with On. */
START_TEST(a_script_that_is_called_without_reloading_is_kept)
{
    start();
    rig.group.reload = 0;
    expect("/", "one");
    usleep(100000);
    rig_rewrite(&rig, app_two);
    sleep(2);
    expect("/", "one");
    ck_assert_int_eq(rig_logged(&rig, "ETCL0241"), 0);
}
END_TEST

START_TEST(a_script_that_breaks_leaves_the_old_code_until_it_is_mended)
{
    start();
    rig_rewrite(&rig, app_broken);
    wait_for_line("ETCL0239");
    expect("/", "one");
    rig_rewrite(&rig, app_two);
    wait_for_body("two");
    ck_assert_int_eq(rig_logged(&rig, "ETCL0239"), 1);
}
END_TEST

START_TEST(a_script_that_never_loaded_answers_500_and_can_be_mended)
{
    rig_rewrite(&rig, app_broken);
    start();
    rig_ask(&rig, "/", 0, &answer);
    ck_assert_int_eq(answer.status, 500);
    ck_assert_int_eq(answer.ended, 0);
    rig_rewrite(&rig, app_two);
    wait_for_line("ETCL0241");
    rig_wait(&rig, ETCL_SLOT_RETIRING, 0);
    sleep(1);
    wait_for_body("two");
}
END_TEST

START_TEST(a_python_that_does_not_start_is_tried_again_and_again)
{
    rig.group.options.python_home = "/nonexistent";
    rig_start(&rig);
    wait_for_line("ETCL0234");
    ck_assert_int_eq(rig_slot(&rig, ETCL_SLOT_DEAD), 0);
}
END_TEST

START_TEST(a_service_without_threads_starts_and_ends)
{
    rig.group.options.threads = 0;
    rig_start(&rig);
    wait_for_line("ETCL0236");
    rig_wait(&rig, ETCL_SLOT_EMPTY, RIG_SLOTS);
}
END_TEST

START_TEST(root_is_refused)
{
    rig.group.uid = rig.group.gid = geteuid() ? 0 : -1;
    rig_start(&rig);
    ck_assert_int_eq(rig_join(&rig, SECOND), ETCL_EXIT_FATAL);
    ck_assert_int_eq(rig_logged(&rig, "ETCL0223"), 1);
}
END_TEST

Suite *suite_etcld(void)
{
    Suite *suite = suite_create("etcld");
    TCase *tests = tcase_create("etcld");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_call_is_answered_in_one_packet);
    tcase_add_test(tests, workers_run_as_the_user_of_the_group);
    tcase_add_test(tests, programs_of_an_application_inherit_no_descriptor);
    tcase_add_rows(tests, a_large_answer_crosses_as_a_whole, large);
    tcase_add_test(tests, a_stream_arrives_in_order);
    tcase_add_rows(tests, a_body_is_pulled, body_lens);
    tcase_add_test(tests, a_long_call_and_its_body_come_in_pieces);
    tcase_add_test(tests,
                   a_call_that_is_queued_when_its_worker_retires_is_refused);
    tcase_add_test(tests, a_link_serves_many_calls);
    tcase_add_test(tests, who_does_not_know_the_secret_is_turned_away);
    tcase_add_test(tests, a_slot_without_a_worker_turns_away_at_once);
    tcase_add_test(tests, what_is_printed_becomes_lines_of_the_log);
    tcase_add_test(tests, a_worker_that_crashes_is_replaced_and_told);
    tcase_add_test(tests, the_end_of_the_lifeline_lets_calls_finish);
    tcase_add_test(tests, sigterm_ends_everything_in_time);
    tcase_add_test(tests, the_death_of_the_parent_ends_everything);
    tcase_add_test(tests, workers_outlive_their_supervisor_only_to_finish);
    tcase_add_test(tests,
                   a_changed_script_is_replaced_without_a_failed_request);
    tcase_add_test(tests, a_script_that_is_called_without_reloading_is_kept);
    tcase_add_test(tests,
                   a_script_that_breaks_leaves_the_old_code_until_it_is_mended);
    tcase_add_test(tests,
                   a_script_that_never_loaded_answers_500_and_can_be_mended);
    tcase_add_test(tests,
                   a_python_that_does_not_start_is_tried_again_and_again);
    tcase_add_test(tests, a_service_without_threads_starts_and_ends);
    tcase_add_test(tests, root_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

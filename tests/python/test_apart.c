/* Interpreters under options of their own, each test in a process that has
 * not started Python before: this suite runs before the others. */

#include "etcl_python.h"
#include "bridge.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An application that answers with the repr of `value`. */
#define VALUE(before, value)                                                   \
    before "\ndef application(environ, start_response):\n"                     \
           "    body = repr(" value ").encode()\n"                             \
           "    start_response('200 OK', [])\n"                                \
           "    return [body]\n"

static void check_in(const char *group, const char *code, const char *want)
{
    request_t request = { .code = code, .group = group };
    WITH_FAKE(fake);

    bridge_ask(&request, &fake);
    ck_assert_msg(!strcmp(fake_exchange_text(&fake.sent), want),
                  "%s: %s, not %s\n%s", group ? group : "main",
                  fake_exchange_text(&fake.sent), want,
                  fake_exchange_text(&fake.log));
}

static etcl_target_t target_of(const char *code, const char *group)
{
    return (etcl_target_t){ etcl_span(bridge_script(code)),
                            etcl_span(group),
                            { "", 0 } };
}

/* ---- os.environ */

#define SEEN VALUE("import os", "[os.environ.get(n) for n in ('A', 'B', 'C')]")

START_TEST(environments_are_apart)
{
    setenv("A", "first", 1);
    bridge_config()->user = "someone";
    bridge_config()->user_home = "/home/of/someone";
    bridge_start();
    check_in("",
             VALUE("import os\nos.environ['A'] = 'main'\n"
                   "os.environ['B'] = 'main'",
                   "os.getenv('A')"),
             "'main'");
    check_in("one", SEEN, "['first', None, None]");
    check_in("one", VALUE("import os\nos.environ['C'] = 'one'", "1"), "1");
    check_in("two", SEEN, "['first', None, None]");
    check_in("", SEEN, "['main', 'main', None]");
    check_in("two",
             VALUE("import os", "[os.environ[n] for n in ('USER', 'USERNAME',"
                                " 'LOGNAME', 'HOME')]"),
             "['someone', 'someone', 'someone', '/home/of/someone']");
}
END_TEST

/* ---- <WSGIInterpreterOptions> */

#define SILENT                                                                 \
    .own_gil = -1, .free_threading = -1, .restrict_stdin = -1,                 \
    .restrict_stdout = -1, .restrict_signal = -1

#define TRY(what)                                                              \
    VALUE("import sys\ndef attempt():\n    try: " what "\n"                    \
          "    except OSError: return 'no'\n    return 'yes'\n",               \
          "attempt()")

START_TEST(a_rule_concerns_its_interpreter)
{
    static etcl_rule_t rules[] = {
        { SILENT, .python_path = "/all" },
        { SILENT, .app_group = "", .switch_interval = 0.002 },
        { SILENT, .app_group = "a", .python_path = "/of/a" },
        { SILENT, .app_group = "a" },
    };

    rules[2].restrict_stdin = rules[2].restrict_stdout = 1;
    rules[3].restrict_stdout = 0;
    bridge_config()->python_path = "/base";
    bridge_config()->rules = rules;
    bridge_config()->rule_count = 4;
    bridge_start();
    check_in("a", TRY("sys.stdin.readable()"), "'no'");
    check_in("a", TRY("sys.stdout.write('')"), "'yes'");
    check_in("b", TRY("sys.stdin.readable()"), "'yes'");
    check_in("a", VALUE("import sys", "sys.path[:3]"),
             "['/of/a', '/all', '/base']");
    check_in("b", VALUE("import sys", "sys.path[:2]"), "['/all', '/base']");
    check_in("", VALUE("import sys", "round(sys.getswitchinterval(), 6)"),
             "0.002");
}
END_TEST

START_TEST(what_cannot_be_honoured_is_told)
{
    static etcl_rule_t rules[] = {
        { SILENT, .app_group = "a", .switch_interval = 0.002 },
        { SILENT, .app_group = "b" },
    };
    const char *log;

    rules[1].free_threading = 1;
    bridge_config()->rules = rules;
    bridge_config()->rule_count = 2;
    bridge_config()->own_gil = PY_VERSION_HEX < 0x030c0000;
    bridge_start();
    log = bridge_peek();
    ck_assert_ptr_nonnull(strstr(log, "4 ETCL0339: WSGISwitchInterval for "
                                      "application-group 'a'"));
    ck_assert_ptr_nonnull(strstr(log, "4 ETCL0337: WSGIFreeThreading for "
                                      "application-group 'b'"));
    ck_assert_int_eq(strstr(log, "4 ETCL0335: ") != NULL,
                     PY_VERSION_HEX < 0x030c0000);
#ifndef Py_GIL_DISABLED
    ck_assert_ptr_nonnull(strstr(log, "4 ETCL0336: "));
#endif
}
END_TEST

static void *ask_often(void *data)
{
    int i;

    for (i = 0; i < 50; i++) {
        check_in(data, VALUE("import json, threading, re", "2 + 2"), "4");
    }
    return NULL;
}

/* Before 3.12 they share one, and all works the same. */
START_TEST(interpreters_with_a_gil_of_their_own_answer_at_once)
{
    static char names[][4] = { "a", "b", "", "a" };
    pthread_t threads[4];
    int i;

    bridge_config()->own_gil = 1;
    bridge_start();
    for (i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, ask_often, names[i]);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    etcl_runtime.probe();
    etcl_runtime.signal(SIGHUP);
    etcl_runtime.stop("shutdown_signal");
}
END_TEST

/* ---- services */

static void *terminate(void *number)
{
    usleep(300000);
    kill(getpid(), (int)(size_t)number);
    return NULL;
}

#define SERVICE                                                                \
    "import mod_wsgi, sys, threading, time\n"                                  \
    "assert threading.current_thread() is threading.main_thread()\n"           \
    "assert mod_wsgi.application_group == 'named'\n"                           \
    "mod_wsgi.subscribe_shutdown(print)\n"                                     \
    "assert not mod_wsgi.shutdown_callbacks\n"                                 \
    "try: time.sleep(20)\n"                                                    \
    "except SystemExit: sys.stderr.write('leaving')\n"                         \
    "else: raise AssertionError('nobody came')\n"                              \
    "raise SystemExit\n"

START_TEST(a_service_is_left_by_a_signal)
{
    static const int numbers[] = { SIGTERM, SIGINT };
    etcl_target_t target;
    pthread_t thread;

    bridge_config()->service = 1;
    bridge_config()->threads = 0;
    bridge_start();
    target = target_of(SERVICE, "named");
    pthread_create(&thread, NULL, terminate, (void *)(size_t)numbers[_i]);
    ck_assert_msg(etcl_runtime.load(&target) == APR_SUCCESS, "%s",
                  bridge_peek());
    pthread_join(thread, NULL);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "6 ETCL0340: service script"));
    etcl_runtime.stop("shutdown_signal");
}
END_TEST

START_TEST(a_service_may_handle_signals)
{
    etcl_target_t target;

    bridge_config()->service = 1;
    bridge_config()->threads = 0;
    bridge_start();
    target = target_of("import signal\n"
                       "signal.signal(signal.SIGUSR2, print)\n"
                       "assert signal.getsignal(signal.SIGUSR2) is print\n",
                       "");
    ck_assert_msg(etcl_runtime.load(&target) == APR_SUCCESS, "%s",
                  bridge_peek());
}
END_TEST

/* ---- the end */

#define ENDS                                                                   \
    VALUE("import atexit, os, mod_wsgi\n"                                      \
          "mod_wsgi.subscribe_shutdown(lambda name, **e:"                      \
          " os.write(2, b'callback '))\n"                                      \
          "atexit.register(os.write, 2, b'atexit ')\n",                        \
          "1")

static atomic_int is_loaded;

static void *load_aside(void *data)
{
    check_in("aside", ENDS, "1");
    is_loaded = 1;
    pause();
    return data;
}

static void stop_and_read(int destroy, const char *want)
{
    char path[] = "/tmp/etcl-end-XXXXXX";
    int fd = mkstemp(path);
    char text[100] = "";
    pthread_t thread;

    bridge_config()->destroy_interpreter = destroy;
    bridge_start();
    pthread_create(&thread, NULL, load_aside, NULL);
    while (!is_loaded) {
        usleep(1000); /* libcheck ends a test that waits too long */
    }
    check_in("", ENDS, "1");
    ck_assert_int_ge(dup2(fd, 2), 0);
    unlink(path);
    etcl_runtime.stop("");
    ck_assert_int_ge(pread(fd, text, sizeof(text) - 1, 0), 0);
    ck_assert_str_eq(text, want);
}

/* The interpreter aside was made by a thread that lives and waits. */
START_TEST(every_interpreter_ends_with_its_callbacks)
{
    stop_and_read(1, "callback callback atexit atexit ");
}
END_TEST

START_TEST(without_finalization_only_subscribers_are_told)
{
    stop_and_read(0, "callback callback ");
}
END_TEST

/* ---- scripts */

static int told_stale;

static void note_loaded(etcl_span_t script, apr_int64_t mtime_us)
{
    told_stale += script.len && !mtime_us;
}

#define STALE                                                                  \
    VALUE("import sys\nsys.loads = getattr(sys, 'loads', 0) + 1\n"             \
          "def reload_required(path):\n"                                       \
          "    return path == '/asked/for' and sys.loads < 3\n",               \
          "sys.loads")

static void ask_stale(const char *want)
{
    static const etcl_pair_t pair = { ETCL_KEY_SCRIPT_FILENAME,
                                      { "SCRIPT_FILENAME", 15 },
                                      { "/asked/for", 10 } };
    request_t request = { .code = STALE,
                          .flags = ETCL_CALL_RELOAD,
                          .pairs = &pair,
                          .pair_count = 1 };
    WITH_FAKE(fake);

    bridge_ask(&request, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), want);
}

START_TEST(an_apache_child_reloads_what_asks_for_it)
{
    bridge_config()->process_group = "";
    bridge_start();
    ask_stale("1");
    ask_stale("2");
    ask_stale("3");
    ask_stale("3");
}
END_TEST

START_TEST(a_daemon_hands_the_wish_to_its_supervisor)
{
    bridge_config()->loaded = note_loaded;
    bridge_start();
    ask_stale("1");
    ck_assert_int_eq(told_stale, 0);
    ask_stale("1");
    ask_stale("1");
    ck_assert_int_eq(told_stale, 1);
}
END_TEST

START_TEST(a_hook_that_fails_reloads_nothing)
{
    request_t request = { .code = VALUE("def reload_required(p): 1 / 0", "7"),
                          .flags = ETCL_CALL_RELOAD };
    WITH_FAKE(fake);

    bridge_start();
    bridge_ask(&request, &fake);
    ck_assert_ptr_null(strstr(fake_exchange_text(&fake.log), "ETCL0338"));
    bridge_ask(&request, &fake);
    ck_assert_ptr_nonnull(strstr(fake_exchange_text(&fake.log), "ETCL0338"));
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "77");
}
END_TEST

START_TEST(a_handler_script_has_a_callable_of_its_own)
{
    request_t request = {
        .code = "def handle_request(environ, start_response):\n"
                "    start_response('200 OK', [])\n"
                "    return [environ['mod_wsgi.callable_object'].encode()]\n",
        .callable = "something_else",
        .flags = ETCL_CALL_HANDLER
    };
    WITH_FAKE(fake);

    bridge_start();
    bridge_ask(&request, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "handle_request");
}
END_TEST

START_TEST(an_import_script_needs_no_callable)
{
    etcl_target_t target;

    bridge_start();
    target = target_of("import sys\nsys.imported = 1\n", "");
    ck_assert_int_eq(etcl_runtime.load(&target), APR_SUCCESS);
    ck_assert_str_eq(bridge_peek(), "");
    target = target_of("raise ValueError('this import fails')\n", "");
    ck_assert_int_eq(etcl_runtime.load(&target), APR_EGENERAL);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "this import fails"));
    bridge_run("import sys; assert sys.imported == 1");
}
END_TEST

/* ---- what Apache shows */

static apr_size_t large_board(char *into, apr_size_t max)
{
    static const char begin[] = "{\"fill\":\"";
    static const char end[] = "\"}";
    apr_size_t fill = 200000, len = sizeof(begin) + sizeof(end) - 2 + fill;

    if (len <= max) {
        memcpy(into, begin, sizeof(begin) - 1);
        memset(into + sizeof(begin) - 1, 'x', fill);
        memcpy(into + len - sizeof(end) + 1, end, sizeof(end) - 1);
    }
    return len;
}

START_TEST(a_scoreboard_of_any_size_is_read)
{
    bridge_config()->scoreboard = large_board;
    bridge_start();
    check_in("",
             VALUE("import mod_wsgi",
                   "mod_wsgi.server_metrics() == {'fill': 'x' * 200000}"),
             "True");
}
END_TEST

Suite *suite_apart(void)
{
    Suite *suite = suite_create("apart");
    const char *fork = getenv("CK_FORK");
    TCase *tests;

    if (fork && !strcmp(fork, "no")) {
        return suite;
    }
    tests = tcase_create("apart");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, environments_are_apart);
    tcase_add_test(tests, a_rule_concerns_its_interpreter);
    tcase_add_test(tests, what_cannot_be_honoured_is_told);
    tcase_add_test(tests, interpreters_with_a_gil_of_their_own_answer_at_once);
    tcase_add_loop_test(tests, a_service_is_left_by_a_signal, 0, 2);
    tcase_add_test(tests, a_service_may_handle_signals);
    tcase_add_test(tests, every_interpreter_ends_with_its_callbacks);
    tcase_add_test(tests, without_finalization_only_subscribers_are_told);
    tcase_add_test(tests, an_apache_child_reloads_what_asks_for_it);
    tcase_add_test(tests, a_daemon_hands_the_wish_to_its_supervisor);
    tcase_add_test(tests, a_hook_that_fails_reloads_nothing);
    tcase_add_test(tests, a_handler_script_has_a_callable_of_its_own);
    tcase_add_test(tests, an_import_script_needs_no_callable);
    tcase_add_test(tests, a_scoreboard_of_any_size_is_read);
    return suite;
}

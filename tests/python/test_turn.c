/* What belongs to one request: objects kept beyond it, threads, forks,
 * interpreters. */

#include "bridge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- objects kept after the request */

#define KEEP                                                                   \
    "kept = {}\n"                                                              \
    "def application(e, s):\n"                                                 \
    "    if not kept:\n"                                                       \
    "        kept.update(e=e, s=s, w=s('200 OK', []))\n"                       \
    "        return [b'kept']\n"                                               \
    "    s('200 OK', [])\n"                                                    \
    "    try:\n        use()\n"                                                \
    "    except RuntimeError as error:\n"                                      \
    "        return [str(error).encode()]\n"                                   \
    "    return [b'no error']\n"

static const struct {
    const char *code;
    const char *want;
} kept[] = {
    { KEEP "def use(): kept['s']('200 OK', [])\n",
      "start_response() was used after its request was finished" },
    { KEEP "def use(): kept['w'](b'x')\n",
      "write() was used after its request was finished" },
    { KEEP "def use(): kept['e']['wsgi.input'].read()\n",
      "wsgi.input was used after its request was finished" },
    { KEEP "def use(): next(kept['e']['wsgi.input'])\n",
      "wsgi.input was used after its request was finished" },
    { KEEP "def use(): kept['e']['wsgi.input'].readlines()\n",
      "wsgi.input was used after its request was finished" },
    { KEEP "def use(): kept['e']['etcl.client_disconnected']()\n",
      "etcl.client_disconnected was called after its request was finished" },
    { KEEP "def use(): print('late', file=kept['e']['wsgi.errors'])\n",
      "no error" },
};

START_TEST(an_object_of_a_finished_request_raises)
{
    int i;

    for (i = 0; i < 3; i++) {
        WITH_FAKE(fake);

        bridge_get(kept[_i].code, &fake);
        ck_assert_str_eq(fake_exchange_text(&fake.sent),
                         i ? kept[_i].want : "kept");
    }
}
END_TEST

/* ---- whether the client is there */

START_TEST(an_application_may_ask_for_its_client)
{
    WITH_FAKE(fake);

    fake.gone_after = _i ? 1000 : -1;
    bridge_get("def application(e, s):\n"
               "    s('200 OK', [])\n"
               "    there = e['etcl.client_disconnected']\n"
               "    try:\n        there(1)\n"
               "    except TypeError:\n        pass\n"
               "    return [str(there()).encode()]\n",
               &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), _i ? "True" : "False");
}
END_TEST

/* ---- threads */

#define THREADS 8
#define CALLS 400

#define ECHO                                                                   \
    "import time\n"                                                            \
    "def application(e, s):\n"                                                 \
    "    token = e['HTTP_COOKIE']\n"                                           \
    "    print(token, file=e['wsgi.errors'])\n"                                \
    "    s('200 OK', [('X-Token', token)])\n"                                  \
    "    data = e['wsgi.input'].read()\n"                                      \
    "    if int(token) % 7 == 0: time.sleep(0.0001)\n"                         \
    "    yield token.encode()\n"                                               \
    "    yield data\n"

static void check_echo(const char *token)
{
    etcl_pair_t pair = { ETCL_KEY_HTTP_COOKIE, ETCL_SPAN("HTTP_COOKIE"),
                         etcl_span(token) };
    request_t request = { .code = ECHO,
                          .method = "POST",
                          .body_len = (apr_int64_t)strlen(token),
                          .pairs = &pair,
                          .pair_count = 1 };
    char want[64];
    WITH_FAKE(fake);

    fake.body = token;
    fake.body_len = strlen(token);
    fake.busy_writes = 1;
    bridge_ask(&request, &fake);
    snprintf(want, sizeof(want), "%s%s", token, token);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), want);
    snprintf(want, sizeof(want), "3 %s\n", token);
    ck_assert_str_eq(fake_exchange_text(&fake.log), want);
    snprintf(want, sizeof(want), "200 OK\nX-Token: %s\n", token);
    ck_assert_str_eq(fake_exchange_text(&fake.head), want);
    ck_assert_int_eq(fake.races, 0);
}

static void *echo_often(void *data)
{
    char token[32];
    int i;

    for (i = 0; i < CALLS; i++) {
        snprintf(token, sizeof(token), "%d", (int)(size_t)data * 100000 + i);
        check_echo(token);
    }
    return NULL;
}

START_TEST(many_threads_never_see_each_others_requests)
{
    pthread_t threads[THREADS];
    size_t round, i;

    for (round = 0; round < 2; round++) {
        for (i = 0; i < THREADS; i++) {
            pthread_create(&threads[i], NULL, echo_often, (void *)(i + 1));
        }
        for (i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
    }
}
END_TEST

START_TEST(a_thread_of_the_application_may_read_and_write)
{
    request_t request = {
        .code = "import threading\n"
                "def application(e, s):\n"
                "    w = s('200 OK', [])\n"
                "    def copy():\n"
                "        while b := e['wsgi.input'].read(3): w(b)\n"
                "    t = threading.Thread(target=copy)\n"
                "    t.start()\n"
                "    for i in range(50): print(i, file=e['wsgi.errors'])\n"
                "    t.join()\n"
                "    return [b'!']\n",
        .method = "POST",
        .body_len = 8
    };
    WITH_FAKE(fake);

    fake.body = "abcdefgh";
    fake.body_len = 8;
    bridge_ask(&request, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "abcdefgh!");
    ck_assert_int_eq(fake.races, 0);
}
END_TEST

static const char *const late_readers[] = {
    "i.read()", "i.read(2)", "i.readline()", "list(i)", "i.readlines()",
};

/* The request ends while a thread of the application is inside a read. */
START_TEST(a_read_that_outlasts_its_request_raises)
{
    char code[600];
    request_t request = { .code = code, .method = "POST", .body_len = -1 };
    WITH_FAKE(fake);

    snprintf(code, sizeof(code),
             "import threading, time\nseen = []\nthread = None\n"
             "def late(i):\n    try: seen.append(%s)\n"
             "    except RuntimeError as error: seen.append(error)\n"
             "def application(e, s):\n    global thread\n"
             "    s('200 OK', [])(b'x')\n    if not thread:\n"
             "        thread = threading.Thread(target=late,"
             " args=(e['wsgi.input'],))\n"
             "        thread.start()\n        time.sleep(0.05)\n"
             "        return []\n    thread.join()\n"
             "    return [repr(seen).encode()]\n",
             late_readers[_i]);
    fake.body = "abcd";
    fake.body_len = 4;
    fake.read_us = 200000;
    bridge_ask(&request, &fake);
    bridge_ask(&request, &fake);
    ck_assert_msg(strstr(fake_exchange_text(&fake.sent),
                         "was used after its request") != NULL,
                  "%s\n%s", fake_exchange_text(&fake.sent),
                  fake_exchange_text(&fake.log));
    ck_assert_int_eq(fake.races, 0);
}
END_TEST

START_TEST(thread_locals_survive_and_the_id_is_stable)
{
    static const char code[] =
        "import threading\nlocal = threading.local()\n" HELLO
        "    local.n = getattr(local, 'n', 0) + 1\n"
        "    return [b'%d %d' % (local.n, environ['mod_wsgi.thread_id'])]\n";
    char first[100];
    int i;

    for (i = 1; i < 4; i++) {
        WITH_FAKE(fake);

        bridge_get(code, &fake);
        ck_assert_int_eq(atoi(fake_exchange_text(&fake.sent)), i);
        if (i == 1) {
            snprintf(first, sizeof(first), "%s",
                     strchr(fake_exchange_text(&fake.sent), ' '));
        }
        ck_assert_str_eq(strchr(fake_exchange_text(&fake.sent), ' '), first);
    }
}
END_TEST

/* ---- forks */

static const char *const forks[] = {
    "def application(e, s):\n    import os\n    pid = os.fork()\n"
    "    s('200 OK', [])\n    if pid: os.waitpid(pid, 0)\n"
    "    return [b'child' if not pid else b'parent']\n",
    "def application(e, s):\n    import os, sys\n    pid = os.fork()\n"
    "    if not pid: sys.exit()\n    os.waitpid(pid, 0)\n"
    "    s('200 OK', [])\n    return [b'parent']\n",
    "def application(e, s):\n    import os\n    s('200 OK', [])\n"
    "    pid = os.fork()\n    if pid: os.waitpid(pid, 0)\n"
    "    yield b'parent' if pid else b'child'\n",
    "class B:\n    def __iter__(self): return iter([b'parent'])\n"
    "    def close(self):\n        import os\n        pid = os.fork()\n"
    "        if pid: os.waitpid(pid, 0)\n"
    "def application(e, s):\n    s('200 OK', [])\n    return B()\n",
    "def application(e, s):\n    import os\n    w = s('200 OK', [])\n"
    "    pid = os.fork()\n    if not pid:\n"
    "        for f in (lambda: w(b'child'), e['wsgi.input'].read,\n"
    "                  lambda: s('500 No', [])):\n"
    "            try: f()\n            except RuntimeError: pass\n"
    "            else: os.abort()\n"
    "        print('child', file=e['wsgi.errors'])\n"
    "    else: assert os.waitpid(pid, 0)[1] == 256\n"
    "    return [b'parent']\n",
};

START_TEST(a_forked_copy_ends_and_the_parent_answers)
{
    int saved = dup(2), fds[2];
    char text[400] = "";
    WITH_FAKE(fake);

    ck_assert_int_eq(pipe(fds), 0);
    dup2(fds[1], 2);
    bridge_get(forks[_i], &fake);
    dup2(saved, 2);
    close(fds[1]);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "parent");
    ck_assert_uint_eq(fake.log.len, 0);
    ck_assert_int_ge(read(fds[0], text, sizeof(text) - 1), 0);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(a_child_that_execs_or_exits_is_left_alone)
{
    static const row_t row = {
        "subprocess",
        "import subprocess, os, multiprocessing\n" HELLO
        "    out = subprocess.run(['echo', 'hi'], capture_output=True).stdout\n"
        "    pid = os.fork()\n"
        "    if not pid: os._exit(7)\n"
        "    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
        "    return [out, b'%d' % code]\n",
        ETCL_ANSWER_DONE,
        200,
        "200 OK",
        "hi\n7",
        NULL
    };

    bridge_check_row(&row, NULL);
}
END_TEST

/* ---- interpreters */

START_TEST(each_application_group_has_its_interpreter)
{
    static const char code[] =
        "import sys, mod_wsgi\nn = 0\n" HELLO "    global n\n    n += 1\n"
        "    sys.marker = getattr(sys, 'marker', '') + 'x'\n"
        "    print('log', file=environ['wsgi.errors'])\n"
        "    return [repr((mod_wsgi.application_group, n,\n"
        "        environ['mod_wsgi.application_group'],\n"
        "        sys.marker)).encode()]\n";
    static const struct {
        const char *group;
        const char *want;
    } calls[] = {
        { "one", "('one', 1, 'one', 'x')" },
        { NULL, "('', 1, '', 'x')" },
        { "two|/x", "('two|/x', 1, 'two|/x', 'x')" },
        { "one", "('one', 2, 'one', 'xx')" },
    };
    size_t i;

    for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        request_t request = { .code = code, .group = calls[i].group };
        WITH_FAKE(fake);

        bridge_ask(&request, &fake);
        ck_assert_str_eq(fake_exchange_text(&fake.sent), calls[i].want);
        ck_assert_str_eq(fake_exchange_text(&fake.log), "3 log\n");
    }
}
END_TEST

static void *ask_groups(void *data)
{
    static const char *const groups[] = { NULL, "g1", "g2", "g3" };
    int i;

    for (i = 0; i < 100; i++) {
        request_t request = { .code = HELLO "    return [b'x']\n",
                              .group = groups[(i + (int)(size_t)data) % 4] };
        WITH_FAKE(fake);

        ck_assert_int_eq(bridge_ask(&request, &fake).end, ETCL_ANSWER_DONE);
    }
    return NULL;
}

START_TEST(threads_make_and_use_interpreters_together)
{
    pthread_t threads[THREADS];
    size_t i;

    for (i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, ask_groups, (void *)i);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}
END_TEST

/* ---- the end, and a look inside */

static const struct {
    const char *code;
    const char *group;
} ends[] = {
    { HELLO "    return [b'x']\n", NULL },
    { HELLO "    return [b'x']\n", "sub" },
    { "import threading, time\nthreading.Thread(target=time.sleep,"
      " args=(0.2,)).start()\n" HELLO "    return [b'x']\n",
      NULL },
    { "import threading, time\nthreading.Thread(target=time.sleep,"
      " args=(99,), daemon=True).start()\n" HELLO "    return [b'x']\n",
      NULL },
    { "kept = []\n" HELLO "    kept.append((environ, start_response))\n"
      "    return [b'x']\n",
      NULL },
};

START_TEST(the_end_runs_exit_callbacks_and_returns)
{
    char code[1000];
    request_t request = { .code = code, .group = ends[_i].group };
    WITH_FAKE(fake);

    snprintf(code, sizeof(code),
             "import atexit, os\nOUT = os.path.join(os.path.dirname("
             "__file__), 'end%d')\n"
             "atexit.register(lambda: open(OUT, 'w').close())\n%s",
             _i, ends[_i].code);
    ck_assert_int_eq(bridge_ask(&request, &fake).end, ETCL_ANSWER_DONE);
    etcl_runtime.stop("shutdown_signal");
    snprintf(code, sizeof(code), "%s/end%d", bridge_folder(), _i);
    ck_assert_int_eq(access(code, F_OK), 0);
    request.code = HELLO "    return []\n";
    ck_assert_int_eq(bridge_ask(&request, &fake).status, 503);
}
END_TEST

static fake_exchange_t watched;

static void *sleep_in_c(void *data)
{
    bridge_get(data, &watched);
    return NULL;
}

static const char *const sleepers[] = {
    "import time\ndef find_me(): time.sleep(1)\n" HELLO
    "    find_me()\n    return []\n",
    "import ctypes\ndef find_me(): ctypes.PyDLL(None).usleep(900000)\n" HELLO
    "    find_me()\n    return []\n",
    "import time\ndef find_me():\n    end = time.time() + 1\n"
    "    while time.time() < end: pass\n" HELLO
    "    find_me()\n    return []\n",
};

START_TEST(the_stack_of_a_thread_is_shown_even_without_the_gil)
{
    pthread_t thread;
    char code[400];

    snprintf(code, sizeof(code), "%s", sleepers[_i]);
    fake_exchange_init(&watched);
    pthread_create(&thread, NULL, sleep_in_c, code);
    usleep(300000);
    bridge_log();
    etcl_runtime.dump(&watched.base);
    ck_assert_msg(strstr(bridge_peek(), "in find_me") != NULL, "%s",
                  bridge_peek());
    bridge_log();
    if (_i != 1) { /* a signal ends usleep() */
        etcl_runtime.dump(NULL);
        ck_assert_ptr_nonnull(strstr(bridge_peek(), "in find_me"));
    }
    pthread_join(thread, NULL);
    bridge_log();
    etcl_runtime.dump(&watched.base);
    ck_assert_str_eq(bridge_peek(), "");
    fake_exchange_done(&watched);
}
END_TEST

Suite *suite_turn(void)
{
    Suite *suite = suite_create("turn");
    TCase *tests = bridge_case(suite, "turn");

    add_rows(tests, an_object_of_a_finished_request_raises, kept);
    tcase_add_loop_test(tests, an_application_may_ask_for_its_client, 0, 2);
    tcase_add_test(tests, many_threads_never_see_each_others_requests);
    tcase_add_test(tests, a_thread_of_the_application_may_read_and_write);
    add_rows(tests, a_read_that_outlasts_its_request_raises, late_readers);
    tcase_add_test(tests, thread_locals_survive_and_the_id_is_stable);
    add_rows(tests, a_forked_copy_ends_and_the_parent_answers, forks);
    tcase_add_test(tests, a_child_that_execs_or_exits_is_left_alone);
    tcase_add_test(tests, each_application_group_has_its_interpreter);
    tcase_add_test(tests, threads_make_and_use_interpreters_together);
    add_rows(tests, the_end_runs_exit_callbacks_and_returns, ends);
    add_rows(tests, the_stack_of_a_thread_is_shown_even_without_the_gil,
             sleepers);
    return suite;
}

/* A template: what is loaded ahead of a fork, and what a fork has of it. Each
 * test is in a process that has not started Python before. */

#include "etcl_python.h"
#include "bridge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static apr_status_t load(const char *code, const char *group)
{
    etcl_target_t target = { etcl_span(bridge_script(code)), etcl_span(group),
                             ETCL_SPAN("application") };

    return etcl_runtime.load(&target);
}

static void begin(const char *code)
{
    bridge_config()->forks = 1;
    bridge_start();
    ck_assert_int_eq(load(code, ""), APR_SUCCESS);
}

/* A module that the scripts of a test can import. */
static void write_module(const char *name, const char *code)
{
    char path[300];
    FILE *file;

    bridge_start();
    snprintf(path, sizeof(path), "%s/%s.py", bridge_folder(), name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(code, file);
    fclose(file);
    snprintf(path, sizeof(path), "import sys; sys.path.insert(0, '%s')",
             bridge_folder());
    bridge_run(path);
}

/* ---- settle */

START_TEST(what_was_loaded_is_kept_out_of_collections)
{
    begin(HELLO);
    ck_assert_int_eq(etcl_runtime.settle(), APR_SUCCESS);
    bridge_run("import gc, sys\nassert gc.get_freeze_count() > 1000\n"
               "limits = gc.get_threshold()\n"
               "assert limits == (700, 10, 10) or (\n"
               "    sys.version_info >= (3, 13) and limits[0] == 2000)\n"
               "assert gc.isenabled()\n");
    ck_assert_str_eq(bridge_log(), "");
}
END_TEST

START_TEST(limits_of_the_application_are_its_own)
{
    begin(HELLO "import gc\ngc.set_threshold(5000, 5, 5)\ngc.disable()\n");
    ck_assert_int_eq(etcl_runtime.settle(), APR_SUCCESS);
    bridge_run("import gc\nassert gc.get_threshold() == (5000, 5, 5)\n"
               "assert not gc.isenabled()\n");
}
END_TEST

#define THREAD                                                                 \
    "import threading, _thread, time\n"                                        \
    "def begin():\n"                                                           \
    "    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()" \
    "\n"                                                                       \
    "def bare(): _thread.start_new_thread(time.sleep, (60,))\n"

static const struct {
    const char *module;
    const char *script;
    const char *said; /* NULL: it can be forked */
} starters[] = {
    { THREAD "begin()\n", "import starter\n", "by module starter (" },
    { THREAD "bare()\n", "import starter\n", "by module starter (" },
    { THREAD, "import starter\nstarter.begin()\n", "by module starter (" },
    { "", THREAD "begin()\n", "by script " },
    { "import concurrent.futures as f, time\n"
      "pool = f.ThreadPoolExecutor(1)\npool.submit(time.sleep, 0)\n",
      "import starter\n", "by module starter (" },
    { THREAD "t = threading.Thread(target=print)\nt.start()\nt.join()\n",
      "import starter\n", NULL },
};

START_TEST(who_starts_a_thread_is_named)
{
    char code[1000];
    apr_status_t want = starters[_i].said ? APR_EGENERAL : APR_SUCCESS;

    bridge_config()->forks = 1;
    write_module("starter", starters[_i].module);
    snprintf(code, sizeof(code), "%s" HELLO, starters[_i].script);
    ck_assert_int_eq(load(code, ""), APR_SUCCESS);
    ck_assert_int_eq(etcl_runtime.settle(), want);
    if (starters[_i].said) {
        ck_assert_ptr_nonnull(strstr(bridge_peek(), "4 ETCL0341"));
        ck_assert_ptr_nonnull(strstr(bridge_peek(), starters[_i].said));
    }
}
END_TEST

static void *sleep_on(void *unused)
{
    pause();
    return unused;
}

START_TEST(a_thread_of_c_alone_is_seen)
{
    pthread_t thread;

    begin(HELLO);
    ck_assert_int_eq(pthread_create(&thread, NULL, sleep_on, NULL), 0);
    ck_assert_int_eq(etcl_runtime.settle(), APR_EGENERAL);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "by a library;"));
}
END_TEST

START_TEST(nothing_of_the_watch_is_left)
{
    begin(HELLO);
    etcl_runtime.settle();
    bridge_run(
        "import _thread, threading, _imp, types\n"
        "starts = [getattr(of, name) for of in (_thread, threading)\n"
        "          for name in dir(of) if '_thread' in name\n"
        "          and name.lstrip('_').startswith('start_')]\n"
        "assert len(starts) >= 2\n"
        "for what in (_imp.create_dynamic, _imp.exec_dynamic, *starts):\n"
        "    assert type(what) is types.BuiltinFunctionType, what\n");
}
END_TEST

START_TEST(a_second_interpreter_cannot_be_forked)
{
    begin(HELLO);
    ck_assert_int_eq(load(HELLO "second = 1\n", "other"), APR_SUCCESS);
    ck_assert_int_eq(etcl_runtime.settle(), APR_EGENERAL);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "4 ETCL0342"));
}
END_TEST

/* ---- fork */

static int born_first;

static void be_born(void *data)
{
    born_first = *(int *)data;
}

/* Fork, and in the child run the script once more: its exit status. */
static int fork_and_ask(const char *code)
{
    etcl_answer_t answer;
    int status = -1, mark = 7;
    pid_t pid;
    WITH_FAKE(fake);

    pid = etcl_runtime.fork(be_born, &mark);
    if (!pid) {
        answer = bridge_get(code, &fake);
        _exit(born_first == 7 && answer.status == 200 ? 0 : 1);
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(born_first, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

#define ASSERTS(before, check)                                                 \
    before "def application(environ, start_response):\n"                       \
           "    assert " check "\n"                                            \
           "    start_response('200 OK', [])\n"                                \
           "    return [b'']\n"

static const struct {
    const char *name;
    const char *code;
} facts[] = {
    { "its own pid", ASSERTS("import os\npid = os.getpid()\n",
                             "os.getpid() != pid and os.getppid() == pid") },
    { "other random numbers",
      ASSERTS("import random\nrandom.seed(1)\n",
              "random.random() != 0.13436424411240122") },
    { "handlers ran once, in order",
      ASSERTS("import os\nran = []\n"
              "os.register_at_fork(before=lambda: ran.append('b'),\n"
              "    after_in_child=lambda: ran.append('c'),\n"
              "    after_in_parent=lambda: ran.append('p'))\n",
              "ran == ['b', 'c']") },
    { "one thread, the main one",
      ASSERTS("import threading\n",
              "threading.current_thread() is threading.main_thread() and "
              "threading.active_count() == 1") },
    { "a beginning of its own",
      ASSERTS("import mod_wsgi, time\nbegan = time.time()\ntime.sleep(.05)\n",
              "mod_wsgi.process_metrics()['restart_time'] > began + .04") },
    { "metrics from now on",
      ASSERTS("import mod_wsgi, time\nmod_wsgi.start_recording_metrics()\n"
              "began = time.time()\ntime.sleep(.05)\n",
              "mod_wsgi.request_metrics()['start_time'] > began + .04") },
    { "threads can be started",
      ASSERTS("import threading\n",
              "(lambda t: (t.start(), t.join(5), not t.is_alive())[2])("
              "threading.Thread(target=int))") },
    { "the collector works",
      ASSERTS("import gc\n", "gc.isenabled() and gc.collect() >= 0") },
};

START_TEST(a_fork_is_a_process_of_its_own)
{
    begin(facts[_i].code);
    ck_assert_int_eq(etcl_runtime.settle(), APR_SUCCESS);
    ck_assert_msg(fork_and_ask(facts[_i].code) == 0, "%s", facts[_i].name);
}
END_TEST

START_TEST(a_template_forks_again_and_again)
{
    int i;

    begin(ASSERTS("", "True"));
    ck_assert_int_eq(etcl_runtime.settle(), APR_SUCCESS);
    for (i = 0; i < 20; i++) {
        ck_assert_int_eq(fork_and_ask(ASSERTS("", "True")), 0);
    }
}
END_TEST

/* "pipe:[n]" of the descriptor that stacks are written to. */
#define PIPE "os.readlink('/proc/self/fd/%d' % _etcl.dump_channel()[2])"

START_TEST(a_fork_tells_its_stacks_itself)
{
    const char *code =
        ASSERTS("import os, _etcl\npipe = " PIPE "\n", "pipe != " PIPE);

    begin(code);
    ck_assert_int_eq(etcl_runtime.settle(), APR_SUCCESS);
    ck_assert_int_eq(fork_and_ask(code), 0);
}
END_TEST

static TCase *forked_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tests;
}

Suite *suite_ahead(void)
{
    Suite *suite = suite_create("ahead");
    const char *fork = getenv("CK_FORK");
    TCase *tests;

    if (fork && !strcmp(fork, "no")) {
        return suite;
    }
    tests = forked_case(suite, "settle");
    tcase_add_test(tests, what_was_loaded_is_kept_out_of_collections);
    tcase_add_test(tests, limits_of_the_application_are_its_own);
    add_rows(tests, who_starts_a_thread_is_named, starters);
    tcase_add_test(tests, a_thread_of_c_alone_is_seen);
    tcase_add_test(tests, nothing_of_the_watch_is_left);
    tcase_add_test(tests, a_second_interpreter_cannot_be_forked);
    tests = forked_case(suite, "fork");
    add_rows(tests, a_fork_is_a_process_of_its_own, facts);
    tcase_add_test(tests, a_template_forks_again_and_again);
    tcase_add_test(tests, a_fork_tells_its_stacks_itself);
    return suite;
}

/* Loading scripts: what is said when one does not load, and when it is tried
 * again. */

#include "bridge.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const row_t broken[] = {
    { "a module that is missing", "import no_such_module\n", ETCL_ANSWER_FAILED,
      500, NULL, "",
      "needs the module no_such_module, which was not found; searched: " },
    { "a name that is missing", "from os import no_such_name\n",
      ETCL_ANSWER_FAILED, 500, NULL, "", "ETCL0309" },
    { "an exception", "\n\n1 / 0\n", ETCL_ANSWER_FAILED, 500, NULL, "",
      ".py:3" },
    { "a syntax error", "\ndef (:\n", ETCL_ANSWER_FAILED, 500, NULL, "",
      ".py:2" },
    { "sys.exit", "import sys\nsys.exit(4)\n", ETCL_ANSWER_FAILED, 500, NULL,
      "", "called sys.exit(4) while it was loaded" },
    { "KeyboardInterrupt", "raise KeyboardInterrupt\n", ETCL_ANSWER_FAILED, 500,
      NULL, "", "KeyboardInterrupt" },
    { "no callable", "def app(e, s): pass\napplication = 7\nx = 1\n",
      ETCL_ANSWER_FAILED, 500, NULL, "",
      "has no callable named application; found: app;" },
    { "nothing at all", "#\n", ETCL_ANSWER_FAILED, 500, NULL, "",
      "found: none" },
    { "a NUL", "x = '\\0'\napplication = 1\n", ETCL_ANSWER_FAILED, 500, NULL,
      "", "ETCL0310" },
};

START_TEST(a_script_that_does_not_load_says_precisely_why)
{
    bridge_check_row(&broken[_i], NULL);
}
END_TEST

static etcl_target_t target_of(const char *path)
{
    return (
        etcl_target_t){ etcl_span(path), { "", 0 }, ETCL_SPAN("application") };
}

static etcl_answer_t ask_path(const char *path, apr_uint32_t flags,
                              fake_exchange_t *fake)
{
    etcl_call_t call = { .kind = ETCL_CALL_WSGI,
                         .flags = flags,
                         .target = target_of(path) };

    return etcl_runtime.answer(&call, &fake->base);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(a_file_that_is_missing_is_named)
{
    etcl_target_t target = target_of("/no/such/script.py");

    bridge_log();
    ck_assert_int_eq(etcl_runtime.load(&target), APR_EGENERAL);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "3 ETCL0307"));
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "/no does not exist"));
}
END_TEST

START_TEST(a_folder_that_blocks_is_named)
{
    char folder[300], path[320];
    etcl_target_t target;

    snprintf(folder, sizeof(folder), "%s/closed", bridge_folder());
    snprintf(path, sizeof(path), "%s/wsgi.py", folder);
    mkdir(folder, 0755);
    write_file(path, HELLO);
    chmod(folder, 0700);
    target = target_of(path);
    bridge_log();
    ck_assert_int_eq(seteuid(33), 0);
    ck_assert_int_eq(etcl_runtime.load(&target), APR_EGENERAL);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "/closed may not be entered"));
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "by www-data (uid 33)"));
}
END_TEST

START_TEST(a_failed_script_is_tried_again_only_when_it_changed)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/mended.py", bridge_folder());
    write_file(path, "raise ValueError('broken')\n");
    {
        WITH_FAKE(fake);

        ck_assert_int_eq(ask_path(path, 0, &fake).status, 500);
        ck_assert_ptr_nonnull(strstr(fake_exchange_text(&fake.log), "broken"));
    }
    {
        WITH_FAKE(fake);

        ck_assert_int_eq(ask_path(path, 0, &fake).status, 500);
        ck_assert_ptr_nonnull(
            strstr(fake_exchange_text(&fake.log), "3 ETCL0311"));
    }
    write_file(path, HELLO "    return [b'mended']\n");
    {
        WITH_FAKE(fake);

        ck_assert_int_eq(ask_path(path, 0, &fake).status, 200);
    }
}
END_TEST

static void touch(const char *path, long second)
{
    struct timespec times[2] = { { second, 0 }, { second, 0 } };

    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void expect(const char *path, apr_uint32_t flags, const char *body)
{
    WITH_FAKE(fake);

    ask_path(path, flags, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), body);
}

START_TEST(a_changed_script_is_loaded_again_in_an_apache_child_only)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/changing.py", bridge_folder());
    write_file(path, HELLO "    return [b'one']\n");
    touch(path, 1000);
    expect(path, ETCL_CALL_RELOAD, "one");
    write_file(path, HELLO "    return [b'two']\n");
    touch(path, 2000);
    expect(path, ETCL_CALL_RELOAD, "one");
    bridge_config()->process_group = "";
    expect(path, 0, "one");
    expect(path, ETCL_CALL_RELOAD, "two");
    write_file(path, "raise ValueError\n");
    touch(path, 500);
    expect(path, ETCL_CALL_RELOAD, "two");
    expect(path, ETCL_CALL_RELOAD, "two");
}
END_TEST

START_TEST(the_module_has_its_name_and_file)
{
    static const row_t row = {
        "names",
        "import sys\n" HELLO "    m = sys.modules[__name__]\n"
        "    return [repr((__name__[:10], len(__name__), m.__file__ == "
        "__file__, __mtime__ > 0, m.__spec__.origin == __file__, m.application "
        "is application,"
        " sys.argv)).encode()]\n",
        ETCL_ANSWER_DONE,
        200,
        "200 OK",
        "('_mod_wsgi_', 42, True, True, True, True, ['mod_wsgi'])",
        NULL
    };

    bridge_check_row(&row, NULL);
}
END_TEST

static char told[300];
static apr_int64_t told_us;

static void note_loaded(etcl_span_t script, apr_int64_t mtime_us)
{
    snprintf(told, sizeof(told), "%.*s", (int)script.len, script.ptr);
    told_us = mtime_us;
}

START_TEST(who_loads_is_told_of_what_was_loaded)
{
    char path[300];

    bridge_config()->loaded = note_loaded;
    snprintf(path, sizeof(path), "%s/told.py", bridge_folder());
    write_file(path, HELLO "    return []\n");
    touch(path, 7);
    expect(path, 0, "");
    ck_assert_str_eq(told, path);
    ck_assert_int_eq(told_us, 7000000);
}
END_TEST

static void *ask_slow(void *data)
{
    WITH_FAKE(fake);

    ask_path(data, 0, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "loaded 1");
    return NULL;
}

START_TEST(a_slow_import_runs_once_and_blocks_no_other_script)
{
    static const char slow[] =
        "import time, builtins\n"
        "builtins.N = getattr(builtins, 'N', 0) + 1\ntime.sleep(0.6)\n" HELLO
        "    return [b'loaded %d' % builtins.N]\n";
    pthread_t threads[3];
    char path[300];
    apr_time_t start;
    int i;

    snprintf(path, sizeof(path), "%s", bridge_script(slow));
    for (i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, ask_slow, path);
    }
    usleep(100000);
    start = apr_time_now();
    expect(bridge_script(HELLO "    return [b'quick']\n"), 0, "quick");
    ck_assert_int_lt(apr_time_now() - start, 400000);
    for (i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
}
END_TEST

START_TEST(an_unknown_kind_of_call_is_refused)
{
    etcl_call_t call = { .kind = (etcl_call_kind_t)99 };
    WITH_FAKE(fake);
    etcl_answer_t answer;

    bridge_log();
    answer = etcl_runtime.answer(&call, &fake.base);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_FAILED);
    ck_assert_int_eq(answer.status, 500);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "ETCL0321: kind 99"));
}
END_TEST

Suite *suite_script(void)
{
    Suite *suite = suite_create("script");
    TCase *tests = bridge_case(suite, "script");

    add_rows(tests, a_script_that_does_not_load_says_precisely_why, broken);
    tcase_add_test(tests, a_file_that_is_missing_is_named);
    if (geteuid() == 0) {
        tcase_add_test(tests, a_folder_that_blocks_is_named);
    }
    tcase_add_test(tests, a_failed_script_is_tried_again_only_when_it_changed);
    tcase_add_test(tests,
                   a_changed_script_is_loaded_again_in_an_apache_child_only);
    tcase_add_test(tests, the_module_has_its_name_and_file);
    tcase_add_test(tests, who_loads_is_told_of_what_was_loaded);
    tcase_add_test(tests, a_slow_import_runs_once_and_blocks_no_other_script);
    tcase_add_test(tests, an_unknown_kind_of_call_is_refused);
    return suite;
}

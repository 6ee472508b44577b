/* Python's start, each in a process of its own: this suite runs before any
 * other has started Python. */

#include "etcl_python.h"
#include "bridge.h"
#include "etcl_home.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/etcl-before-XXXXXX";
static apr_pool_t *pool;

static void make_folder(void)
{
    apr_pool_create(&pool, NULL);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

static void remove_folder(void)
{
    if (system(apr_pstrcat(pool, "rm -rf ", folder, NULL))) {
        fprintf(stderr, "%s is left behind\n", folder);
    }
}

static void quiet(etcl_level_t level, etcl_span_t text)
{
    fprintf(stderr, "%d %.*s\n", level, (int)text.len, text.ptr);
}

static char last_line[1000];

static void keep_line(etcl_level_t level, etcl_span_t text)
{
    snprintf(last_line, sizeof(last_line), "%d %.*s", level, (int)text.len,
             text.ptr);
}

static etcl_runtime_config_t plain_config(void)
{
    return (etcl_runtime_config_t){ .process_group = "tests",
                                    .threads = 1,
                                    .processes = 1,
                                    .utf8_mode = -1,
                                    .restrict_signal = 1,
                                    .log = quiet };
}

/* A file below the folder, with its parents. */
static const char *make_file(const char *path, const char *text)
{
    const char *full = apr_pstrcat(pool, folder, "/", path, NULL);
    FILE *file;

    ck_assert_int_eq(system(apr_psprintf(pool, "mkdir -p $(dirname %s)", full)),
                     0);
    file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    return full;
}

static const char *in_folder(const char *path)
{
    return apr_pstrcat(pool, folder, "/", path, NULL);
}

/* ---- python-home */

static const char *const good_homes[] = {
    "venv",
    "venv/",
    "venv///",
    "venv/bin",
    "venv/bin/python",
    "venv/bin/python3.11",
    "venv/lib/python3.11/site-packages",
    "venv/lib/python3.11/site-packages/",
};

START_TEST(a_venv_may_be_named_in_several_ways)
{
    const char *why = NULL;
    etcl_home_t home;

    make_file("venv/pyvenv.cfg", "version = " PY_VERSION "\n");
    ck_assert_int_eq(
        etcl_home_resolve(in_folder(good_homes[_i]), pool, &home, &why), 0);
    ck_assert_str_eq(home.program, in_folder("venv/bin/python"));
    ck_assert_ptr_null(home.prefix);
}
END_TEST

static const struct {
    const char *file;
    const char *text;
    const char *home;
    const char *why;
} bad_homes[] = {
    { "x", "", "missing", "ETCL0301: python-home %s/missing does not exist" },
    { "x", "", "x", "is not a folder" },
    { "empty/x", "", "empty",
      "ETCL0303: python-home %s/empty is neither a virtual environment" },
    { "old/pyvenv.cfg", "home = /usr/bin\nversion = 2.7.18\n", "old",
      "ETCL0302: python-home %s/old is a virtual environment of Python 2.7.18"
      ", this runtime is Python 3." },
    { "old/pyvenv.cfg", "home = /usr/bin\nversion_info=3.1.4.final.0\n", "old",
      "is a virtual environment of Python 3.1.4" },
    { "gone/pyvenv.cfg", "home = /no/such/bin\n", "gone",
      "ETCL0303: python-home %s/gone was made with the Python in "
      "/no/such/bin" },
};

START_TEST(a_wrong_home_is_explained_before_python_starts)
{
    etcl_runtime_config_t config = plain_config();
    const char *why = NULL;

    make_file(bad_homes[_i].file, bad_homes[_i].text);
    config.python_home = in_folder(bad_homes[_i].home);
    ck_assert_int_eq(etcl_runtime.start(&config, pool, &why), APR_EGENERAL);
    ck_assert_msg(strstr(why, apr_psprintf(pool, bad_homes[_i].why, folder)) !=
                      NULL,
                  "%s", why);
    ck_assert_int_eq(Py_IsInitialized(), 0);
}
END_TEST

/* ---- the start itself */

static void start(const etcl_runtime_config_t *config)
{
    const char *why = NULL;

    ck_assert_msg(etcl_runtime.start(config, pool, &why) == 0, "%s", why);
}

static const struct {
    const char *field;
    const char *code;
} facts[] = {
    { "", "sys.argv == ['mod_wsgi'] and not sys.flags.isolated" },
    { "", "sys.prefix == sys.base_prefix and os.path.isabs(sys.executable)" },
    { "", "signal.getsignal(2) is not signal.default_int_handler" },
    { "optimize", "sys.flags.optimize == 2" },
    { "nobytecode", "sys.dont_write_bytecode" },
    { "utf8", "sys.flags.utf8_mode == 1" },
    { "seed", "sys.flags.hash_randomization == 0 or hash('a') == hash('a')" },
    { "random", "sys.flags.hash_randomization == 1" },
    { "warnings", "sys.warnoptions[-2:] == ['error', 'ignore::UserWarning']" },
    { "interval", "abs(sys.getswitchinterval() - 0.002) < 1e-9" },
    { "user", "(os.environ['USER'], os.environ['HOME']) == ('u', '/h')" },
    { "home", "sys.path[0] == '/srv/home'" },
    { "signal",
      "(signal.signal(15, print), signal.getsignal(15))[1] is not print" },
    { "signals",
      "(signal.signal(15, print), signal.getsignal(15))[1] is print" },
    { "", "mod_wsgi.process_group == 'tests' and mod_wsgi.version[0] == 6" },
};

static const char *const filters[] = { "error", "ignore::UserWarning", NULL };

START_TEST(python_starts_as_configured)
{
    etcl_runtime_config_t config = plain_config();
    const char *field = facts[_i].field;

    config.optimize = strcmp(field, "optimize") ? 0 : 2;
    config.write_bytecode = strcmp(field, "nobytecode") != 0;
    config.utf8_mode = strcmp(field, "utf8") ? -1 : 1;
    config.hash_seed = !strcmp(field, "seed")     ? "0"
                       : !strcmp(field, "random") ? "random"
                                                  : NULL;
    config.warnings = strcmp(field, "warnings") ? NULL : filters;
    config.switch_interval = strcmp(field, "interval") ? 0 : 0.002;
    config.user = strcmp(field, "user") ? NULL : "u";
    config.user_home = strcmp(field, "user") ? NULL : "/h";
    config.home = strcmp(field, "home") ? NULL : "/srv/home";
    config.restrict_signal = strcmp(field, "signal") == 0;
    start(&config);
    bridge_run(apr_psprintf(pool,
                            "import sys, os, signal, mod_wsgi\n"
                            "assert (%s), (sys.flags, sys.path, "
                            "sys.warnoptions, sys.prefix, sys.executable)",
                            facts[_i].code));
}
END_TEST

START_TEST(python_path_goes_through_addsitedir_to_the_front)
{
    etcl_runtime_config_t config = plain_config();

    make_file("one/extra.pth", in_folder("from_pth\n"));
    make_file("from_pth/x", "");
    make_file("two/bad.pth", "import no_such_module_at_all\n");
    make_file("three/mod_of_three.py", "");
    config.python_path =
        apr_pstrcat(pool, in_folder("one"), ":", in_folder("two"), ":",
                    in_folder("missing"), "::", in_folder("three"), NULL);
    config.home = in_folder("home");
    start(&config);
    bridge_run(apr_psprintf(
        pool,
        "import sys, mod_of_three\nf = '%s/'\n"
        "got = [p[len(f):] for p in sys.path if p.startswith(f)]\n"
        "assert got[:4] == ['home', 'one', 'from_pth', 'two'], sys.path\n"
        "assert sys.path[0] == f + 'home', sys.path\n"
        "assert sys.path.index(f + 'three') < sys.path.index("
        "[p for p in sys.path if p.endswith('lib-dynload')][0]), sys.path\n",
        folder));
}
END_TEST

START_TEST(a_venv_is_the_prefix_and_its_packages_are_found)
{
    etcl_runtime_config_t config = plain_config();
    const char *venv = in_folder("real");
    const char *why = NULL;
    etcl_home_t own;

    ck_assert_int_eq(etcl_home_resolve(NULL, pool, &own, &why), 0);
    ck_assert_int_eq(
        system(apr_psprintf(pool,
                            "%s -m venv --without-pip %s && "
                            "for d in %s/lib/python*/site-packages; do "
                            "touch $d/of_venv.py; done",
                            own.program, venv, venv)),
        0);
    config.python_home = venv;
    start(&config);
    bridge_run(apr_psprintf(pool,
                            "import sys, of_venv\n"
                            "assert sys.prefix == '%s', sys.prefix\n"
                            "assert sys.base_prefix != sys.prefix\n",
                            venv));
}
END_TEST

START_TEST(a_wrong_hash_seed_is_refused)
{
    static const char *const seeds[] = { "x", "-1", "4294967296", "" };
    etcl_runtime_config_t config = plain_config();
    const char *why = NULL;

    config.hash_seed = seeds[_i];
    ck_assert_int_eq(etcl_runtime.start(&config, pool, &why), APR_EGENERAL);
    ck_assert_int_eq(strncmp(why, "ETCL0304", 8), 0);
}
END_TEST

START_TEST(an_encoding_that_is_broken_is_no_abort)
{
    etcl_runtime_config_t config = plain_config();
    const char *why = NULL;

    setenv("PYTHONHASHSEED", "nonsense", 1);
    ck_assert_int_eq(etcl_runtime.start(&config, pool, &why), APR_EGENERAL);
    ck_assert_msg(strncmp(why, "ETCL0300", 8) == 0, "%s", why);
}
END_TEST

static const char *const restricted[] = {
    "sys.stdin.read()",
    "sys.stdin.fileno()",
    "sys.stdout.write('x')",
    "print('x')",
};

START_TEST(restricted_streams_raise_on_any_use)
{
    etcl_runtime_config_t config = plain_config();

    config.restrict_stdin = config.restrict_stdout = 1;
    start(&config);
    bridge_run(apr_psprintf(pool,
                            "import sys\ntry:\n    %s\n"
                            "except OSError: pass\nelse: raise SystemError\n",
                            restricted[_i]));
}
END_TEST

START_TEST(an_ignored_signal_is_told_with_its_place)
{
    etcl_runtime_config_t config = plain_config();

    config.log = keep_line;
    start(&config);
    bridge_run("import signal\ndef here(): signal.signal(15, print)\nhere()");
    ck_assert_ptr_nonnull(strstr(last_line, "6 ETCL0322"));
    ck_assert_ptr_nonnull(strstr(last_line, "in here"));
}
END_TEST

static TCase *forked_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tests;
}

Suite *suite_before(void)
{
    Suite *suite = suite_create("before");
    const char *fork = getenv("CK_FORK");
    TCase *tests;

    if (fork && !strcmp(fork, "no")) {
        return suite;
    }
    tests = forked_case(suite, "before");
    add_rows(tests, a_venv_may_be_named_in_several_ways, good_homes);
    add_rows(tests, a_wrong_home_is_explained_before_python_starts, bad_homes);
    add_rows(tests, python_starts_as_configured, facts);
    tcase_add_test(tests, python_path_goes_through_addsitedir_to_the_front);
    tcase_add_test(tests, a_venv_is_the_prefix_and_its_packages_are_found);
    tcase_add_loop_test(tests, a_wrong_hash_seed_is_refused, 0, 4);
    tcase_add_test(tests, an_encoding_that_is_broken_is_no_abort);
    add_rows(tests, restricted_streams_raise_on_any_use, restricted);
    tcase_add_test(tests, an_ignored_signal_is_told_with_its_place);
    return suite;
}

/* Numbers of the kernel: what the files look like, and what two looks at
 * them mean. */

#include "rows.h"
#include "etcl_sample.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *text;
    apr_int64_t want;
} counts[] = {
    { "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n", 2 },
    { "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", 7 },
    { "nr_free_pages 1\noom_kill 4", 4 },
    { "oom_kill 0\n", 0 },
    { "", -1 },
    { "oom_kill\n", -1 },
    { "oom_kill \n", -1 },
    { "oom_kill x\n", -1 },
    { "oom_kill -3\n", -1 },
    { "oom_kill 123456789012345678901234567890\n", -1 },
    { "not oom_kill 3\n", -1 },
};

START_TEST(a_counter_stands_at_the_beginning_of_its_line)
{
    ck_assert_int_eq(etcl_sample_count(etcl_span(counts[_i].text), "oom_kill"),
                     counts[_i].want);
}
END_TEST

static const struct {
    const char *cgroups, *want; /* NULL: none */
} paths[] = {
    { "0::/system.slice/apache2.service\n",
      "/sys/fs/cgroup/system.slice/apache2.service/memory.events" },
    { "0::/\n", "/sys/fs/cgroup/memory.events" },
    { "4:memory:/a/b\n1:cpu:/\n0::/\n",
      "/sys/fs/cgroup/memory/a/b/memory.oom_control" },
    { "4:memory:/", "/sys/fs/cgroup/memory/memory.oom_control" },
    { "0::/a:b\n", "/sys/fs/cgroup/a:b/memory.events" },
    { "5:cpu,cpuacct:/x\n", NULL },
    { "memory\n:\n", NULL },
    { "", NULL },
};

START_TEST(the_file_of_a_control_group_is_known_by_its_path)
{
    char path[ETCL_SAMPLE_PATH_MAX];
    int found = etcl_sample_path(etcl_span(paths[_i].cgroups), path);

    ck_assert_int_eq(found, paths[_i].want != NULL);
    if (found) {
        ck_assert_str_eq(path, paths[_i].want);
    }
}
END_TEST

START_TEST(a_path_that_is_too_long_is_none)
{
    char text[700] = "0::/", path[ETCL_SAMPLE_PATH_MAX];

    memset(text + 4, 'a', 500);
    ck_assert_int_eq(etcl_sample_path(etcl_span(text), path), 0);
    memset(text + 4, 'a', sizeof(text) - 5);
    ck_assert_int_eq(etcl_sample_path(etcl_span(text), path), 0);
}
END_TEST

static const struct {
    etcl_kills_t before, after;
    etcl_killed_t want;
} looks[] = {
    { { -1, -1 }, { -1, -1 }, ETCL_KILLED_UNKNOWN },
    { { -1, -1 }, { 4, 4 }, ETCL_KILLED_UNKNOWN },
    { { 0, 0 }, { 0, 0 }, ETCL_KILLED_NOBODY },
    { { 3, -1 }, { 3, -1 }, ETCL_KILLED_NOBODY },
    { { -1, 3 }, { -1, 3 }, ETCL_KILLED_NOBODY },
    { { 3, 3 }, { 4, 4 }, ETCL_KILLED_HERE },
    { { 3, -1 }, { 4, -1 }, ETCL_KILLED_HERE },
    { { 3, 3 }, { 3, 4 }, ETCL_KILLED_SOMEBODY },
    { { -1, 3 }, { -1, 4 }, ETCL_KILLED_SOMEBODY },
};

START_TEST(two_looks_tell_whom_the_kernel_killed)
{
    ck_assert_int_eq(etcl_sample_judge(&looks[_i].before, &looks[_i].after),
                     looks[_i].want);
}
END_TEST

START_TEST(a_process_has_some_memory_and_no_process_none)
{
    enum { MORE = 32 * 1024 * 1024 };
    apr_int64_t before = etcl_sample_resident(getpid());
    char *more = malloc(MORE);

    explicit_bzero(more, MORE); /* nothing that a compiler leaves out */
    ck_assert_int_gt(before, 100000);
    ck_assert_int_gt(etcl_sample_resident(getpid()), before + MORE / 2);
    ck_assert_int_eq(etcl_sample_resident(0), -1);
    free(more);
}
END_TEST

START_TEST(a_process_that_has_ended_has_no_memory_left)
{
    siginfo_t info;
    pid_t pid = fork();

    if (!pid) {
        _exit(0);
    }
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(etcl_sample_resident(pid), 0);
    waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(a_sender_has_a_name_while_it_lives)
{
    char text[ETCL_SAMPLE_SENDER_MAX], want[64];

    snprintf(want, sizeof(want), "pid %ld (unit), uid 7", (long)getpid());
    etcl_sample_sender(getpid(), 7, text);
    ck_assert_str_eq(text, want);
    etcl_sample_sender(0x7ffffffe, 7, text);
    ck_assert_str_eq(text, "pid 2147483646 (gone), uid 7");
    etcl_sample_sender(0, 0, text);
    ck_assert_str_eq(text, "no process that is seen here");
}
END_TEST

Suite *suite_sample(void)
{
    Suite *suite = suite_create("sample");
    TCase *tests = tcase_create("sample");

    tcase_add_rows(tests, a_counter_stands_at_the_beginning_of_its_line,
                   counts);
    tcase_add_rows(tests, the_file_of_a_control_group_is_known_by_its_path,
                   paths);
    tcase_add_test(tests, a_path_that_is_too_long_is_none);
    tcase_add_rows(tests, two_looks_tell_whom_the_kernel_killed, looks);
    tcase_add_test(tests, a_process_has_some_memory_and_no_process_none);
    tcase_add_test(tests, a_process_that_has_ended_has_no_memory_left);
    tcase_add_test(tests, a_sender_has_a_name_while_it_lives);
    suite_add_tcase(suite, tests);
    return suite;
}

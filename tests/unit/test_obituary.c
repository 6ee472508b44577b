/* What is said of a worker that is gone: the words, and their bounds. */

#include "rows.h"
#include "etcl_journal.h"
#include "etcl_keys.h"
#include "etcl_obituary.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECOND APR_INT64_C(1000000)
#define MIB (1024 * 1024)

static const etcl_ledger_t *theirs;
static etcl_ledger_t *ours;
static char text[ETCL_OBITUARY_MAX + 512];

static void set_up(void)
{
    int fd;

    theirs = etcl_ledger_create(&fd);
    ours = etcl_ledger_open(fd);
    ck_assert_ptr_nonnull(ours);
    close(fd);
}

static void tear_down(void)
{
    etcl_ledger_close(ours);
    etcl_ledger_close(theirs);
}

static void hold(int line, const char *uri, apr_int64_t since_us)
{
    const etcl_pair_t pairs[] = {
        { ETCL_KEY_REQUEST_METHOD, ETCL_SPAN("REQUEST_METHOD"),
          ETCL_SPAN("GET") },
        { ETCL_KEY_REQUEST_URI, ETCL_SPAN("REQUEST_URI"), etcl_span(uri) },
    };
    const etcl_call_t call = { .pairs = pairs, .pair_count = 2 };

    etcl_ledger_begin(ours, line, &call, since_us);
}

/* Born at 100 s, and now it is 160 s. */
static etcl_obituary_t somebody(void)
{
    return (etcl_obituary_t){ .group = "web",
                              .slot = 1,
                              .pid = 42,
                              .now_us = 160 * SECOND,
                              .forked_us = 100 * SECOND,
                              .requests = 7,
                              .resident = 3 * MIB / 2,
                              .ledger = theirs };
}

START_TEST(a_worker_that_did_nothing_is_old_and_big)
{
    etcl_obituary_t of = somebody();
    const char *want = "; age 60.0 s, 7 requests answered, 1.5 MiB resident; "
                       "it held no request";

    ck_assert_int_eq(etcl_obituary_facts(&of, text), strlen(want));
    ck_assert_str_eq(text, want);
}
END_TEST

START_TEST(what_is_not_known_is_not_said)
{
    etcl_obituary_t of = somebody();

    of.resident = 0;
    of.ledger = NULL;
    etcl_obituary_facts(&of, text);
    ck_assert_str_eq(text, "; age 60.0 s, 7 requests answered");
}
END_TEST

START_TEST(a_worker_that_was_not_ready_held_nothing)
{
    etcl_obituary_t of = somebody();

    of.starting = 1;
    etcl_obituary_facts(&of, text);
    ck_assert_ptr_nonnull(strstr(text, "; it was still loading"));
}
END_TEST

START_TEST(requests_are_named_with_their_time)
{
    etcl_obituary_t of = somebody();

    hold(0, "/a", 159 * SECOND);
    hold(5, "/b?c", 130 * SECOND);
    etcl_obituary_facts(&of, text);
    ck_assert_ptr_nonnull(
        strstr(text, "; it held GET /a (1.0 s), GET /b (30.0 s)"));
}
END_TEST

/* A worker can claim anything of time. */
static const apr_int64_t strange[] = { 0, -1, INT64_MIN, INT64_MAX,
                                       161 * SECOND };

START_TEST(no_request_is_older_than_its_worker)
{
    etcl_obituary_t of = somebody();

    hold(0, "/a", strange[_i]);
    etcl_obituary_facts(&of, text);
    ck_assert_ptr_nonnull(strstr(text, "; it held GET /a (60.0 s)"));
}
END_TEST

START_TEST(of_many_requests_some_are_named)
{
    etcl_obituary_t of = somebody();
    int i;

    for (i = 0; i < ETCL_OBITUARY_NAMED + 3; i++) {
        hold(i, "/a", 159 * SECOND);
    }
    etcl_obituary_facts(&of, text);
    ck_assert_ptr_nonnull(strstr(text, "GET /a (1.0 s) and 3 more"));
}
END_TEST

START_TEST(whatever_a_worker_wrote_the_text_is_bounded)
{
    etcl_obituary_t of = somebody();

    of.requests = UINT64_MAX;
    memset(ours, 0xff, ETCL_LEDGER_LINES * 128);
    ck_assert_int_lt(etcl_obituary_facts(&of, text), ETCL_OBITUARY_MAX);
    ck_assert_ptr_nonnull(strstr(text, " and 504 more"));
}
END_TEST

/* What a line of the log says, by a pipe. */
static void expect_line(const etcl_obituary_t *of, int status, const char *want)
{
    int fds[2];
    ssize_t len;

    ck_assert_int_eq(pipe(fds), 0);
    etcl_journal_open(fds[1], ETCL_LOG_DEBUG);
    etcl_obituary_died(of, status);
    len = read(fds[0], text, sizeof(text) - 1);
    ck_assert_int_gt(len, 0);
    text[len] = '\0';
    ck_assert_msg(strstr(text, want) != NULL, "%s: %s", want, text);
    close(fds[0]);
    close(fds[1]);
}

static const struct {
    int status;
    apr_int64_t told_us;
    etcl_killed_t oom;
    const char *want;
} deaths[] = {
    { 11, 0, ETCL_KILLED_HERE,
      "ETCL0231: worker 1 of group web (pid 42) died: "
      "signal 11 (SIGSEGV); age 60.0 s" },
    { 11 | 0x80, 0, 0, "(SIGSEGV), core dumped; age" },
    { 9, 0, ETCL_KILLED_NOBODY, "counted no out-of-memory kill; age" },
    { 9, 0, ETCL_KILLED_HERE, "; out of memory: the kernel counted" },
    { 9, 0, ETCL_KILLED_SOMEBODY, "; probably out of memory: the" },
    { 9, 0, ETCL_KILLED_UNKNOWN, "see the kernel's log; age" },
    { 6, 150 * SECOND, 0, "died while it was ending: signal 6 (SIGABRT); age" },
    { 3 << 8, 0, 0,
      "ETCL0232: worker 1 of group web (pid 42) ended by itself "
      "with exit status 3; age 60.0 s" },
    { 0, 150 * SECOND, 0, "by itself while it was ending with exit status 0" },
};

START_TEST(a_death_is_one_line)
{
    etcl_obituary_t of = somebody();

    of.told_us = deaths[_i].told_us;
    of.oom = deaths[_i].oom;
    expect_line(&of, deaths[_i].status, deaths[_i].want);
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(a_path_cannot_forge_a_line)
{
    etcl_obituary_t of = somebody();

    hold(0, "/a\n[forged]", 159 * SECOND);
    expect_line(&of, 11, "GET /a\\n[forged]");
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

Suite *suite_obituary(void)
{
    Suite *suite = suite_create("obituary");
    TCase *tests = tcase_create("obituary");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_worker_that_did_nothing_is_old_and_big);
    tcase_add_test(tests, what_is_not_known_is_not_said);
    tcase_add_test(tests, a_worker_that_was_not_ready_held_nothing);
    tcase_add_test(tests, requests_are_named_with_their_time);
    tcase_add_rows(tests, no_request_is_older_than_its_worker, strange);
    tcase_add_test(tests, of_many_requests_some_are_named);
    tcase_add_test(tests, whatever_a_worker_wrote_the_text_is_bounded);
    tcase_add_rows(tests, a_death_is_one_line, deaths);
    tcase_add_test(tests, a_path_cannot_forge_a_line);
    suite_add_tcase(suite, tests);
    return suite;
}

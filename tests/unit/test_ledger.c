/* The ledger of a worker: one side writes, the other reads whatever is
 * there. */

#include "rows.h"
#include "etcl_keys.h"
#include "etcl_ledger.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const etcl_ledger_t *theirs; /* the supervisor's */
static etcl_ledger_t *ours;         /* the worker's */
static int ledger_fd;
static etcl_held_t held;

static void set_up(void)
{
    theirs = etcl_ledger_create(&ledger_fd);
    ck_assert_ptr_nonnull(theirs);
    ours = etcl_ledger_open(ledger_fd);
    ck_assert_ptr_nonnull(ours);
}

static void tear_down(void)
{
    etcl_ledger_close(ours);
    etcl_ledger_close(theirs);
    close(ledger_fd);
}

static void begin(int line, const char *method, const char *uri)
{
    const etcl_pair_t pairs[] = {
        { 0, ETCL_SPAN("OTHER"), ETCL_SPAN("x") },
        { ETCL_KEY_REQUEST_METHOD, ETCL_SPAN("REQUEST_METHOD"),
          etcl_span(method) },
        { ETCL_KEY_REQUEST_URI, ETCL_SPAN("REQUEST_URI"), etcl_span(uri) },
    };
    const etcl_call_t call = { .pairs = pairs, .pair_count = 3 };

    etcl_ledger_begin(ours, line, &call, 1000 + line);
}

static void expect(int line, const char *want)
{
    ck_assert_int_eq(etcl_ledger_read(theirs, line, &held), 1);
    ck_assert_int_eq(held.len, strlen(want));
    ck_assert_mem_eq(held.text, want, held.len);
}

START_TEST(a_request_is_held_from_its_beginning_to_its_end)
{
    ck_assert_int_eq(etcl_ledger_read(theirs, 3, &held), 0);
    begin(3, "GET", "/path");
    expect(3, "GET /path");
    ck_assert_int_eq(held.since_us, 1003);
    ck_assert_int_eq(etcl_ledger_read(theirs, 2, &held), 0);
    etcl_ledger_end(ours, 3);
    ck_assert_int_eq(etcl_ledger_read(theirs, 3, &held), 0);
}
END_TEST

START_TEST(what_follows_the_path_is_not_written_down)
{
    begin(0, "GET", "/reset?token=secret");
    expect(0, "GET /reset");
}
END_TEST

START_TEST(a_long_path_is_cut)
{
    char uri[500] = "/";

    memset(uri + 1, 'a', sizeof(uri) - 2);
    begin(0, "GET", uri);
    ck_assert_int_eq(etcl_ledger_read(theirs, 0, &held), 1);
    ck_assert_int_eq(held.len, ETCL_LEDGER_TEXT);
    begin(0, uri, "/");
    ck_assert_int_eq(etcl_ledger_read(theirs, 0, &held), 1);
    ck_assert_int_eq(held.len, ETCL_LEDGER_TEXT);
    ck_assert_int_eq(etcl_ledger_read(theirs, 1, &held), 0);
}
END_TEST

START_TEST(a_call_without_names_has_dashes)
{
    const etcl_call_t call = { .pair_count = 0 };

    etcl_ledger_begin(ours, 0, &call, 1);
    expect(0, "- -");
}
END_TEST

START_TEST(lines_that_do_not_exist_are_nothing)
{
    const etcl_call_t call = { .pair_count = 0 };

    begin(ETCL_LEDGER_LINES, "GET", "/");
    etcl_ledger_end(ours, ETCL_LEDGER_LINES);
    ck_assert_int_eq(etcl_ledger_read(theirs, ETCL_LEDGER_LINES, &held), 0);
    ck_assert_int_eq(etcl_ledger_read(theirs, -1, &held), 0);
    ck_assert_int_eq(etcl_ledger_read(NULL, 0, &held), 0);
    etcl_ledger_begin(NULL, 0, &call, 1);
    etcl_ledger_end(NULL, 0);
    ck_assert_ptr_null(etcl_ledger_open(-1));
}
END_TEST

START_TEST(a_worker_can_write_anything_but_not_change_the_size)
{
    int line;

    memset(ours, 0xff, ETCL_LEDGER_LINES * 128);
    for (line = 0; line < ETCL_LEDGER_LINES; line++) {
        ck_assert_int_eq(etcl_ledger_read(theirs, line, &held), 1);
        ck_assert_int_eq(held.len, ETCL_LEDGER_TEXT);
    }
    ck_assert_int_ne(ftruncate(ledger_fd, 0), 0);
    ck_assert_int_ne(fcntl(ledger_fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
}
END_TEST

Suite *suite_ledger(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tests = tcase_create("ledger");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_request_is_held_from_its_beginning_to_its_end);
    tcase_add_test(tests, what_follows_the_path_is_not_written_down);
    tcase_add_test(tests, a_long_path_is_cut);
    tcase_add_test(tests, a_call_without_names_has_dashes);
    tcase_add_test(tests, lines_that_do_not_exist_are_nothing);
    tcase_add_test(tests, a_worker_can_write_anything_but_not_change_the_size);
    suite_add_tcase(suite, tests);
    return suite;
}

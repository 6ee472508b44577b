/* Windows: both ends of one, in one process. */

#include "etcl_view.h"
#include "etcl_window.h"
#include "rows.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static etcl_window_t window;
static etcl_view_t view = { .fd = -1 };
static char got[ETCL_WINDOW_SIZE];

static void open_both(void)
{
    ck_assert_int_eq(etcl_window_create(&window), APR_SUCCESS);
    ck_assert_int_eq(etcl_view_open(&view, dup(window.fd)), APR_SUCCESS);
}

static void close_both(void)
{
    etcl_view_close(&view);
    etcl_window_destroy(&window);
}

static void put(apr_size_t at, const char *text)
{
    ck_assert_int_eq(etcl_window_put(&window, at, etcl_span(text)),
                     APR_SUCCESS);
}

START_TEST(what_is_put_is_read_with_its_serial_only)
{
    put(0, "first");
    etcl_window_mark(&window, 7, 0);
    ck_assert_int_eq(etcl_view_read(&view, 7, 0, got, 5), APR_SUCCESS);
    ck_assert_mem_eq(got, "first", 5);
    ck_assert_int_eq(etcl_view_read(&view, 6, 0, got, 5), ETCL_EPROTO);
    put(2, "xxx");
    etcl_window_mark(&window, 8, 0);
    ck_assert_int_eq(etcl_view_read(&view, 8, 1, got, 4), APR_SUCCESS);
    ck_assert_mem_eq(got, "ixxx", 4);
    ck_assert_int_eq(etcl_view_read(&view, 7, 0, got, 5), ETCL_EPROTO);
}
END_TEST

START_TEST(it_holds_as_much_as_it_says)
{
    static char bytes[ETCL_WINDOW_SIZE];

    memset(bytes, 'x', sizeof(bytes));
    ck_assert_int_eq(
        etcl_window_put(&window, 0, (etcl_span_t){ bytes, sizeof(bytes) }),
        APR_SUCCESS);
    etcl_window_mark(&window, 1, 0);
    ck_assert_int_eq(etcl_view_read(&view, 1, 0, got, sizeof(got)),
                     APR_SUCCESS);
    ck_assert_mem_eq(got, bytes, sizeof(got));
}
END_TEST

static blkcnt_t blocks(void)
{
    struct stat info;

    ck_assert_int_eq(fstat(window.fd, &info), 0);
    return info.st_blocks;
}

START_TEST(at_rest_it_takes_no_memory_and_tells_whoever_still_reads)
{
    put(0, "bytes");
    put(200000, "more");
    etcl_window_mark(&window, 3, 1000);
    etcl_window_rest(&window, 1000 + ETCL_WINDOW_REST_US - 1);
    ck_assert_int_eq(etcl_view_read(&view, 3, 0, got, 5), APR_SUCCESS);
    etcl_window_rest(&window, 1000 + ETCL_WINDOW_REST_US);
    ck_assert_int_eq(etcl_view_read(&view, 3, 0, got, 5), ETCL_EPROTO);
    ck_assert_int_le(blocks(), 8);
    put(0, "again");
    etcl_window_mark(&window, 4, 2000);
    ck_assert_int_eq(etcl_view_read(&view, 4, 0, got, 5), APR_SUCCESS);
    ck_assert_mem_eq(got, "again", 5);
}
END_TEST

START_TEST(its_size_cannot_change)
{
    ck_assert_int_ne(ftruncate(window.fd, 0), 0);
    ck_assert_int_ne(ftruncate(window.fd, 2 * (off_t)ETCL_WINDOW_FILE), 0);
}
END_TEST

static int plain_memory(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_eq(ftruncate(fd, (off_t)ETCL_WINDOW_FILE), 0);
    return fd;
}

static int short_memory(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_eq(ftruncate(fd, 4096), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, ETCL_WINDOW_SEALS), 0);
    return fd;
}

static int file(void)
{
    return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

static int pipe_end(void)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    close(ends[1]);
    return ends[0];
}

static int (*const others[])(void) = { plain_memory, short_memory, file,
                                       pipe_end };

START_TEST(nothing_else_is_taken_for_a_window)
{
    etcl_view_t other = { .fd = -1 };
    int fd = others[_i]();

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(etcl_view_open(&other, fd), ETCL_EPROTO);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(other.fd, -1);
}
END_TEST

START_TEST(a_process_has_so_many_and_no_more)
{
    static etcl_window_t all[ETCL_WINDOWS_MAX];
    etcl_window_t one = { NULL };
    int i;

    for (i = 1; i < ETCL_WINDOWS_MAX; i++) {
        ck_assert_int_eq(etcl_window_create(&all[i]), APR_SUCCESS);
    }
    ck_assert_int_eq(etcl_window_create(&one), APR_ENOMEM);
    ck_assert_ptr_null(one.ptr);
    for (i = 1; i < ETCL_WINDOWS_MAX; i++) {
        etcl_window_destroy(&all[i]);
    }
    ck_assert_int_eq(etcl_window_create(&one), APR_SUCCESS);
    etcl_window_destroy(&one);
}
END_TEST

Suite *suite_window(void)
{
    Suite *suite = suite_create("window");
    TCase *tests = tcase_create("window");

    tcase_add_checked_fixture(tests, open_both, close_both);
    tcase_add_test(tests, what_is_put_is_read_with_its_serial_only);
    tcase_add_test(tests, it_holds_as_much_as_it_says);
    tcase_add_test(tests,
                   at_rest_it_takes_no_memory_and_tells_whoever_still_reads);
    tcase_add_test(tests, its_size_cannot_change);
    tcase_add_rows(tests, nothing_else_is_taken_for_a_window, others);
    tcase_add_test(tests, a_process_has_so_many_and_no_more);
    suite_add_tcase(suite, tests);
    return suite;
}

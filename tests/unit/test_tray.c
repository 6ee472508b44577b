/* Trays: what one end writes the other reads, and cannot write; and what is no
 * tray is not mapped. */

#include "rows.h"
#include "etcl_tray.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static etcl_tray_t ours, theirs;

static void set_up(void)
{
    ours = theirs = (etcl_tray_t){ .fd = 0 };
    ck_assert_int_eq(etcl_tray_create(&ours), APR_SUCCESS);
}

static void tear_down(void)
{
    etcl_tray_destroy(&ours);
    etcl_tray_destroy(&theirs);
}

START_TEST(what_one_end_lays_the_other_reads)
{
    ck_assert_int_eq(etcl_tray_accept(&theirs, dup(ours.fd)), APR_SUCCESS);
    etcl_tray_sent(&ours);
    ck_assert_int_eq(ours.fd, -1);
    memset(ours.ptr, 'x', ETCL_TRAY_LEN);
    ck_assert_mem_eq(theirs.ptr, ours.ptr, ETCL_TRAY_LEN);
}
END_TEST

START_TEST(the_other_end_can_neither_write_nor_shrink_it)
{
    ck_assert_ptr_eq(mmap(NULL, ETCL_TRAY_LEN, PROT_READ | PROT_WRITE,
                          MAP_SHARED, ours.fd, 0),
                     MAP_FAILED);
    ck_assert_int_eq(pwrite(ours.fd, "x", 1, 0), -1);
    ck_assert_int_eq(ftruncate(ours.fd, 0), -1);
    ck_assert_int_eq(ftruncate(ours.fd, (off_t)ETCL_TRAY_LEN + 1), -1);
    ck_assert_int_eq(fcntl(ours.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}
END_TEST

START_TEST(a_second_one_is_refused)
{
    ck_assert_int_eq(etcl_tray_accept(&theirs, dup(ours.fd)), APR_SUCCESS);
    ck_assert_int_eq(etcl_tray_accept(&theirs, dup(ours.fd)), ETCL_EPROTO);
    ck_assert_ptr_nonnull(theirs.ptr);
}
END_TEST

static const struct {
    apr_size_t len;
    int seals;
} others[] = { { ETCL_TRAY_LEN, 0 },
               { ETCL_TRAY_LEN, F_SEAL_GROW },
               { ETCL_TRAY_LEN, F_SEAL_SHRINK },
               { ETCL_TRAY_LEN - 4096, F_SEAL_SHRINK | F_SEAL_GROW },
               { 0, F_SEAL_SHRINK | F_SEAL_GROW } };

START_TEST(what_is_no_tray_is_not_mapped)
{
    int fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_eq(ftruncate(fd, (off_t)others[_i].len), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, others[_i].seals), 0);
    ck_assert_int_eq(etcl_tray_accept(&theirs, fd), ETCL_EPROTO);
    ck_assert_ptr_null(theirs.ptr);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(a_pipe_is_no_tray)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(etcl_tray_accept(&theirs, ends[0]), ETCL_EPROTO);
    close(ends[1]);
}
END_TEST

Suite *suite_tray(void)
{
    Suite *suite = suite_create("tray");
    TCase *tests = tcase_create("tray");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_one_end_lays_the_other_reads);
    tcase_add_test(tests, the_other_end_can_neither_write_nor_shrink_it);
    tcase_add_test(tests, a_second_one_is_refused);
    tcase_add_rows(tests, what_is_no_tray_is_not_mapped, others);
    tcase_add_test(tests, a_pipe_is_no_tray);
    suite_add_tcase(suite, tests);
    return suite;
}

/* Buffers: growing, the ceiling, and that a failure leaves all as it was. */

#include "hostile.h"
#include "etcl_buffer.h"

#include <check.h>

START_TEST(a_fresh_buffer_owns_nothing)
{
    etcl_buffer_t buf;

    etcl_buffer_init(&buf, 100);
    ck_assert_ptr_null(buf.ptr);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert_int_eq(etcl_buffer_add(&buf, (etcl_span_t){ NULL, 0 }),
                     APR_SUCCESS);
    ck_assert_ptr_null(buf.ptr);
    etcl_buffer_done(&buf);
}
END_TEST

START_TEST(content_survives_growing)
{
    etcl_buffer_t buf;
    apr_size_t i;

    etcl_buffer_init(&buf, 1 << 20);
    for (i = 0; i < 100000; i++) {
        ck_assert_int_eq(etcl_buffer_add(&buf, ETCL_SPAN("abcdefg")),
                         APR_SUCCESS);
    }
    ck_assert_uint_eq(buf.len, 700000);
    ck_assert_uint_le(buf.size, 1 << 20);
    for (i = 0; i < buf.len; i++) {
        ck_assert_int_eq(buf.ptr[i], "abcdefg"[i % 7]);
    }
    etcl_buffer_done(&buf);
    ck_assert_ptr_null(buf.ptr);
    ck_assert_uint_eq(buf.max, 1 << 20);
}
END_TEST

START_TEST(the_ceiling_is_exact)
{
    static char block[5000];
    etcl_buffer_t buf;
    char *room;

    etcl_buffer_init(&buf, 5000);
    ck_assert_int_eq(etcl_buffer_room(&buf, 5001, &room), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_buffer_room(&buf, APR_SIZE_MAX, &room), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_buffer_add(&buf, (etcl_span_t){ block, 4999 }),
                     APR_SUCCESS);
    ck_assert_int_eq(etcl_buffer_add(&buf, ETCL_SPAN("ab")), ETCL_ELIMIT);
    ck_assert_uint_eq(buf.len, 4999);
    ck_assert_int_eq(etcl_buffer_add(&buf, ETCL_SPAN("a")), APR_SUCCESS);
    ck_assert_uint_eq(buf.len, 5000);
    ck_assert_uint_eq(buf.size, 5000);
    etcl_buffer_done(&buf);
}
END_TEST

START_TEST(room_is_all_writable_and_not_counted_before_it_is_used)
{
    etcl_buffer_t buf;
    char *room;

    etcl_buffer_init(&buf, 1 << 20);
    etcl_buffer_add(&buf, ETCL_SPAN("x"));
    ck_assert_int_eq(etcl_buffer_room(&buf, 3000, &room), APR_SUCCESS);
    memset(room, 'y', 3000);
    ck_assert_uint_eq(buf.len, 1);
    ck_assert_ptr_eq(room, buf.ptr + 1);
    etcl_buffer_done(&buf);
}
END_TEST

START_TEST(clearing_keeps_little_memory_and_gives_much_back)
{
    etcl_buffer_t buf;
    char *room;

    etcl_buffer_init(&buf, 1 << 20);
    etcl_buffer_add(&buf, ETCL_SPAN("x"));
    etcl_buffer_clear(&buf, 65536);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert_ptr_nonnull(buf.ptr);
    etcl_buffer_room(&buf, 100000, &room);
    etcl_buffer_clear(&buf, 65536);
    ck_assert_uint_le(buf.size, 65536);
    ck_assert_uint_eq(buf.len, 0);
    etcl_buffer_done(&buf);
}
END_TEST

Suite *suite_buffer(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tests = tcase_create("buffer");

    tcase_add_test(tests, a_fresh_buffer_owns_nothing);
    tcase_add_test(tests, content_survives_growing);
    tcase_add_test(tests, the_ceiling_is_exact);
    tcase_add_test(tests,
                   room_is_all_writable_and_not_counted_before_it_is_used);
    tcase_add_test(tests, clearing_keeps_little_memory_and_gives_much_back);
    suite_add_tcase(suite, tests);
    return suite;
}

/* Names and ids: a bijection, and nothing else is found. */

#include "hostile.h"
#include "etcl_key.h"

#include <check.h>

START_TEST(every_id_has_a_name_and_the_name_has_that_id)
{
    etcl_span_t name = etcl_key_name((unsigned int)_i);

    ck_assert_uint_gt(name.len, 0);
    ck_assert_uint_eq(strlen(name.ptr), name.len);
    ck_assert_int_eq((int)etcl_key_find(name), _i);
}
END_TEST

START_TEST(an_id_out_of_range_has_no_name)
{
    ck_assert_uint_eq(etcl_key_name(ETCL_KEY_NONE).len, 0);
    ck_assert_uint_eq(etcl_key_name(ETCL_KEY_COUNT).len, 0);
    ck_assert_uint_eq(etcl_key_name(0xffffffffu).len, 0);
}
END_TEST

START_TEST(a_name_is_found_only_as_a_whole_and_in_its_case)
{
    etcl_span_t name = etcl_key_name((unsigned int)_i), part = name;
    char longer[64], other[64];

    part.len--;
    ck_assert_int_eq((int)etcl_key_find(part), ETCL_KEY_NONE);
    memcpy(longer, name.ptr, name.len);
    longer[name.len] = 'X';
    ck_assert_int_eq((int)etcl_key_find((etcl_span_t){ longer, name.len + 1 }),
                     ETCL_KEY_NONE);
    memcpy(other, name.ptr, name.len);
    other[0] ^= 0x20;
    ck_assert_int_eq((int)etcl_key_find((etcl_span_t){ other, name.len }),
                     ETCL_KEY_NONE);
}
END_TEST

START_TEST(what_is_not_in_the_list_is_not_found)
{
    ck_assert_int_eq((int)etcl_key_find(ETCL_SPAN("")), ETCL_KEY_NONE);
    ck_assert_int_eq((int)etcl_key_find((etcl_span_t){ NULL, 0 }),
                     ETCL_KEY_NONE);
    ck_assert_int_eq((int)etcl_key_find(ETCL_SPAN("HTTP_PROXY")),
                     ETCL_KEY_NONE);
    ck_assert_int_eq((int)etcl_key_find(ETCL_SPAN("PATH_INFO\0")),
                     ETCL_KEY_NONE);
}
END_TEST

/* An id travels between builds of one wire version, so it must not move. */
START_TEST(ids_stay_what_they_are)
{
    ck_assert_int_eq(ETCL_KEY_REQUEST_METHOD, 1);
    ck_assert_int_eq(ETCL_KEY_HTTP_HOST, 23);
    ck_assert_int_eq(ETCL_KEY_UNIQUE_ID, 56);
    ck_assert_int_eq(ETCL_KEY_MW_CONNECTION_ID, 66);
}
END_TEST

Suite *suite_key(void)
{
    Suite *suite = suite_create("key");
    TCase *tests = tcase_create("key");

    tcase_add_loop_test(tests, every_id_has_a_name_and_the_name_has_that_id, 1,
                        ETCL_KEY_COUNT);
    tcase_add_test(tests, an_id_out_of_range_has_no_name);
    tcase_add_loop_test(tests, a_name_is_found_only_as_a_whole_and_in_its_case,
                        1, ETCL_KEY_COUNT);
    tcase_add_test(tests, what_is_not_in_the_list_is_not_found);
    tcase_add_test(tests, ids_stay_what_they_are);
    suite_add_tcase(suite, tests);
    return suite;
}

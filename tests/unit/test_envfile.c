/* Environment files of systemd, and lists of variables. */

#include "etcl_envfile.h"

#include <check.h>

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_initialize();
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_pool_terminate();
}

/* What a file means; pairs are separated by the list's own byte. */
static const struct {
    const char *text, *want;
} good[] = {
    { "", NULL },
    { "\n\n# a comment\n; another\n", NULL },
    { "A=1", "A=1" },
    { "A=1\nB=2\n", "A=1\x1e"
                    "B=2" },
    { "  A=1  \r\n", "A=1" },
    { "A=\n", "A=" },
    { "A= two words \t\n", "A=two words" },
    { "A=\"two  words \"\n", "A=two  words " },
    { "A='it is $HOME \\n'\n", "A=it is $HOME \\n" },
    { "A=\"say \\\"hi\\\" \\\\\"\n", "A=say \"hi\" \\" },
    { "A=one\\\ntwo\nB=3\n", "A=onetwo\x1e"
                             "B=3" },
    { "A=\"one\ntwo\"\n", "A=one\ntwo" },
    { "A=x'y z'\"w\"\n", "A=xy zw" },
    { "A=a\\ \n", "A=a " },
    { "A=1#2\n", "A=1#2" },
    { "_a9=b=c\n", "_a9=b=c" },
};

START_TEST(a_file_means_what_systemd_reads)
{
    const char *list = "unset";
    int line = 0;

    ck_assert_int_eq(
        etcl_envfile_parse(etcl_span(good[_i].text), pool, &list, &line),
        APR_SUCCESS);
    ck_assert_pstr_eq(list, good[_i].want);
}
END_TEST

static const struct {
    const char *text;
    int line;
} bad[] = {
    { "A\n", 1 },
    { "A=1\n\n9A=1\n", 3 },
    { "A B=1\n", 1 },
    { "export A=1\n", 1 },
    { "=1\n", 1 },
    { "A=1\nB=\"never\nclosed\n", 2 },
    { "A='never closed", 1 },
    { "A=a\x1e"
      "B=2\n",
      1 },
};

START_TEST(a_mistake_in_a_file_is_told_with_its_line)
{
    const char *list;
    int line = 0;

    ck_assert_int_eq(
        etcl_envfile_parse(etcl_span(bad[_i].text), pool, &list, &line),
        ETCL_EINVAL);
    ck_assert_int_eq(line, bad[_i].line);
}
END_TEST

START_TEST(a_nul_byte_in_a_value_is_a_mistake)
{
    const char *list;
    int line;

    ck_assert_int_eq(
        etcl_envfile_parse(ETCL_SPAN("A=1\0B=2\n"), pool, &list, &line),
        ETCL_EINVAL);
}
END_TEST

START_TEST(a_list_gives_its_pairs_back)
{
    const char *list = etcl_envfile_add(NULL, "A=1=2", pool);
    const char *name, *value;

    list = etcl_envfile_add(list, "B=", pool);
    list = etcl_envfile_next(list, pool, &name, &value);
    ck_assert_str_eq(name, "A");
    ck_assert_str_eq(value, "1=2");
    list = etcl_envfile_next(list, pool, &name, &value);
    ck_assert_str_eq(name, "B");
    ck_assert_str_eq(value, "");
    ck_assert_ptr_null(etcl_envfile_next(list, pool, &name, &value));
    ck_assert_ptr_null(etcl_envfile_next(NULL, pool, &name, &value));
}
END_TEST

Suite *suite_envfile(void)
{
    Suite *suite = suite_create("envfile");
    TCase *tests = tcase_create("envfile");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_file_means_what_systemd_reads, 0,
                        (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(tests, a_mistake_in_a_file_is_told_with_its_line, 0,
                        (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(tests, a_nul_byte_in_a_value_is_a_mistake);
    tcase_add_test(tests, a_list_gives_its_pairs_back);
    suite_add_tcase(suite, tests);
    return suite;
}

/* What belongs to a tree of sources, and how two of them differ. */

#include "etcl_sources.h"
#include "etcl_tree.h"
#include "etcl_clock.h"
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char root[64];
static etcl_tree_t before, after;

static const char *in(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in(name), "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void set_up(void)
{
    snprintf(root, sizeof(root), "/tmp/etcl-tree.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(etcl_tree_create(&before), APR_SUCCESS);
    ck_assert_int_eq(etcl_tree_create(&after), APR_SUCCESS);
    mkdir(in("package"), 0755);
    write_file("site.py", "1");
    write_file("package/views.py", "1");
    etcl_tree_scan(&before, root);
}

static void tear_down(void)
{
    char command[128];

    etcl_tree_destroy(&before);
    etcl_tree_destroy(&after);
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

static const char *difference(void)
{
    etcl_tree_scan(&after, root);
    return etcl_tree_differs(&before, &after);
}

START_TEST(sources_of_all_folders_belong_to_it)
{
    ck_assert_int_eq(before.files->nelts, 2);
    ck_assert_int_eq(before.folders->nelts, 2);
    ck_assert_ptr_null(difference());
}
END_TEST

static const struct {
    const char *name;
    int counts;
} added[] = {
    { "new.py", 1 },        { "package/new.py", 1 },
    { "new.txt", 0 },       { ".new.py", 0 },
    { ".py", 0 },           { "new.pyc", 0 },
    { "package/.x.py", 0 }, { "package/a.pyi", 0 },
    { "package/zz.py", 1 }, { "py", 0 },
    { "new.py~", 0 },
};

START_TEST(a_new_source_is_a_difference_and_other_files_are_not)
{
    const char *found;

    write_file(added[_i].name, "");
    found = difference();
    ck_assert_int_eq(found != NULL, added[_i].counts);
    if (found) {
        ck_assert_str_eq(found, in(added[_i].name));
    }
}
END_TEST

START_TEST(another_version_is_a_difference)
{
    write_file("package/views.py", "longer");
    ck_assert_str_eq(difference(), in("package/views.py"));
}
END_TEST

START_TEST(a_file_that_has_gone_is_a_difference)
{
    unlink(in("site.py"));
    ck_assert_str_eq(difference(), in("site.py"));
}
END_TEST

START_TEST(hidden_folders_are_left_out)
{
    mkdir(in("__pycache__"), 0755);
    mkdir(in(".git"), 0755);
    write_file("__pycache__/a.py", "");
    write_file(".git/a.py", "");
    ck_assert_ptr_null(difference());
    ck_assert_int_eq(after.folders->nelts, 2);
}
END_TEST

START_TEST(links_that_go_round_are_followed_once)
{
    ck_assert_int_eq(symlink(root, in("package/round")), 0);
    ck_assert_int_eq(symlink("nowhere", in("broken.py")), 0);
    ck_assert_ptr_null(difference());
    ck_assert_int_eq(after.folders->nelts, 2);
    ck_assert_ptr_null(after.blocked);
}
END_TEST

START_TEST(a_root_that_is_missing_is_named)
{
    etcl_tree_scan(&after, "/nowhere/at/all");
    ck_assert_str_eq(after.blocked, "/nowhere/at/all");
    ck_assert_int_eq(after.blocked_errno, ENOENT);
    ck_assert_int_eq(after.files->nelts, 0);
}
END_TEST

START_TEST(there_may_be_several_roots)
{
    char roots[256];

    snprintf(roots, sizeof(roots), "%s/package:%s", root, root);
    etcl_tree_scan(&after, roots);
    ck_assert_int_eq(after.files->nelts, 2);
}
END_TEST

START_TEST(the_number_of_folders_is_bounded)
{
    char name[32];
    int i;

    for (i = 0; i < ETCL_TREE_FOLDERS_MAX; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        mkdir(in(name), 0755);
    }
    etcl_tree_scan(&after, root);
    ck_assert_int_eq(after.folders->nelts, ETCL_TREE_FOLDERS_MAX);
    ck_assert_ptr_nonnull(after.beyond);
}
END_TEST

/* Polls as a supervisor does, and counts the changes that are told. */
static int poll_for(etcl_sources_t *sources, apr_int64_t us)
{
    const struct timespec nap = { 0, 5000000 };
    apr_int64_t end_us = etcl_clock_us() + us;
    int count = 0;

    while (etcl_clock_us() < end_us) {
        count += etcl_sources_poll(sources, etcl_clock_us()) != NULL;
        nanosleep(&nap, NULL);
    }
    return count;
}

START_TEST(changes_are_told_once_they_rest)
{
    etcl_sources_t *sources = etcl_sources_create(root, "g");

    ck_assert_int_eq(poll_for(sources, 20000), 0);
    write_file("a.py", "1");
    ck_assert_int_eq(poll_for(sources, ETCL_SOURCES_REST_US / 2), 0);
    ck_assert(etcl_sources_is_moving(sources));
    write_file("b.py", "1");
    ck_assert_int_eq(poll_for(sources, 3 * ETCL_SOURCES_REST_US), 1);
    ck_assert(!etcl_sources_is_moving(sources));
    write_file("c.py", "1");
    etcl_sources_accept(sources);
    ck_assert_int_eq(poll_for(sources, 3 * ETCL_SOURCES_REST_US), 0);
    etcl_sources_destroy(sources);
}
END_TEST

START_TEST(a_change_that_never_rests_is_told_all_the_same)
{
    etcl_sources_t *sources = etcl_sources_create(root, "g");
    apr_int64_t end_us = etcl_clock_us() + ETCL_SOURCES_MOST_US + 300000;
    int count = 0, i = 0;
    char text[16];

    while (etcl_clock_us() < end_us) {
        snprintf(text, sizeof(text), "%*d", i++ % 9 + 1, 1);
        write_file("a.py", text);
        count += poll_for(sources, ETCL_SOURCES_REST_US / 3);
    }
    ck_assert_int_eq(count, 1);
    etcl_sources_destroy(sources);
}
END_TEST

Suite *suite_tree(void)
{
    Suite *suite = suite_create("tree");
    TCase *tests = tcase_create("tree");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, sources_of_all_folders_belong_to_it);
    tcase_add_rows(tests, a_new_source_is_a_difference_and_other_files_are_not,
                   added);
    tcase_add_test(tests, another_version_is_a_difference);
    tcase_add_test(tests, a_file_that_has_gone_is_a_difference);
    tcase_add_test(tests, hidden_folders_are_left_out);
    tcase_add_test(tests, links_that_go_round_are_followed_once);
    tcase_add_test(tests, a_root_that_is_missing_is_named);
    tcase_add_test(tests, there_may_be_several_roots);
    tcase_add_test(tests, the_number_of_folders_is_bounded);
    tcase_add_test(tests, changes_are_told_once_they_rest);
    tcase_add_test(tests, a_change_that_never_rests_is_told_all_the_same);
    suite_add_tcase(suite, tests);
    return suite;
}

/* The value of warm-up=: what it may be, what it is taken apart into, and what
 * it is below. */

#include "rows.h"
#include "etcl_page.h"

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const struct {
    const char *text;
    etcl_page_t want;
} pages[] = {
    { "/", { 0, NULL, NULL, NULL, "/", "/", "" } },
    { "/a/%41%20b?x=%41&y",
      { 0, NULL, NULL, NULL, "/a/%41%20b?x=%41&y", "/a/A b", "x=%41&y" } },
    { "/a?", { 0, NULL, NULL, NULL, "/a?", "/a", "" } },
    { "/%ff", { 0, NULL, NULL, NULL, "/%ff", "/\xff", "" } },
    { "http://shop.example/",
      { 0, "shop.example", "shop.example", NULL, "/", "/", "" } },
    { "HTTPS://shop.example:8443/in?q",
      { 1, "shop.example:8443", "shop.example", "8443", "/in?q", "/in", "q" } },
    { "http://[::1]/", { 0, "[::1]", "[::1]", NULL, "/", "/", "" } },
    { "http://[::1]:80/", { 0, "[::1]:80", "[::1]", "80", "/", "/", "" } },
};

static void same(const char *got, const char *want)
{
    if (want) {
        ck_assert_ptr_nonnull(got);
        ck_assert_str_eq(got, want);
    } else {
        ck_assert_ptr_null(got);
    }
}

START_TEST(a_page_is_taken_apart)
{
    const etcl_page_t *want = &pages[_i].want;
    etcl_page_t got;

    ck_assert_int_eq(etcl_page_parse(pages[_i].text, pool, &got), APR_SUCCESS);
    ck_assert_int_eq(got.https, want->https);
    same(got.host, want->host);
    same(got.name, want->name);
    same(got.port, want->port);
    same(got.uri, want->uri);
    same(got.path, want->path);
    same(got.query, want->query);
}
END_TEST

static const char *const wrong[] = {
    "",
    "login",
    "?a",
    "http:/a",
    "http://",
    "http://a",
    "http:///a",
    "ftp://a/",
    "http://a:/",
    "http://:/",
    "http://a:b/",
    "http://a@b/",
    "/a b",
    "/a\nb",
    "/a#b",
    "/\xc3\xa4",
    "/%",
    "/%4",
    "/%zz",
    "/a%00b",
    "http://a%41/",
    "http://a?b/c",
    "/a\"b",
    "/a\\b",
};

START_TEST(what_is_no_page_is_refused)
{
    etcl_page_t got;

    ck_assert_int_eq(etcl_page_parse(wrong[_i], pool, &got), ETCL_EINVAL);
}
END_TEST

static const struct {
    const char *path, *mount;
    int is_below;
} mounts[] = { { "/", "", 1 },
               { "/shop", "/shop", 1 },
               { "/shop/a", "/shop", 1 },
               { "/shopping", "/shop", 0 },
               { "/", "/shop", 0 },
               { "/a/shop", "/shop", 0 } };

START_TEST(a_page_is_below_a_mount)
{
    ck_assert_int_eq(etcl_page_is_below(mounts[_i].path, mounts[_i].mount),
                     mounts[_i].is_below);
}
END_TEST

Suite *suite_page(void)
{
    Suite *suite = suite_create("page");
    TCase *tests = tcase_create("page");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_rows(tests, a_page_is_taken_apart, pages);
    tcase_add_rows(tests, what_is_no_page_is_refused, wrong);
    tcase_add_rows(tests, a_page_is_below_a_mount, mounts);
    suite_add_tcase(suite, tests);
    return suite;
}

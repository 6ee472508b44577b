/* Headers of proxies: the families, the networks, and the walk over a list. */

#include "hostile.h"
#include "etcl_proxy.h"

#include <check.h>

static const struct {
    const char *name;
    etcl_proxy_family_t want;
} families[] = {
    { "X-Forwarded-For", ETCL_PROXY_CLIENT },
    { "x_real_ip", ETCL_PROXY_CLIENT },
    { "X-HOST", ETCL_PROXY_HOST },
    { "X-Forwarded-Server", ETCL_PROXY_SERVER },
    { "X-Forwarded-Port", ETCL_PROXY_PORT },
    { "X-Script-Name", ETCL_PROXY_SCRIPT },
    { "X-HTTPS", ETCL_PROXY_SCHEME },
    { "X-Forwarded-Fo", ETCL_PROXY_NONE },
    { "X-Forwarded-Fora", ETCL_PROXY_NONE },
    { "Forwarded", ETCL_PROXY_NONE },
    { "", ETCL_PROXY_NONE },
};

START_TEST(a_header_belongs_to_one_family)
{
    ck_assert_int_eq(etcl_proxy_family(etcl_span(families[_i].name)),
                     families[_i].want);
}
END_TEST

static const struct {
    const char *header, *value;
    int want;
} schemes[] = {
    { "X-Forwarded-Proto", "https", 1 },
    { "X-Scheme", "HTTP", 0 },
    { "X-Forwarded-Proto", "on", -1 },
    { "X-Forwarded-SSL", "On", 1 },
    { "X-HTTPS", "0", 0 },
    { "X-HTTPS", "https", -1 },
    { "X-Forwarded-Scheme", "", -1 },
    { "X-Host", "https", -1 },
    { "X-Forwarded-HTTPS", "true", 1 },
    { "Other", "https", -1 },
};

START_TEST(a_value_means_https_or_http_or_nothing)
{
    ck_assert_int_eq(etcl_proxy_scheme(etcl_span(schemes[_i].header),
                                       etcl_span(schemes[_i].value)),
                     schemes[_i].want);
}
END_TEST

static const struct {
    const char *net, *address;
    int want; /* -1: not a network */
} nets[] = {
    { "127.0.0.1", "127.0.0.1", 1 },
    { "127.0.0.1", "127.0.0.2", 0 },
    { "127.0.0.1", "::ffff:127.0.0.1", 1 },
    { "10.0.0.0/8", "10.255.0.1", 1 },
    { "10.0.0.0/8", "11.0.0.1", 0 },
    { "10.0.0.0/255.0.0.0", "10.1.2.3", 1 },
    { "10.0.0.0/9", "10.128.0.1", 0 },
    { "0.0.0.0/0", "1.2.3.4", 1 },
    { "0.0.0.0/0", "2001:db8::1", 0 },
    { "2001:db8::/33", "2001:db8:7fff::1", 1 },
    { "2001:db8::/33", "2001:db8:8000::1", 0 },
    { "::/0", "10.0.0.1", 1 },
    { "::1", "::1", 1 },
    { "10.0.0.0/8", "localhost", 0 },
    { "10.0.0.0/8", "", 0 },
    { "nonsense", "", -1 },
    { "10.0.0.0/99", "", -1 },
    { "10.0.0.0/", "", -1 },
    { "10.0.0.0/-1", "", -1 },
    { "10.0.0.0/x", "", -1 },
    { "10.0.0.0/255.0.255.0", "", -1 },
    { "2001:db8::/129", "", -1 },
    { "2001:db8::/255.0.0.0", "", -1 },
    { "2001:zz::1", "", -1 },
    { "1.2.3.4.5", "", -1 },
    { "10.1", "", -1 },
    { "", "", -1 },
    { "/8", "", -1 },
};

static apr_array_header_t *list_of(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *out = apr_array_make(pool, 1, sizeof(etcl_proxy_net_t));

    ck_assert_int_eq(etcl_proxy_net(text, apr_array_push(out)), APR_SUCCESS);
    return out;
}

START_TEST(an_address_is_in_a_network_or_not)
{
    etcl_proxy_net_t net;
    apr_pool_t *pool;

    if (nets[_i].want < 0) {
        ck_assert_int_eq(etcl_proxy_net(nets[_i].net, &net), ETCL_EINVAL);
        return;
    }
    apr_pool_create(&pool, NULL);
    ck_assert_int_eq(
        etcl_proxy_is_in(nets[_i].address, list_of(nets[_i].net, pool)),
        nets[_i].want);
    apr_pool_destroy(pool);
}
END_TEST

static const struct {
    const char *list, *net, *want, *rest;
} walks[] = {
    { "1.1.1.1", NULL, "1.1.1.1", "1.1.1.1" },
    { ", 1.1.1.1 ,2.2.2.2", NULL, "1.1.1.1", "1.1.1.1,2.2.2.2" },
    { "", NULL, NULL, NULL },
    { " , ,", NULL, NULL, NULL },
    { "", "10.0.0.0/8", NULL, NULL },
    { "1.1.1.1, 10.0.0.1", "10.0.0.0/8", "1.1.1.1", "1.1.1.1,10.0.0.1" },
    { "9.9.9.9, 1.1.1.1,, 10.0.0.1, 10.0.0.2", "10.0.0.0/8", "1.1.1.1",
      "1.1.1.1,10.0.0.1,10.0.0.2" },
    { "10.0.0.1, 10.0.0.2", "10.0.0.0/8", "10.0.0.1", "10.0.0.1,10.0.0.2" },
    { "10.0.0.9, 1.1.1.1", "10.0.0.0/8", "1.1.1.1", "1.1.1.1" },
    { "1.1.1.1, unknown, 10.0.0.1", "10.0.0.0/8", "10.0.0.1", "10.0.0.1" },
    { "1.1.1.1, unknown", "10.0.0.0/8", NULL, NULL },
};

START_TEST(a_list_is_walked_from_the_right)
{
    const char *client, *rest = NULL;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    client = etcl_proxy_client(
        walks[_i].list, walks[_i].net ? list_of(walks[_i].net, pool) : NULL,
        pool, &rest);
    ck_assert_pstr_eq(client, walks[_i].want);
    ck_assert_pstr_eq(rest, walks[_i].rest);
    apr_pool_destroy(pool);
}
END_TEST

#define ADD(tests, test, rows)                                                 \
    tcase_add_loop_test(tests, test, 0, (int)(sizeof rows / sizeof rows[0]))

Suite *suite_proxy(void)
{
    Suite *suite = suite_create("proxy");
    TCase *tests = tcase_create("proxy");

    ADD(tests, a_header_belongs_to_one_family, families);
    ADD(tests, a_value_means_https_or_http_or_nothing, schemes);
    ADD(tests, an_address_is_in_a_network_or_not, nets);
    ADD(tests, a_list_is_walked_from_the_right, walks);
    suite_add_tcase(suite, tests);
    return suite;
}

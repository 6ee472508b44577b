/* environ: its keys, their types and values, and that one request never shows
 * in another. */

#include "bridge.h"

#include <stdio.h>

#define PAIR(constant, value)                                                  \
    {                                                                          \
        ETCL_KEY_##constant, ETCL_SPAN(#constant), ETCL_SPAN(value)            \
    }
#define OTHER(key, value)                                                      \
    {                                                                          \
        0, ETCL_SPAN(key), ETCL_SPAN(value)                                    \
    }

/* The answer's body is what this expression says of `e`. */
#define EVAL(what)                                                             \
    "def application(e, start_response):\n"                                    \
    "    start_response('200 OK', [])\n"                                       \
    "    return [repr((" what ")).encode('utf-8', 'backslashreplace')]\n"

static const struct {
    const char *code;
    const char *want;
} facts[] = {
    { EVAL("type(e) is dict"), "True" },
    { EVAL("e['wsgi.version']"), "(1, 0)" },
    { EVAL("e['wsgi.url_scheme']"), "'http'" },
    { EVAL("[e['wsgi.' + k] for k in ('multithread', 'multiprocess',"
           " 'run_once', 'input_terminated')]"),
      "[True, True, False, True]" },
    { EVAL("e['wsgi.file_wrapper']"), "<class 'mod_wsgi.FileWrapper'>" },
    { EVAL("type(e['wsgi.input']).__name__"), "'Input'" },
    { EVAL("isinstance(e['wsgi.errors'], __import__('io').TextIOWrapper)"),
      "True" },
    { EVAL("e['mod_wsgi.version'], e['apache.version']"),
      "((6, 0, 5), (2, 4, 57))" },
    { EVAL("e['mod_wsgi.process_group'], e['mod_wsgi.application_group']"),
      "('tests', '')" },
    { EVAL("e['mod_wsgi.callable_object']"), "'application'" },
    { EVAL("[type(e['mod_wsgi.' + k]) for k in ('request_start',"
           " 'queue_start', 'daemon_start', 'application_start')]"),
      "[<class 'float'>, <class 'float'>, <class 'float'>, "
      "<class 'float'>]" },
    { EVAL("abs(e['mod_wsgi.application_start'] -"
           " __import__('time').time()) < 5"),
      "True" },
    { EVAL("type(e['mod_wsgi.thread_id'])"), "<class 'int'>" },
    { EVAL("e['REQUEST_METHOD'], e['QUERY_STRING'], e['PATH_INFO']"),
      "('GET', '', '/\xc3\xa4\\x80')" },
    { EVAL("e['HTTP_X_ODD'], e['X_LOCAL']"), "('\xc3\xbf', 'set')" },
    { EVAL("e['SCRIPT_FILENAME']"), "'/srv/\xc3\xa9.py'" },
    { EVAL("e['DOCUMENT_ROOT']"), "'/srv/\xc3\xbf'" },
    { EVAL("'HTTPS' in e"), "False" },
    { EVAL("[k for k in e if k.startswith('mod_wsgi.x-')]"), "[]" },
    { EVAL("all(ord(c) < 256 for k, v in e.items() if type(v) is str"
           " for c in v)"),
      "True" },
    { EVAL("len(e), len(set(e))"), "(27, 27)" },
    { EVAL("callable(e['etcl.client_disconnected'])"), "True" },
    { EVAL("'etcl.warm_up' in e"), "False" },
};

static const etcl_pair_t usual[] = {
    PAIR(QUERY_STRING, ""),
    PAIR(PATH_INFO, "/\xe4\x80"),
    OTHER("HTTP_X_ODD", "\xff"),
    OTHER("X_LOCAL", "set"),
    PAIR(SCRIPT_FILENAME, "/srv/\xc3\xa9.py"),
    PAIR(DOCUMENT_ROOT, "/srv/\xff"),
    OTHER("HTTPS", "off"),
    OTHER("wsgi.errors", "mine"),
    OTHER("wsgi.version", "2"),
    OTHER("mod_wsgi.x-token", "secret"),
    OTHER("apache.version", "9"),
    OTHER("etcl.client_disconnected", "never"),
    OTHER("etcl.warm_up", "never"),
    OTHER("", "nameless"),
};

#define COUNT(pairs) (sizeof(pairs) / sizeof(*(pairs)))

START_TEST(environ_holds_what_the_contract_says)
{
    request_t request = { .code = facts[_i].code,
                          .pairs = usual,
                          .pair_count = COUNT(usual) };
    int again;

    for (again = 0; again < 2; again++) {
        WITH_FAKE(fake);

        bridge_ask(&request, &fake);
        ck_assert_msg(!strcmp(fake_exchange_text(&fake.sent), facts[_i].want),
                      "%s is %s\n%s", facts[_i].code,
                      fake_exchange_text(&fake.sent),
                      fake_exchange_text(&fake.log));
    }
}
END_TEST

static const char *ask_scheme(apr_uint32_t flags, const char *https,
                              fake_exchange_t *fake)
{
    etcl_pair_t pair = { 0, ETCL_SPAN("HTTPS"), etcl_span(https) };
    request_t request = { .code = EVAL("e['wsgi.url_scheme']"),
                          .flags = flags,
                          .pairs = &pair,
                          .pair_count = https ? 1 : 0 };

    fake->sent.len = 0;
    bridge_ask(&request, fake);
    return fake_exchange_text(&fake->sent);
}

START_TEST(https_is_told_by_the_scheme_and_forgotten_again)
{
    WITH_FAKE(fake);

    ck_assert_str_eq(ask_scheme(ETCL_CALL_HTTPS, NULL, &fake), "'https'");
    ck_assert_str_eq(ask_scheme(0, NULL, &fake), "'http'");
    ck_assert_str_eq(ask_scheme(0, "on", &fake), "'https'");
    ck_assert_str_eq(ask_scheme(0, "On", &fake), "'https'");
    ck_assert_str_eq(ask_scheme(0, "1", &fake), "'https'");
    ck_assert_str_eq(ask_scheme(0, "off", &fake), "'http'");
    ck_assert_str_eq(ask_scheme(0, "", &fake), "'http'");
}
END_TEST

/* Requests with all kinds of names and values, in an order that makes models
 * and cells meet: what arrives is exactly what was sent, each time. */
START_TEST(nothing_of_a_request_shows_in_another)
{
    static const char code[] = EVAL("sorted((k, v) for k, v in e.items()"
                                    " if k[:2] == 'K_' or k == 'HTTP_COOKIE')");
    unsigned int seed = 7, round, i;

    for (round = 0; round < 3000; round++) {
        etcl_pair_t pairs[12];
        char texts[12][2][24];
        request_t request = { .code = code, .pairs = pairs };
        WITH_FAKE(fake);

        if (round % 3 == 0) {
            snprintf(texts[0][1], 24, "c%u", round / 2);
            pairs[0] =
                (etcl_pair_t){ ETCL_KEY_HTTP_COOKIE, ETCL_SPAN("HTTP_COOKIE"),
                               etcl_span(texts[0][1]) };
            request.pair_count = 1;
        }
        seed = seed * 1103515245 + 12345;
        for (i = 0; i < 9; i++) {
            if ((seed >> (i + 8)) & 1) {
                etcl_pair_t *pair = &pairs[request.pair_count];

                snprintf(texts[i + 1][0], 24, "K_%u", i * 64 + round % 5);
                snprintf(texts[i + 1][1], 24, "v%u", (seed >> 20) % 4);
                *pair = (etcl_pair_t){ 0, etcl_span(texts[i + 1][0]),
                                       etcl_span(texts[i + 1][1]) };
                request.pair_count++;
            }
        }
        bridge_ask(&request, &fake);
        for (i = 0; i < request.pair_count; i++) {
            char item[100];

            snprintf(item, sizeof(item), "('%.*s', '%.*s')",
                     (int)pairs[i].key.len, pairs[i].key.ptr,
                     (int)pairs[i].value.len, pairs[i].value.ptr);
            ck_assert_msg(strstr(fake_exchange_text(&fake.sent), item) != NULL,
                          "%s not in %s", item, fake_exchange_text(&fake.sent));
        }
        i = 0;
        for (const char *at = fake_exchange_text(&fake.sent); *at; at++) {
            i += *at == '(';
        }
        ck_assert_uint_eq(i, request.pair_count);
    }
}
END_TEST

START_TEST(a_worker_that_warms_up_says_so_and_no_other_request_does)
{
    request_t request = { .code = EVAL("e.get('etcl.warm_up')"),
                          .flags = ETCL_CALL_WARM_UP };
    WITH_FAKE(warm);
    WITH_FAKE(fake);

    bridge_ask(&request, &warm);
    ck_assert_str_eq(fake_exchange_text(&warm.sent), "True");
    request.flags = 0;
    bridge_ask(&request, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "None");
}
END_TEST

START_TEST(an_application_may_change_its_environ)
{
    static const char code[] =
        "def application(e, s):\n    s('200 OK', [])\n"
        "    seen = 'mine' in e or e['REQUEST_METHOD'] != 'GET'\n"
        "    e['mine'] = 1\n    e['REQUEST_METHOD'] = 'X'\n"
        "    e.pop('wsgi.input')\n    return [str(seen).encode()]\n";
    int i;

    for (i = 0; i < 3; i++) {
        WITH_FAKE(fake);

        bridge_get(code, &fake);
        ck_assert_str_eq(fake_exchange_text(&fake.sent), "False");
    }
}
END_TEST

START_TEST(hundreds_of_variables_and_huge_values_arrive)
{
    static char value[100000];
    static char names[500][16];
    static etcl_pair_t pairs[500];
    request_t request = { .code = EVAL("sum(len(v) for k, v in e.items()"
                                       " if k[:2] == 'H_')"),
                          .pairs = pairs,
                          .pair_count = 500 };
    WITH_FAKE(fake);
    int i;

    memset(value, 'x', sizeof(value));
    for (i = 0; i < 500; i++) {
        snprintf(names[i], sizeof(names[i]), "H_%d", i);
        pairs[i] = (etcl_pair_t){ 0,
                                  etcl_span(names[i]),
                                  { value, i ? 1 : sizeof(value) } };
    }
    bridge_ask(&request, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "100499");
}
END_TEST

Suite *suite_environ(void)
{
    Suite *suite = suite_create("environ");
    TCase *tests = bridge_case(suite, "environ");

    add_rows(tests, environ_holds_what_the_contract_says, facts);
    tcase_add_test(tests, https_is_told_by_the_scheme_and_forgotten_again);
    tcase_add_test(tests, nothing_of_a_request_shows_in_another);
    tcase_add_test(tests,
                   a_worker_that_warms_up_says_so_and_no_other_request_does);
    tcase_add_test(tests, an_application_may_change_its_environ);
    tcase_add_test(tests, hundreds_of_variables_and_huge_values_arrive);
    return suite;
}

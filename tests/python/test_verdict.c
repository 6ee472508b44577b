/* Questions beside requests: what the functions of auth, access and dispatch
 * scripts are given, and what becomes of their results. */

#include "bridge.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    etcl_call_kind_t kind;
    const char *code;
    int status;
    const char *value; /* '|' stands for NUL */
    const char *log;   /* a part of it; NULL: must be empty */
} verdict_t;

#define PASSWORD(result)                                                       \
    "def check_password(environ, user, password):\n    return " result "\n"
#define HASH(result)                                                           \
    "def get_realm_hash(environ, user, realm):\n    return " result "\n"
#define GROUPS(result)                                                         \
    "def groups_for_user(environ, user):\n    return " result "\n"
#define ACCESS(result)                                                         \
    "def allow_access(environ, host):\n    return " result "\n"
#define DISPATCH(name, result) "def " name "(environ):\n    return " result "\n"

#define P ETCL_CALL_CHECK_PASSWORD
#define H ETCL_CALL_REALM_HASH
#define G ETCL_CALL_GROUPS
#define A ETCL_CALL_ACCESS
#define D ETCL_CALL_DISPATCH

static const verdict_t verdicts[] = {
    { P, PASSWORD("True"), 200, "", NULL },
    { P, PASSWORD("False"), 401, "", NULL },
    { P, PASSWORD("None"), 404, "", NULL },
    { P, PASSWORD("'Somebody'"), 200, "Somebody", NULL },
    { P, PASSWORD("'J\\xfc'"), 200, "J\xfc", NULL },
    { P, PASSWORD("'\\u20ac'"), 200, "\xe2\x82\xac", NULL },
    { P, PASSWORD("(user, password) == ('ann', 'p\\xff')"), 200, "", NULL },
    { P, PASSWORD("''"), 500, "", "ETCL0331: check_password of script /" },
    { P, PASSWORD("1"), 500, "", "must give True, False, None" },
    { P, PASSWORD("b'x'"), 500, "", "ETCL0331" },
    { P, PASSWORD("'a\\nb'"), 500, "", "line end" },
    { P, PASSWORD("1 / 0"), 500, "", "ZeroDivisionError" },
    { P, PASSWORD("exit(3)"), 500, "", "SystemExit" },
    { P, "x = 1\ndef other(): pass\n", 500, "", "ETCL0330: script /" },
    { P, "x = 1\ndef other(): pass\n", 500, "", "found: other" },
    { P, PASSWORD("not [k for k in environ if k[:5] == 'etcl.']"), 200, "",
      NULL },
    { P, PASSWORD("'wsgi.input' not in environ"), 200, "", NULL },
    { P, PASSWORD("'mod_wsgi.callable_object' not in environ"), 200, "", NULL },
    { P, PASSWORD("environ['mod_wsgi.version'] == (6, 0, 5)"), 200, "", NULL },
    { P, PASSWORD("environ['apache.version'] == (2, 4, 57)"), 200, "", NULL },
    { P, PASSWORD("environ['mod_wsgi.process_group'] == 'tests'"), 200, "",
      NULL },
    { P, PASSWORD("environ['REQUEST_METHOD'] == 'GET'"), 200, "", NULL },
    { P, PASSWORD("environ['wsgi.errors'].write('words\\n') > 0"), 200, "",
      "3 words" },
    { P, PASSWORD("print('said')"), 404, "", "3 said" },
    { H, HASH("None"), 404, "", NULL },
    { H, HASH("'abcdef'"), 200, "abcdef", NULL },
    { H, HASH("user + realm"), 200, "annprivate", NULL },
    { H, HASH("5"), 500, "", "ETCL0331" },
    { H, HASH("''"), 500, "", "ETCL0331" },
    { G, GROUPS("[]"), 200, "", NULL },
    { G, GROUPS("['staff', b'wheel']"), 200, "staff|wheel|", NULL },
    { G, GROUPS("(x for x in ('a', user))"), 200, "a|ann|", NULL },
    { G, GROUPS("'ab'"), 200, "a|b|", NULL },
    { G, GROUPS("None"), 500, "", "ETCL0331" },
    { G, GROUPS("[1]"), 500, "", "must give str or bytes, not 1" },
    { G, GROUPS("['a\\0b']"), 500, "", "holds NUL" },
    { A, ACCESS("True"), 200, "", NULL },
    { A, ACCESS("False"), 403, "", NULL },
    { A, ACCESS("None"), 404, "", NULL },
    { A, ACCESS("host == 'client.test'"), 200, "", NULL },
    { A, ACCESS("1"), 403, "", "ETCL0331: allow_access of script /" },
    { A, ACCESS("1 / 0"), 403, "", "ZeroDivisionError" },
    { A, "x = 1\n", 500, "", "ETCL0330" },
    { D, "x = 1\n", 200, "-|-|-|", NULL },
    { D, DISPATCH("process_group", "'g'"), 200, "=g|-|-|", NULL },
    { D, DISPATCH("application_group", "''"), 200, "-|=|-|", NULL },
    { D, DISPATCH("callable_object", "b'app'"), 200, "-|-|=app|", NULL },
    { D, DISPATCH("process_group", "None"), 200, "-|-|-|", NULL },
    { D, DISPATCH("process_group", "5"), 500, "", "ETCL0331" },
    { D, DISPATCH("callable_object", "1 / 0"), 500, "", "ZeroDivision" },
};

static const etcl_pair_t pairs[] = {
    { ETCL_KEY_REQUEST_METHOD, { "REQUEST_METHOD", 14 }, { "GET", 3 } },
    { 0, { "etcl.user", 9 }, { "ann", 3 } },
    { 0, { "etcl.password", 13 }, { "p\xff", 2 } },
    { 0, { "etcl.realm", 10 }, { "private", 7 } },
    { 0, { "etcl.host", 9 }, { "client.test", 11 } },
};

static etcl_answer_t ask(etcl_call_kind_t kind, const char *code,
                         fake_exchange_t *fake)
{
    etcl_call_t call = {
        .kind = kind,
        .target = { etcl_span(bridge_script(code)), { "", 0 }, { "", 0 } },
        .pairs = pairs,
        .pair_count = sizeof(pairs) / sizeof(*pairs),
    };

    return etcl_runtime.answer(&call, &fake->base);
}

static const char *value_of(fake_exchange_t *fake)
{
    apr_size_t i;

    for (i = 0; i < fake->sent.len; i++) {
        if (!fake->sent.ptr[i]) {
            fake->sent.ptr[i] = '|';
        }
    }
    return fake_exchange_text(&fake->sent);
}

START_TEST(a_result_becomes_a_verdict)
{
    const verdict_t *row = &verdicts[_i];
    WITH_FAKE(fake);
    etcl_answer_t answer = ask(row->kind, row->code, &fake);
    const char *log = fake_exchange_text(&fake.log);

    ck_assert_int_eq(answer.end, ETCL_ANSWER_DONE);
    ck_assert_msg(answer.status == row->status, "%s%d: %s", row->code,
                  answer.status, log);
    ck_assert_int_eq(atoi(fake_exchange_text(&fake.head)), row->status);
    ck_assert_str_eq(value_of(&fake), row->value);
    ck_assert_int_eq(fake.content_length, (apr_int64_t)fake.sent.len);
    ck_assert_msg(row->log ? strstr(log, row->log) != NULL : !*log, "%s", log);
}
END_TEST

START_TEST(a_script_that_does_not_load_fails)
{
    WITH_FAKE(fake);
    etcl_answer_t answer = ask(P, "import no_such_module\n", &fake);

    ck_assert_int_eq(answer.end, ETCL_ANSWER_FAILED);
    ck_assert_int_eq(answer.status, 500);
    ck_assert_int_eq(fake.begins, 0);
}
END_TEST

START_TEST(a_traceback_shows_no_frame_of_ours)
{
    WITH_FAKE(fake);

    ask(P, PASSWORD("1 // 0"), &fake);
    ck_assert_ptr_null(strstr(fake_exchange_text(&fake.log), "<mod_etcl"));
}
END_TEST

/* The model of a request's environ is kept; a password must not be. */
START_TEST(a_password_is_not_in_the_environ_of_the_next_request)
{
    WITH_FAKE(asked);
    WITH_FAKE(fake);

    ask(P, PASSWORD("True"), &asked);
    bridge_get(HELLO "    return [repr([k for k in environ\n"
                     "        if k.startswith('etcl') and k != "
                     "'etcl.client_disconnected']).encode()]\n",
               &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "[]");
}
END_TEST

START_TEST(an_unknown_kind_is_refused)
{
    WITH_FAKE(fake);

    bridge_log();
    ck_assert_int_eq(ask((etcl_call_kind_t)99, "x = 1\n", &fake).status, 500);
    ck_assert_ptr_nonnull(strstr(bridge_peek(), "ETCL0321"));
}
END_TEST

Suite *suite_verdict(void)
{
    Suite *suite = suite_create("verdict");
    TCase *tests = bridge_case(suite, "verdict");

    add_rows(tests, a_result_becomes_a_verdict, verdicts);
    tcase_add_test(tests, a_script_that_does_not_load_fails);
    tcase_add_test(tests, a_traceback_shows_no_frame_of_ours);
    tcase_add_test(tests, a_password_is_not_in_the_environ_of_the_next_request);
    tcase_add_test(tests, an_unknown_kind_is_refused);
    return suite;
}

/* wsgiref.validate around applications of every kind: neither side may break
 * a rule of PEP 3333 that it knows. */

#include "bridge.h"

#define VALID(body)                                                            \
    "from wsgiref.validate import validator\n"                                 \
    "def inner(environ, start_response):\n" body                               \
    "application = validator(inner)\n"
#define HEAD "start_response('200 OK', [('Content-Type', 'text/plain')])\n"

static const struct {
    const char *code;
    const char *body;
} applications[] = {
    { VALID("    " HEAD "    return [b'a', b'b']\n"), "ab" },
    { VALID("    " HEAD "    yield b'a'\n    yield b'b'\n"), "ab" },
    { VALID("    " HEAD "    return [environ['wsgi.input'].read(3),\n"
            "            environ['wsgi.input'].readline(),\n"
            "            b''.join(environ['wsgi.input'])]\n"),
      "one\ntwo\nthree" },
    { VALID("    w = " HEAD "    w(b'a')\n    return [b'b']\n"), "ab" },
    { VALID("    environ['wsgi.errors'].write('x')\n"
            "    environ['wsgi.errors'].flush()\n"
            "    environ['wsgi.errors'].writelines(['x'])\n"
            "    " HEAD "    return []\n"),
      "" },
    { VALID("    import io\n    " HEAD
            "    return environ['wsgi.file_wrapper'](io.BytesIO(b'abc'))\n"),
      "abc" },
    { VALID("    import sys\n    try: 1 / 0\n"
            "    except ZeroDivisionError:\n"
            "        start_response('500 No', [('Content-Type', 'a/b')],\n"
            "                       sys.exc_info())\n"
            "    return [b'abc']\n"),
      "abc" },
};

#define PAIR(constant, value)                                                  \
    {                                                                          \
        ETCL_KEY_##constant, ETCL_SPAN(#constant), ETCL_SPAN(value)            \
    }

static const etcl_pair_t pairs[] = {
    PAIR(SCRIPT_NAME, ""),      PAIR(PATH_INFO, "/x"),
    PAIR(QUERY_STRING, "a=b"),  PAIR(SERVER_NAME, "example.org"),
    PAIR(SERVER_PORT, "80"),    PAIR(SERVER_PROTOCOL, "HTTP/1.1"),
    PAIR(CONTENT_LENGTH, "13"),
};

START_TEST(the_validator_finds_nothing)
{
    request_t request = { .code = applications[_i].code,
                          .method = "POST",
                          .body_len = 13,
                          .pairs = pairs,
                          .pair_count = sizeof(pairs) / sizeof(*pairs) };
    WITH_FAKE(fake);
    etcl_answer_t answer;

    fake.body = "one\ntwo\nthree";
    fake.body_len = 13;
    answer = bridge_ask(&request, &fake);
    ck_assert_msg(
        answer.end == ETCL_ANSWER_DONE &&
            !strcmp(fake_exchange_text(&fake.sent), applications[_i].body),
        "%s", fake_exchange_text(&fake.log));
    ck_assert_ptr_null(strstr(fake_exchange_text(&fake.log), "Error"));
}
END_TEST

Suite *suite_validate(void)
{
    Suite *suite = suite_create("validate");
    TCase *tests = bridge_case(suite, "validate");

    add_rows(tests, the_validator_finds_nothing, applications);
    return suite;
}

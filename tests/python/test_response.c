/* start_response(), write() and the head: PEP 3333, row by row. */

#include "bridge.h"

#include <stdio.h>

#define START(args)                                                            \
    "def application(environ, start_response):\n"                              \
    "    start_response(" args ")\n"                                           \
    "    return [b'x']\n"

#define FAILS(name, code, log)                                                 \
    {                                                                          \
        name, code, ETCL_ANSWER_FAILED, 500, NULL, "", log                     \
    }

static const row_t good[] = {
    { "plain", START("'200 OK', []"), ETCL_ANSWER_DONE, 200, "200 OK\n", "x",
      NULL },
    { "no reason", START("'200', []"), ETCL_ANSWER_DONE, 200, "200 \n", "x",
      NULL },
    { "exc_info None", START("'404 Not Found', [], None"), ETCL_ANSWER_DONE,
      404, "404 Not Found\n", "x", NULL },
    { "Latin-1", START("'200 \\xe9', [('X-A', '\\xff')]"), ETCL_ANSWER_DONE,
      200, "X-A: \xff\n", "x", NULL },
    { "order and repetition",
      START("'200 OK', [('Set-Cookie', 'a'), ('X', 'y'), ('Set-Cookie', 'b')"
            "]"),
      ETCL_ANSWER_DONE, 200, "Set-Cookie: a\nX: y\nSet-Cookie: b\n", "x",
      NULL },
    { "an empty value, a tab", START("'200 OK', [('A', ''), ('B', 'c\\td')]"),
      ETCL_ANSWER_DONE, 200, "A: \nB: c\td\n", "x", NULL },
    { "a str subclass",
      "class S(str): pass\n" START("S('200 OK'), [(S('A'), S('b'))]"),
      ETCL_ANSWER_DONE, 200, "A: b\n", "x", NULL },
    { "999", START("'999 x', []"), ETCL_ANSWER_DONE, 999, "999 x", "x", NULL },
    { "replaced before output",
      "def application(e, s):\n    s('200 OK', [('A', 'b')])\n"
      "    s('201 Created', [('C', 'd')])\n    return [b'x']\n",
      ETCL_ANSWER_DONE, 201, "201 Created\nC: d\nContent-Length: 1\n", "x",
      NULL },
    { "replaced with exc_info before output",
      "import sys\ndef application(e, s):\n    s('200 OK', [])\n"
      "    try:\n        raise ValueError('v')\n"
      "    except ValueError:\n        s('500 No', [], sys.exc_info())\n"
      "    return [b'x']\n",
      ETCL_ANSWER_DONE, 500, "500 No\n", "x", NULL },
    { "a refused call leaves nothing, the next counts",
      "def application(e, s):\n    try:\n"
      "        s('200 OK', [('A', 'b'), ('C', 'd\\n')])\n"
      "    except ValueError:\n        s('400 Bad', [('E', 'f')])\n"
      "    return [b'x']\n",
      ETCL_ANSWER_DONE, 400, "400 Bad\nE: f\nContent-Length: 1\n", "x", NULL },
    { "called in the first iteration",
      "def application(e, s):\n    yield b''\n    s('200 OK', [])\n"
      "    yield b'x'\n",
      ETCL_ANSWER_DONE, 200, "200 OK\n", "x", NULL },
    { "a list changed afterwards",
      "def application(e, s):\n    h = [('A', 'b')]\n    s('200 OK', h)\n"
      "    h.append(('C', 'd'))\n    h[0] = None\n    return [b'x']\n",
      ETCL_ANSWER_DONE, 200, "200 OK\nA: b\nContent-Length: 1\n", "x", NULL },
};

START_TEST(start_response_accepts_what_pep_3333_allows)
{
    bridge_check_row(&good[_i], NULL);
}
END_TEST

static const row_t bad[] = {
    FAILS("no call", "def application(e, s): return [b'x']\n",
          "without calling start_response()"),
    FAILS("no call, empty", "def application(e, s): return []\n",
          "without calling start_response()"),
    FAILS("keywords", START("status='200 OK', headers=[]"), "TypeError"),
    FAILS("one argument", START("'200 OK'"), "TypeError"),
    FAILS("four arguments", START("'200 OK', [], None, 1"), "TypeError"),
    FAILS("status bytes", START("b'200 OK', []"), "status must be str"),
    FAILS("status None", START("None, []"), "status must be str"),
    FAILS("status empty", START("'', []"), "ValueError"),
    FAILS("status int", START("200, []"), "status must be str"),
    FAILS("two digits", START("'20 OK', []"), "ValueError"),
    FAILS("099", START("'099 OK', []"), "ValueError"),
    FAILS("1000", START("'1000 OK', []"), "ValueError"),
    FAILS("no space", START("'200OK', []"), "ValueError"),
    FAILS("letters", START("'2x0 OK', []"), "ValueError"),
    FAILS("reason CR", START("'200 OK\\r\\nX: y', []"), "ValueError"),
    FAILS("reason NUL", START("'200 O\\0K', []"), "ValueError"),
    FAILS("reason DEL", START("'200 O\\x7fK', []"), "ValueError"),
    FAILS("status beyond Latin-1", START("'200 \\u20ac', []"),
          "beyond Latin-1"),
    FAILS("lone surrogate", START("'200 \\udc80', []"), "UnicodeEncodeError"),
    FAILS("headers tuple", START("'200 OK', ()"), "must be a list"),
    FAILS("headers None", START("'200 OK', None"), "must be a list"),
    FAILS("headers subclass", "class L(list): pass\n" START("'200 OK', L()"),
          "must be a list"),
    FAILS("header list", START("'200 OK', [['A', 'b']]"), "must be a tuple"),
    FAILS("header triple", START("'200 OK', [('A', 'b', 'c')]"),
          "ValueError: a header must be a tuple"),
    FAILS("header None", START("'200 OK', [None]"), "must be a tuple"),
    FAILS("name bytes", START("'200 OK', [(b'A', 'b')]"), "header name must"),
    FAILS("value int", START("'200 OK', [('A', 1)]"), "header value must"),
    FAILS("value None", START("'200 OK', [('A', None)]"), "header value must"),
    FAILS("name empty", START("'200 OK', [('', 'b')]"), "not a field name"),
    FAILS("name colon", START("'200 OK', [('A:', 'b')]"), "not a field name"),
    FAILS("name space", START("'200 OK', [('A b', 'b')]"), "not a field name"),
    FAILS("name CR", START("'200 OK', [('A\\r', 'b')]"), "not a field name"),
    FAILS("name NUL", START("'200 OK', [('A\\0', 'b')]"), "not a field name"),
    FAILS("name Latin-1", START("'200 OK', [('\\xe9', 'b')]"),
          "not a field name"),
    FAILS("value CR", START("'200 OK', [('A', 'b\\rc')]"), "control"),
    FAILS("value LF", START("'200 OK', [('A', 'b\\nc')]"), "control"),
    FAILS("value NUL", START("'200 OK', [('A', 'b\\0c')]"), "control"),
    FAILS("value ESC", START("'200 OK', [('A', 'b\\x1b')]"), "control"),
    FAILS("value beyond Latin-1", START("'200 OK', [('A', '\\u0100')]"),
          "beyond Latin-1"),
    FAILS("length word", START("'200 OK', [('Content-Length', 'x')]"),
          "Content-Length"),
    FAILS("length negative", START("'200 OK', [('content-length', '-1')]"),
          "Content-Length"),
    FAILS("length empty", START("'200 OK', [('Content-Length', '')]"),
          "Content-Length"),
    FAILS("length huge",
          START("'200 OK', [('Content-Length', '9223372036854775808')]"),
          "Content-Length"),
    FAILS("length twice",
          START("'200 OK', [('Content-Length','1'),('content-length','1')]"),
          "given twice"),
    FAILS("exc_info text", START("'200 OK', [], 'x'"), "RuntimeError"),
    FAILS("exc_info pair", START("'200 OK', [], (1, 2)"), "exc_info"),
};

START_TEST(start_response_refuses_what_pep_3333_forbids)
{
    bridge_check_row(&bad[_i], NULL);
}
END_TEST

static const char *const hop_by_hop[] = {
    "Connection", "keep-alive", "Proxy-Authenticate", "Proxy-Authorization",
    "TE",         "Trailer",    "Trailers",           "Transfer-Encoding",
    "Upgrade",
};

START_TEST(a_hop_by_hop_header_is_refused_by_name)
{
    char code[300];
    row_t row = FAILS("hop-by-hop", code, "hop-by-hop");

    snprintf(code, sizeof(code), START("'200 OK', [('%s', 'x')]"),
             hop_by_hop[_i]);
    row.name = hop_by_hop[_i];
    bridge_check_row(&row, NULL);
}
END_TEST

static const row_t after_output[] = {
    { "second call",
      "def application(e, s):\n    s('200 OK', [])\n    yield b'abc'\n"
      "    s('201 OK', [])\n    yield b'd'\n",
      ETCL_ANSWER_ABORTED, 500, "200 OK\n", "abc", "called again after" },
    { "second call with exc_info raises it",
      "import sys\ndef application(e, s):\n    s('200 OK', [])\n"
      "    yield b'abc'\n    try:\n        raise KeyError('mine')\n"
      "    except KeyError:\n        s('500 No', [], sys.exc_info())\n"
      "    yield b'd'\n",
      ETCL_ANSWER_ABORTED, 500, "200 OK\n", "abc", "KeyError: 'mine'" },
    { "exc_info with a class of nothing",
      "def application(e, s):\n    s('200 OK', [])\n    yield b'abc'\n"
      "    s('500 No', [], (1, 2, 3))\n",
      ETCL_ANSWER_ABORTED, 500, "200 OK\n", "abc", "TypeError" },
    { "exc_info with a value of another kind",
      "def application(e, s):\n    s('200 OK', [])\n    yield b'abc'\n"
      "    s('500 No', [], (ValueError, None, 7))\n",
      ETCL_ANSWER_ABORTED, 500, "200 OK\n", "abc", "ValueError" },
};

START_TEST(start_response_after_output_is_an_error)
{
    bridge_check_row(&after_output[_i], NULL);
}
END_TEST

START_TEST(start_response_keeps_no_reference_to_exc_info)
{
    static const row_t row = {
        "exc_info",
        "import sys, weakref\nclass E(Exception): pass\nrefs = []\n"
        "def fail(s):\n    try:\n        raise E()\n"
        "    except E as e:\n        refs.append(weakref.ref(e))\n"
        "        s('200 OK', [], sys.exc_info())\n"
        "def application(e, s):\n    fail(s)\n"
        "    return [b'dead' if refs[-1]() is None else b'alive']\n",
        ETCL_ANSWER_DONE,
        200,
        "200 OK\n",
        "dead",
        NULL
    };

    bridge_check_row(&row, NULL);
}
END_TEST

static const row_t writes[] = {
    { "write precedes the iterable",
      "def application(e, s):\n    w = s('200 OK', [])\n    w(b'a')\n"
      "    w(b'')\n    w(b'b')\n    return [b'c']\n",
      ETCL_ANSWER_DONE, 200, "200 OK\n", "abc", NULL },
    { "write str",
      "def application(e, s):\n    s('200 OK', [])('a')\n    return []\n",
      ETCL_ANSWER_FAILED, 500, NULL, "", "write() takes one bytes object" },
    { "write bytearray",
      "def application(e, s):\n    s('200 OK', [])(bytearray(b'a'))\n",
      ETCL_ANSWER_FAILED, 500, NULL, "", "write() takes one bytes object" },
    { "write nothing", "def application(e, s):\n    s('200 OK', [])()\n",
      ETCL_ANSWER_FAILED, 500, NULL, "", "write() takes one bytes object" },
    { "write keyword",
      "def application(e, s):\n    s('200 OK', [])(data=b'a')\n",
      ETCL_ANSWER_FAILED, 500, NULL, "", "write() takes one bytes object" },
    { "write beyond Content-Length raises",
      "def application(e, s):\n"
      "    w = s('200 OK', [('Content-Length', '3')])\n"
      "    w(b'ab')\n    w(b'cd')\n    return []\n",
      ETCL_ANSWER_DONE, 200, "200 OK\n", "abc", "write() beyond" },
    { "write with an empty head before start_response of another",
      "def application(e, s):\n    w = s('200 OK', [])\n"
      "    v = s('201 OK', [])\n    w(b'a')\n    v(b'b')\n    return []\n",
      ETCL_ANSWER_DONE, 201, "201 OK\n", "ab", NULL },
};

START_TEST(write_sends_at_once_and_only_bytes)
{
    bridge_check_row(&writes[_i], NULL);
}
END_TEST

START_TEST(a_head_that_the_server_refuses_becomes_500)
{
    WITH_FAKE(fake);
    etcl_answer_t answer;

    fake.begin_error = ETCL_EINVAL;
    answer = bridge_get(HELLO "    return [b'x']\n", &fake);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_FAILED);
    ck_assert_int_eq(answer.status, 500);
    ck_assert_ptr_nonnull(
        strstr(fake_exchange_text(&fake.log), "did not accept"));
}
END_TEST

Suite *suite_response(void)
{
    Suite *suite = suite_create("response");
    TCase *tests = bridge_case(suite, "start_response");

    add_rows(tests, start_response_accepts_what_pep_3333_allows, good);
    add_rows(tests, start_response_refuses_what_pep_3333_forbids, bad);
    add_rows(tests, a_hop_by_hop_header_is_refused_by_name, hop_by_hop);
    add_rows(tests, start_response_after_output_is_an_error, after_output);
    tcase_add_test(tests, start_response_keeps_no_reference_to_exc_info);
    add_rows(tests, write_sends_at_once_and_only_bytes, writes);
    tcase_add_test(tests, a_head_that_the_server_refuses_becomes_500);
    return suite;
}

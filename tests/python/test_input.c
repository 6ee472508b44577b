/* wsgi.input: every way of reading, bodies of awkward sizes, bodies that
 * break off. */

#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>

#define SUM                                                                    \
    "import hashlib\n"                                                         \
    "def application(environ, start_response):\n"                              \
    "    start_response('200 OK', [])\n"                                       \
    "    i = environ['wsgi.input']\n"                                          \
    "    blocks = list(reader(i))\n"                                           \
    "    assert all(type(b) is bytes for b in blocks), blocks\n"               \
    "    data = b''.join(blocks)\n"                                            \
    "    for empty in (i.read(), i.read(5), i.readline(), i.read(0),\n"        \
    "                  b''.join(i.readlines()), b''.join(i)):\n"               \
    "        assert empty == b'', empty\n"                                     \
    "    return [data]\n"

static const char *const readers[] = {
    SUM "def reader(i): return [i.read()]\n",
    SUM "def reader(i): return [i.read(-1)]\n",
    SUM "def reader(i): return [i.read(None)]\n",
    SUM "def reader(i): return iter(lambda: i.read(1024), b'')\n",
    SUM "def reader(i): return iter(lambda: i.read(7919), b'')\n",
    SUM "def reader(i): return iter(lambda: i.read(65536), b'')\n",
    SUM "def reader(i): return iter(lambda: i.read(10 ** 15), b'')\n",
    SUM "def reader(i): return [i.read(1), i.read()]\n",
    SUM "def reader(i): return i.readlines()\n",
    SUM "def reader(i):\n    while lines := i.readlines(100):\n"
        "        yield from lines\n",
    SUM "def reader(i): return i\n",
    SUM "def reader(i): return iter(i.readline, b'')\n",
    SUM "def reader(i): return iter(lambda: i.readline(10), b'')\n",
    SUM "def reader(i):\n    yield i.readline()\n    yield i.read(3)\n"
        "    yield next(i, b'')\n    yield i.readline(2)\n"
        "    i.close()\n    yield i.read()\n",
};

static const apr_size_t sizes[] = { 0,    1,     2,     8191,  8192,
                                    8193, 65535, 65536, 65537, 2500000 };

#define SIZES (sizeof(sizes) / sizeof(*sizes))

static char *make_body(apr_size_t len)
{
    char *body = malloc(len + 1);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        body[i] = i % 61 == 60 ? '\n' : (char)(i * 7 % 251);
    }
    return body;
}

static void read_all(const char *code, const char *body, apr_size_t len,
                     int chunked, apr_size_t piece)
{
    request_t request = { .code = code,
                          .method = "POST",
                          .body_len = chunked ? -1 : (apr_int64_t)len };
    WITH_FAKE(fake);

    fake.body = body;
    fake.body_len = len;
    fake.piece = piece;
    bridge_ask(&request, &fake);
    ck_assert_msg(fake.sent.len == len &&
                      (!len || !memcmp(fake.sent.ptr, body, len)),
                  "%s\nof %zu: %zu came\n%s", code, (size_t)len,
                  (size_t)fake.sent.len, fake_exchange_text(&fake.log));
}

START_TEST(every_way_of_reading_gives_the_whole_body)
{
    apr_size_t size;

    for (size = 0; size < SIZES; size++) {
        char *body = make_body(sizes[size]);

        read_all(readers[_i], body, sizes[size], 0, 0);
        read_all(readers[_i], body, sizes[size], 1, 0);
        read_all(readers[_i], body, sizes[size], 0, 1000);
        read_all(readers[_i], body, sizes[size], 1, 4093);
        free(body);
    }
}
END_TEST

static void read_lines(const char *code, const char *body, const char *want)
{
    request_t request = { .code = code,
                          .method = "POST",
                          .body_len = (apr_int64_t)strlen(body) };
    WITH_FAKE(fake);

    fake.body = body;
    fake.body_len = strlen(body);
    fake.piece = 2;
    bridge_ask(&request, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), want);
}

#define SHOW(what)                                                             \
    "def application(environ, start_response):\n"                              \
    "    start_response('200 OK', [])\n"                                       \
    "    i = environ['wsgi.input']\n"                                          \
    "    return [repr(" what ").encode()]\n"

static const struct {
    const char *code;
    const char *body;
    const char *want;
} shapes[] = {
    { SHOW("i.readlines()"), "a\n\nb", "[b'a\\n', b'\\n', b'b']" },
    { SHOW("list(i)"), "a\nb\n", "[b'a\\n', b'b\\n']" },
    { SHOW("i.readlines(1)"), "a\nb\n", "[b'a\\n']" },
    { SHOW("i.readlines(3)"), "a\nb\nc\n", "[b'a\\n', b'b\\n']" },
    { SHOW("i.readlines(0)"), "a\nb\n", "[b'a\\n', b'b\\n']" },
    { SHOW("(i.readline(0), i.readline(1), i.readline(9))"), "ab\ncd",
      "(b'', b'a', b'b\\n')" },
    { SHOW("(i.read(0), i.read(2), i.read(2))"), "abc", "(b'', b'ab', b'c')" },
    { SHOW("(i.readline(-1), i.readline(None))"), "ab\ncd",
      "(b'ab\\n', b'cd')" },
    { SHOW("[hasattr(i, n) for n in ('fileno', 'seek', 'tell')]"), "",
      "[False, False, False]" },
    { SHOW("iter(i) is i"), "", "True" },
};

START_TEST(lines_and_sizes_are_what_files_give)
{
    read_lines(shapes[_i].code, shapes[_i].body, shapes[_i].want);
}
END_TEST

static const row_t misuse[] = {
    { "text", SHOW("i.read('x')"), ETCL_ANSWER_FAILED, 500, NULL, "",
      "TypeError" },
    { "two sizes", SHOW("i.read(1, 2)"), ETCL_ANSWER_FAILED, 500, NULL, "",
      "TypeError" },
    { "a huge size", SHOW("i.read(10 ** 30)"), ETCL_ANSWER_DONE, 200, "200 OK",
      "b''", NULL },
    { "a new one", SHOW("type(i)()"), ETCL_ANSWER_FAILED, 500, NULL, "",
      "TypeError" },
};

START_TEST(misuse_is_refused)
{
    bridge_check_row(&misuse[_i], NULL);
}
END_TEST

START_TEST(what_is_not_read_is_not_pulled)
{
    request_t request = { .code = HELLO "    return [b'x']\n",
                          .method = "POST",
                          .body_len = 1000 };
    WITH_FAKE(fake);

    bridge_ask(&request, &fake);
    ck_assert_int_eq(fake.reads, 0);
}
END_TEST

START_TEST(a_small_read_takes_what_there_is_and_waits_for_no_more)
{
    request_t request = { .code = SHOW("i.read(2)"),
                          .method = "POST",
                          .body_len = -1 };
    WITH_FAKE(fake);

    fake.body = "abcdef";
    fake.body_len = 6;
    fake.piece = 2;
    bridge_ask(&request, &fake);
    ck_assert_int_eq(fake.reads, 1);
    ck_assert_int_eq(fake.body_at, 2);
}
END_TEST

/* ---- broken bodies */

#define CATCH(what)                                                            \
    "import mod_wsgi\n"                                                        \
    "def application(environ, start_response):\n"                              \
    "    i = environ['wsgi.input']\n"                                          \
    "    for n in range(2):\n"                                                 \
    "        try:\n            " what "\n"                                     \
    "        except OSError as error:\n"                                       \
    "            last = error\n"                                               \
    "            print(type(error).__name__, error,\n"                         \
    "                  file=environ['wsgi.errors'])\n"                         \
    "        else:\n            print('no error')\n"                           \
    "    raise last\n"

static const struct {
    const char *code;
    apr_status_t end;
    apr_int64_t body_len;
    int status;
    const char *log;
} breaks[] = {
    { CATCH("i.read()"), ETCL_ESHORT, 10, 400,
      "3 ClientDisconnected the client closed the connection after 3 of 10 "
      "bytes of the request body\n" },
    { CATCH("i.read(10)"), ETCL_ESHORT, 10, 400, "after 3 of 10 bytes" },
    { CATCH("list(i)"), ETCL_ESHORT, 10, 400, "after 3 of 10 bytes" },
    { CATCH("i.readline()"), ETCL_ESHORT, 10, 400, "after 3 of 10 bytes" },
    { CATCH("i.readlines()"), ETCL_ESHORT, -1, 400,
      "after 3 bytes of the request body" },
    { CATCH("i.read()"), ETCL_ESTALL, 10, 408,
      "3 ClientTimeout the client sent no data for too long, after 3 of 10" },
    { CATCH("i.read()"), ETCL_ELIMIT, -1, 413,
      "3 BodyTooLarge the request body is above LimitRequestBody" },
    { CATCH("i.read()"), ETCL_EGONE, 10, 400, "ClientDisconnected" },
    { CATCH("i.read()"), APR_EGENERAL, 10, 500, "OSError" },
};

START_TEST(a_body_that_breaks_off_is_never_a_clean_end)
{
    request_t request = { .code = breaks[_i].code,
                          .method = "POST",
                          .body_len = breaks[_i].body_len };
    WITH_FAKE(fake);
    etcl_answer_t answer;
    const char *log;

    fake.body = "abc";
    fake.body_len = 3;
    fake.body_end = breaks[_i].end;
    answer = bridge_ask(&request, &fake);
    log = fake_exchange_text(&fake.log);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_FAILED);
    ck_assert_int_eq(answer.status, breaks[_i].status);
    ck_assert_msg(strstr(log, breaks[_i].log) != NULL, "%s", log);
    ck_assert_ptr_null(strstr(log, "no error"));
    if (breaks[_i].end != APR_EGENERAL) {
        ck_assert_ptr_null(strstr(log, "Traceback"));
        ck_assert_ptr_nonnull(strstr(log, "6 ETCL0316"));
    }
}
END_TEST

Suite *suite_input(void)
{
    Suite *suite = suite_create("input");
    TCase *tests = bridge_case(suite, "input");

    add_rows(tests, every_way_of_reading_gives_the_whole_body, readers);
    add_rows(tests, lines_and_sizes_are_what_files_give, shapes);
    add_rows(tests, misuse_is_refused, misuse);
    tcase_add_test(tests, what_is_not_read_is_not_pulled);
    tcase_add_test(tests,
                   a_small_read_takes_what_there_is_and_waits_for_no_more);
    add_rows(tests, a_body_that_breaks_off_is_never_a_clean_end, breaks);
    return suite;
}

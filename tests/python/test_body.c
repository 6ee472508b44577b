/* The iterable: what is sent and when, lengths, close(), clients that leave. */

#include "bridge.h"

#define APP(headers, body)                                                     \
    "def application(environ, start_response):\n"                              \
    "    start_response('200 OK', " headers ")\n" body

static const row_t bodies[] = {
    { "a list", APP("[]", "    return [b'ab', b'', b'c']\n"), ETCL_ANSWER_DONE,
      200, "Content-Length: 3\n", "abc", NULL },
    { "a tuple", APP("[]", "    return (b'ab',)\n"), ETCL_ANSWER_DONE, 200,
      "Content-Length: 2\n", "ab", NULL },
    { "an empty list", APP("[]", "    return []\n"), ETCL_ANSWER_DONE, 200,
      "Content-Length: 0\n", "", NULL },
    { "an empty generator", APP("[]", "    return iter(())\n"),
      ETCL_ANSWER_DONE, 200, "200 OK\n", "", NULL },
    { "a sequence of one",
      "class One:\n    def __len__(self): return 1\n"
      "    def __getitem__(self, i): return [b'abc'][i]\n" APP(
          "[]", "    return One()\n"),
      ETCL_ANSWER_DONE, 200, "Content-Length: 3\n", "abc", NULL },
    { "a len() that fails",
      "class One:\n    def __len__(self): raise ValueError\n"
      "    def __getitem__(self, i): return [b'abc'][i]\n" APP(
          "[]", "    return One()\n"),
      ETCL_ANSWER_DONE, 200, "200 OK\n", "abc", NULL },
    { "a length that fits",
      APP("[('Content-Length', '3')]", "    return [b'abc']\n"),
      ETCL_ANSWER_DONE, 200, "Content-Length: 3\n", "abc", NULL },
    { "a list that gives too much",
      APP("[('Content-Length', '3')]", "    return [b'ab', b'cdef']\n"),
      ETCL_ANSWER_DONE, 200, "Content-Length: 3\n", "abc", "ETCL0318" },
    { "a generator that gives too much",
      APP("[('Content-Length', '3')]",
          "    yield b'ab'\n    yield b'cdef'\n    raise KeyError\n"),
      ETCL_ANSWER_DONE, 200, "Content-Length: 3\n", "abc", "ETCL0318" },
    { "no more is asked for than promised",
      APP("[('Content-Length', '3')]",
          "    yield b'abc'\n    while True: raise KeyError\n"),
      ETCL_ANSWER_DONE, 200, "Content-Length: 3\n", "abc", NULL },
    { "too little", APP("[('Content-Length', '5')]", "    return [b'abc']\n"),
      ETCL_ANSWER_ABORTED, 500, "Content-Length: 5\n", "abc",
      "promised 5 bytes by Content-Length and gave 3" },
    { "nothing of what was promised",
      APP("[('Content-Length', '5')]", "    return []\n"), ETCL_ANSWER_FAILED,
      500, "Content-Length: 5\n", "", "ETCL0317" },
    { "a length of 0 and bytes",
      APP("[('Content-Length', '0')]", "    return [b'abc']\n"),
      ETCL_ANSWER_DONE, 200, "Content-Length: 0\n", "", NULL },
    { "str in a list sends nothing", APP("[]", "    return [b'a', 'b']\n"),
      ETCL_ANSWER_FAILED, 500, NULL, "", "not str" },
    { "str from a generator", APP("[]", "    yield b'a'\n    yield 'b'\n"),
      ETCL_ANSWER_ABORTED, 500, "200 OK\n", "a", "not str" },
    { "a str", APP("[]", "    return 'abc'\n"), ETCL_ANSWER_FAILED, 500, NULL,
      "", "not str" },
    { "bytes", APP("[]", "    return b'abc'\n"), ETCL_ANSWER_FAILED, 500, NULL,
      "", "not int" },
    { "None", APP("[]", "    return None\n"), ETCL_ANSWER_FAILED, 500, NULL, "",
      "not iterable" },
    { "a bytearray", APP("[]", "    return [bytearray(b'a')]\n"),
      ETCL_ANSWER_FAILED, 500, NULL, "", "not bytearray" },
    { "a bytes subclass",
      "class B(bytes): pass\n" APP("[]", "    return [B(b'a')]\n"),
      ETCL_ANSWER_FAILED, 500, NULL, "", "not B" },
    { "204",
      "def application(e, s):\n    s('204 No', [])\n"
      "    return [b'abc']\n",
      ETCL_ANSWER_DONE, 204, "204 No\n", "", NULL },
    { "304 with a length",
      "def application(e, s):\n    s('304 No', [('Content-Length', '7')])\n"
      "    return []\n",
      ETCL_ANSWER_DONE, 304, "Content-Length: 7\n", "", NULL },
    { "raises before", APP("[]", "    raise ValueError('mine')\n"),
      ETCL_ANSWER_FAILED, 500, NULL, "", "ValueError: mine" },
    { "raises at once from a generator",
      APP("[]", "    if 1: raise ValueError('mine')\n    yield b''\n"),
      ETCL_ANSWER_FAILED, 500, NULL, "", "ETCL0313" },
    { "raises after a block",
      APP("[]", "    yield b'abc'\n    raise ValueError('mine')\n"),
      ETCL_ANSWER_ABORTED, 500, "200 OK\n", "abc",
      "after 3 bytes of its answer" },
    { "SystemExit", APP("[]", "    raise SystemExit(3)\n"), ETCL_ANSWER_FAILED,
      500, NULL, "", "ETCL0315" },
    { "KeyboardInterrupt", APP("[]", "    raise KeyboardInterrupt\n"),
      ETCL_ANSWER_FAILED, 500, NULL, "", "KeyboardInterrupt" },
    { "an exception that cannot be printed",
      "class E(Exception):\n    def __str__(self): raise ValueError\n" APP(
          "[]", "    raise E\n"),
      ETCL_ANSWER_FAILED, 500, NULL, "", "ETCL0313" },
    { "an exception with a surrogate",
      APP("[]", "    raise ValueError('\\udc80')\n"), ETCL_ANSWER_FAILED, 500,
      NULL, "", "\\udc80" },
};

START_TEST(a_body_arrives_as_the_application_gave_it)
{
    bridge_check_row(&bodies[_i], NULL);
}
END_TEST

static const row_t heads[] = {
    { "a list", APP("[]", "    return [b'abc']\n"), ETCL_ANSWER_DONE, 200,
      "Content-Length: 3\n", "", NULL },
    { "a generator", APP("[]", "    yield b'abc'\n    raise KeyError\n"),
      ETCL_ANSWER_DONE, 200, "200 OK\n", "", NULL },
    { "a length of its own",
      APP("[('Content-Length', '1000')]", "    return []\n"), ETCL_ANSWER_DONE,
      200, "Content-Length: 1000\n", "", NULL },
    { "write",
      "def application(e, s):\n    s('200 OK', [])(b'abc')\n    return []\n",
      ETCL_ANSWER_DONE, 200, "200 OK\n", "", NULL },
    { "raises", APP("[]", "    raise KeyError\n"), ETCL_ANSWER_FAILED, 500,
      NULL, "", "KeyError" },
    { "a file",
      APP("[]", "    return environ['wsgi.file_wrapper'](open(__file__, 'rb'))"
                "\n"),
      ETCL_ANSWER_DONE, 200, "Content-Length: ", "", NULL },
};

START_TEST(an_answer_to_head_has_no_body)
{
    bridge_check_row(&heads[_i], "HEAD");
}
END_TEST

START_TEST(an_empty_list_says_nothing_about_the_length_for_head)
{
    request_t request = { .code = APP("[]", "    return []\n"),
                          .method = "HEAD" };
    WITH_FAKE(fake);

    bridge_ask(&request, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.head), "200 OK\n");
    ck_assert_int_eq(fake.content_length, -1);
}
END_TEST

/* ---- when */

START_TEST(each_block_of_a_generator_is_sent_before_the_next)
{
    WITH_FAKE(fake);

    bridge_get(APP("[]", "    e = environ['wsgi.errors']\n"
                         "    for i in range(3):\n"
                         "        yield b''\n"
                         "        yield b'%d' % i\n"),
               &fake);
    ck_assert_str_eq(fake.events, "bwww");
    ck_assert_int_eq(fake.holds, 0);
}
END_TEST

START_TEST(a_finished_body_may_be_held_back)
{
    WITH_FAKE(fake);

    bridge_get(APP("[]", "    return [b'a', b'', b'b', b'c']\n"), &fake);
    ck_assert_str_eq(fake.events, "bwww");
    ck_assert_int_eq(fake.holds, 3);
}
END_TEST

START_TEST(a_block_that_cannot_go_at_once_goes_by_waiting)
{
    WITH_FAKE(fake);

    fake.busy_writes = 1;
    bridge_get(APP("[]", "    return [b'a', b'b']\n"), &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "ab");
}
END_TEST

/* ---- close() */

#define CLOSING                                                                \
    "class Body:\n"                                                            \
    "    def __init__(self, blocks, e): self.b, self.e = iter(blocks), e\n"    \
    "    def __iter__(self): return self\n"                                    \
    "    def __next__(self):\n"                                                \
    "        block = next(self.b)\n"                                           \
    "        if isinstance(block, Exception): raise block\n"                   \
    "        return block\n"                                                   \
    "    def close(self):\n"                                                   \
    "        import threading\n"                                               \
    "        print('shut', threading.get_ident() == ME, file=self.e)\n"        \
    "def application(environ, start_response):\n"                              \
    "    global ME\n"                                                          \
    "    import threading\n"                                                   \
    "    ME = threading.get_ident()\n"                                         \
    "    errors = environ['wsgi.errors']\n"

static const struct {
    const char *name;
    const char *code;
    apr_int64_t gone_after;
    apr_status_t begin_error;
} closings[] = {
    { "normal end",
      CLOSING "    start_response('200 OK', [])\n"
              "    return Body([b'a', b'b'], errors)\n",
      -1, 0 },
    { "an error",
      CLOSING "    start_response('200 OK', [])\n"
              "    return Body([b'a', KeyError()], errors)\n",
      -1, 0 },
    { "an error at once",
      CLOSING "    start_response('200 OK', [])\n"
              "    return Body([KeyError()], errors)\n",
      -1, 0 },
    { "no start_response", CLOSING "    return Body([b'a'], errors)\n", -1, 0 },
    { "a str",
      CLOSING "    start_response('200 OK', [])\n"
              "    return Body(['a'], errors)\n",
      -1, 0 },
    { "iter() fails",
      CLOSING "    start_response('200 OK', [])\n"
              "    class B(Body):\n"
              "        def __iter__(self): raise KeyError\n"
              "    return B([b'a'], errors)\n",
      -1, 0 },
    { "not iterable",
      CLOSING "    start_response('200 OK', [])\n"
              "    class B:\n"
              "        def close(self): print('shut True', file=errors)\n"
              "    return B()\n",
      -1, 0 },
    { "the client left",
      CLOSING "    start_response('200 OK', [])\n"
              "    return Body([b'a', b'b'], errors)\n",
      1, 0 },
    { "the client left before",
      CLOSING "    start_response('200 OK', [])\n"
              "    return Body([b'a'], errors)\n",
      0, 0 },
    { "the head is refused",
      CLOSING "    start_response('200 OK', [])\n"
              "    return Body([b'a'], errors)\n",
      -1, ETCL_EINVAL },
    { "enough was sent",
      CLOSING "    start_response('200 OK', [('Content-Length', '1')])\n"
              "    return Body([b'a', b'b'], errors)\n",
      -1, 0 },
    { "a file",
      CLOSING "    start_response('200 OK', [])\n"
              "    class F:\n"
              "        file = open(__file__, 'rb')\n"
              "        fileno, tell = file.fileno, file.tell\n"
              "        def close(self): print('shut True', file=errors)\n"
              "    return environ['wsgi.file_wrapper'](F())\n",
      -1, 0 },
    { "204",
      CLOSING "    start_response('204 No', [])\n"
              "    return Body([b'a', b'b'], errors)\n",
      -1, 0 },
};

static int count(const char *text, const char *part)
{
    int found = 0;

    while ((text = strstr(text, part))) {
        found++;
        text++;
    }
    return found;
}

START_TEST(close_is_called_once_in_the_same_thread)
{
    WITH_FAKE(fake);
    const char *log;

    fake.gone_after = closings[_i].gone_after;
    fake.begin_error = closings[_i].begin_error;
    bridge_get(closings[_i].code, &fake);
    log = fake_exchange_text(&fake.log);
    ck_assert_msg(count(log, "shut") == 1 && count(log, "shut True") == 1,
                  "%s: %s", closings[_i].name, log);
}
END_TEST

static const row_t close_errors[] = {
    { "raises",
      "class B(list):\n    def close(self): raise ValueError('shut')\n" APP(
          "[]", "    return B([b'a'])\n"),
      ETCL_ANSWER_DONE, 200, "200 OK\n", "a", "ETCL0319" },
    { "is no function",
      "class B(list):\n    close = 7\n" APP("[]", "    return B([b'a'])\n"),
      ETCL_ANSWER_DONE, 200, "200 OK\n", "a", "ETCL0319" },
    { "cannot be looked up",
      "class B(list):\n    @property\n    def close(self): 1 / 0\n" APP(
          "[]", "    return B([b'a'])\n"),
      ETCL_ANSWER_DONE, 200, "200 OK\n", "a", "ZeroDivisionError" },
};

START_TEST(a_close_that_fails_is_logged_and_the_answer_stands)
{
    bridge_check_row(&close_errors[_i], NULL);
}
END_TEST

/* ---- clients that leave */

START_TEST(a_client_that_leaves_is_one_line_without_traceback)
{
    WITH_FAKE(fake);
    etcl_answer_t answer;

    fake.gone_after = 4;
    answer = bridge_get(APP("[('Content-Length', '9')]",
                            "    yield b'abc'\n    yield b'def'\n"
                            "    yield b'ghi'\n"),
                        &fake);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_ABORTED);
    ck_assert_int_eq(answer.sent, 3);
    ck_assert_int_eq(answer.promised, 9);
    ck_assert_str_eq(fake_exchange_text(&fake.log),
                     "6 ETCL0316: the client closed the connection after 3 of "
                     "9 bytes of the response\n");
}
END_TEST

START_TEST(write_raises_when_the_client_left)
{
    WITH_FAKE(fake);
    etcl_answer_t answer;

    fake.gone_after = 0;
    answer = bridge_get(
        "import mod_wsgi\ndef application(e, s):\n    w = s('200 OK', [])\n"
        "    for i in range(3):\n        try:\n            w(b'abc')\n"
        "        except mod_wsgi.ClientDisconnected as error:\n"
        "            assert isinstance(error, ConnectionError)\n"
        "            print(error, file=e['wsgi.errors'])\n"
        "    return [b'more']\n",
        &fake);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_ABORTED);
    ck_assert_int_eq(count(fake_exchange_text(&fake.log), "closed the"), 4);
    ck_assert_str_eq(fake.events, "bw");
}
END_TEST

START_TEST(a_client_that_takes_nothing_is_a_timeout)
{
    WITH_FAKE(fake);
    etcl_answer_t answer;

    fake.gone_after = 0;
    fake.write_error = APR_TIMEUP;
    answer = bridge_get(APP("[]", "    return [b'abc']\n"), &fake);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_ABORTED);
    ck_assert_ptr_nonnull(
        strstr(fake_exchange_text(&fake.log), "6 ETCL0316: the client took"));
}
END_TEST

START_TEST(an_exception_raised_from_ours_is_no_traceback_either)
{
    WITH_FAKE(fake);

    fake.gone_after = 0;
    bridge_get("def application(e, s):\n    w = s('200 OK', [])\n"
               "    try:\n        w(b'abc')\n    except OSError as error:\n"
               "        raise RuntimeError('wrapped') from error\n",
               &fake);
    ck_assert_ptr_null(strstr(fake_exchange_text(&fake.log), "Traceback"));
}
END_TEST

START_TEST(an_unrelated_error_after_the_client_left_keeps_its_traceback)
{
    WITH_FAKE(fake);

    fake.gone_after = 0;
    bridge_get("def application(e, s):\n    w = s('200 OK', [])\n"
               "    try:\n        w(b'abc')\n    except OSError: pass\n"
               "    1 / 0\n",
               &fake);
    ck_assert_ptr_nonnull(strstr(fake_exchange_text(&fake.log), "Traceback"));
}
END_TEST

Suite *suite_body(void)
{
    Suite *suite = suite_create("body");
    TCase *tests = bridge_case(suite, "body");

    add_rows(tests, a_body_arrives_as_the_application_gave_it, bodies);
    add_rows(tests, an_answer_to_head_has_no_body, heads);
    tcase_add_test(tests, an_empty_list_says_nothing_about_the_length_for_head);
    tcase_add_test(tests, each_block_of_a_generator_is_sent_before_the_next);
    tcase_add_test(tests, a_finished_body_may_be_held_back);
    tcase_add_test(tests, a_block_that_cannot_go_at_once_goes_by_waiting);
    add_rows(tests, close_is_called_once_in_the_same_thread, closings);
    add_rows(tests, a_close_that_fails_is_logged_and_the_answer_stands,
             close_errors);
    tcase_add_test(tests, a_client_that_leaves_is_one_line_without_traceback);
    tcase_add_test(tests, write_raises_when_the_client_left);
    tcase_add_test(tests, a_client_that_takes_nothing_is_a_timeout);
    tcase_add_test(tests, an_exception_raised_from_ours_is_no_traceback_either);
    tcase_add_test(
        tests, an_unrelated_error_after_the_client_left_keeps_its_traceback);
    return suite;
}

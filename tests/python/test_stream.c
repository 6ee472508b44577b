/* What the application writes: wsgi.errors, print, sys.stderr, logging. */

#include "bridge.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SAY(what)                                                              \
    "import sys, os, io\n"                                                     \
    "def application(environ, start_response):\n"                              \
    "    start_response('200 OK', [])\n"                                       \
    "    e = environ['wsgi.errors']\n"                                         \
    "    " what "\n    return []\n"

static const struct {
    const char *code;
    const char *want;
} lines[] = {
    { SAY("e.write('one\\n')"), "3 one\n" },
    { SAY("e.write('one'); e.write(' line\\n')"), "3 one line\n" },
    { SAY("e.write('no end')"), "3 no end\n" },
    { SAY("e.write('a\\nb\\n\\nc')"), "3 a\n3 b\n3 \n3 c\n" },
    { SAY("e.writelines(['a\\n', 'b\\n'])"), "3 a\n3 b\n" },
    { SAY("print('a', 'b', file=e); e.flush()"), "3 a b\n" },
    { SAY("print('a', 'b')"), "3 a b\n" },
    { SAY("print('a', file=sys.stderr)"), "3 a\n" },
    { SAY("print('o', end=''); print('e', end='', file=e)"), "3 o\n3 e\n" },
    { SAY("e.write('\\u20ac \\udc80\\n')"), "3 \xe2\x82\xac ?\n" },
    { SAY("e.write('a\\r\\x1b\\0b\\n')"), NULL },
    { SAY("sys.stdout.buffer.write(b'raw\\n')"), "3 raw\n" },
    { SAY("e.close(); e.write('still there\\n')"), "3 still there\n" },
    { SAY("print(e.fileno(), sys.stdout.fileno(), sys.stderr.fileno())"),
      "3 2 1 2\n" },
    { SAY("print(sys.stdout.isatty(), sys.stdout.closed, e.encoding,"
          " sys.stdout.writable(), sys.stdout.mode)"),
      "3 False False utf-8 True w\n" },
    { SAY("print(isinstance(sys.stdout, io.TextIOBase),"
          " isinstance(e, io.TextIOBase))"),
      "3 True True\n" },
    { SAY("import logging; l = logging.Logger('x');"
          " import mod_wsgi; h = mod_wsgi.LogHandler(); l.addHandler(h);"
          " h.setFormatter(logging.Formatter('%(message)s'));"
          " l.warning('w'); l.error('e'); l.info('i'); l.debug('d');"
          " l.critical('c\\nd')"),
      "4 w\n3 e\n6 i\n7 d\n2 c\nd\n" },
};

START_TEST(each_line_is_one_entry_of_the_requests_log)
{
    WITH_FAKE(fake);

    bridge_get(lines[_i].code, &fake);
    if (lines[_i].want) {
        ck_assert_str_eq(fake_exchange_text(&fake.log), lines[_i].want);
    } else {
        ck_assert_int_eq(fake.log.len, strlen("3 a\r\x1b??b\n") - 1);
    }
}
END_TEST

static const row_t refused[] = {
    { "bytes", SAY("e.write(b'x')"), ETCL_ANSWER_FAILED, 500, NULL, "",
      "TypeError" },
    { "None", SAY("e.write(None)"), ETCL_ANSWER_FAILED, 500, NULL, "",
      "TypeError" },
    { "detach", SAY("e.detach()"), ETCL_ANSWER_FAILED, 500, NULL, "",
      "UnsupportedOperation" },
};

START_TEST(only_text_is_accepted)
{
    bridge_check_row(&refused[_i], NULL);
}
END_TEST

START_TEST(a_line_without_end_is_cut_into_pieces)
{
    WITH_FAKE(fake);

    bridge_get(SAY("for i in range(300): e.write('x' * 1000)"), &fake);
    ck_assert_uint_gt(fake.log.len, 300000);
    ck_assert_uint_lt(fake.log.len, 300100);
}
END_TEST

START_TEST(outside_a_request_text_goes_to_the_descriptor)
{
    char path[300], text[100] = "";
    int saved = dup(1), fd;

    snprintf(path, sizeof(path), "%s/out", bridge_folder());
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    fflush(stdout);
    dup2(fd, 1);
    bridge_run("print('to fd', 1)\nimport os\nos.system('echo from a child')");
    dup2(saved, 1);
    ck_assert_int_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
    ck_assert_str_eq(text, "to fd 1\nfrom a child\n");
    close(fd);
}
END_TEST

START_TEST(a_background_thread_writes_to_the_descriptor)
{
    WITH_FAKE(fake);
    char path[300], text[100] = "";
    int saved = dup(2), fd;

    snprintf(path, sizeof(path), "%s/err", bridge_folder());
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 2);
    bridge_get("import threading\n" SAY(
                   "t = threading.Thread(target=print, args=('bg',),"
                   " kwargs={'file': e}); t.start(); t.join()"),
               &fake);
    dup2(saved, 2);
    ck_assert_uint_eq(fake.log.len, 0);
    ck_assert_int_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
    ck_assert_int_eq(strncmp(text, "bg", 2), 0);
    close(fd);
}
END_TEST

START_TEST(an_apache_child_logs_lines_outside_a_request)
{
    bridge_config()->process_group = "";
    bridge_log();
    bridge_run("print('a', 'b')");
    ck_assert_str_eq(bridge_log(), "3 a b\n");
}
END_TEST

Suite *suite_stream(void)
{
    Suite *suite = suite_create("stream");
    TCase *tests = bridge_case(suite, "stream");

    add_rows(tests, each_line_is_one_entry_of_the_requests_log, lines);
    add_rows(tests, only_text_is_accepted, refused);
    tcase_add_test(tests, a_line_without_end_is_cut_into_pieces);
    tcase_add_test(tests, outside_a_request_text_goes_to_the_descriptor);
    tcase_add_test(tests, a_background_thread_writes_to_the_descriptor);
    tcase_add_test(tests, an_apache_child_logs_lines_outside_a_request);
    return suite;
}

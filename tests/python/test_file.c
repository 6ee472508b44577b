/* wsgi.file_wrapper: when a file leaves as a file, and when it is read. */

#include "bridge.h"

#include <stdio.h>
#include <string.h>

#define DATA                                                                   \
    "import io, os, tempfile, gzip\n"                                          \
    "folder = os.path.dirname(__file__)\n"                                     \
    "name = os.path.join(folder, 'data')\n"                                    \
    "with open(name, 'wb') as f: f.write(b'0123456789')\n"                     \
    "H = []\n"                                                                 \
    "def application(environ, start_response):\n"                              \
    "    start_response('200 OK', H)\n"                                        \
    "    return make(environ['wsgi.file_wrapper'])\n"

static const struct {
    const char *name;
    const char *code;
    int files;
    const char *body;
    const char *head;
    etcl_answer_end_t end;
} cases[] = {
    { "a file", DATA "def make(w): return w(open(name, 'rb'))\n", 1,
      "0123456789", "Content-Length: 10\n", ETCL_ANSWER_DONE },
    { "with a block size", DATA "def make(w): return w(open(name, 'rb'), 3)\n",
      1, "0123456789", "Content-Length: 10\n", ETCL_ANSWER_DONE },
    { "unbuffered",
      DATA "def make(w): return w(open(name, 'rb', buffering=0))\n", 1,
      "0123456789", "Content-Length: 10\n", ETCL_ANSWER_DONE },
    { "from its position",
      DATA "def make(w):\n    f = open(name, 'rb')\n    f.read(4)\n"
           "    return w(f)\n",
      1, "456789", "Content-Length: 6\n", ETCL_ANSWER_DONE },
    { "to Content-Length",
      DATA "H = [('Content-Length', '3')]\n"
           "def make(w):\n    f = open(name, 'rb')\n    f.seek(2)\n"
           "    return w(f)\n",
      1, "234", "Content-Length: 3\n", ETCL_ANSWER_DONE },
    { "never beyond its end",
      DATA "H = [('Content-Length', '60')]\n"
           "def make(w): return w(open(name, 'rb'))\n",
      1, "0123456789", "Content-Length: 60\n", ETCL_ANSWER_ABORTED },
    { "positioned behind its end",
      DATA "def make(w):\n    f = open(name, 'rb')\n    f.seek(99)\n"
           "    return w(f)\n",
      0, "", "Content-Length: 0\n", ETCL_ANSWER_DONE },
    { "empty",
      DATA "open(name + '0', 'wb')\n"
           "def make(w): return w(open(name + '0', 'rb'))\n",
      0, "", "Content-Length: 0\n", ETCL_ANSWER_DONE },
    { "a subclass of the wrapper",
      DATA "def make(w):\n    class W(w): pass\n"
           "    return W(open(name, 'rb'))\n",
      1, "0123456789", "Content-Length: 10\n", ETCL_ANSWER_DONE },
    { "a temporary file",
      DATA "def make(w):\n    f = tempfile.NamedTemporaryFile()\n"
           "    f.write(b'abc')\n    f.seek(0)\n    return w(f)\n",
      1, "abc", "Content-Length: 3\n", ETCL_ANSWER_DONE },
    { "an own iterator",
      DATA "def make(w):\n    class W(w):\n"
           "        def __iter__(self): return iter([b'own'])\n"
           "    return W(open(name, 'rb'))\n",
      0, "own", "200 OK\n", ETCL_ANSWER_DONE },
    { "BytesIO", DATA "def make(w): return w(io.BytesIO(b'abc'), 2)\n", 0,
      "abc", "200 OK\n", ETCL_ANSWER_DONE },
    { "only read()",
      DATA "class R:\n    blocks = [b'a', b'b', b'']\n"
           "    def read(self, size): return self.blocks.pop(0)\n"
           "def make(w): return w(R())\n",
      0, "ab", "200 OK\n", ETCL_ANSWER_DONE },
    { "gzip is read, not sent raw",
      DATA "with gzip.open(name + '.gz', 'wb') as f: f.write(b'plain')\n"
           "def make(w): return w(gzip.open(name + '.gz', 'rb'))\n",
      0, "plain", "200 OK\n", ETCL_ANSWER_DONE },
    { "a text file", DATA "def make(w): return w(open(name))\n", 0, "", NULL,
      ETCL_ANSWER_FAILED },
    { "a pipe",
      DATA "def make(w):\n    r, s = os.pipe()\n    os.write(s, b'abc')\n"
           "    os.close(s)\n    return w(open(r, 'rb'))\n",
      0, "abc", "200 OK\n", ETCL_ANSWER_DONE },
    { "a fileno of nonsense",
      DATA "class R:\n    blocks = [b'a', b'']\n"
           "    def fileno(self): return 10 ** 30\n"
           "    def tell(self): return 0\n"
           "    def read(self, size): return self.blocks.pop(0)\n"
           "def make(w): return w(R())\n",
      0, "a", "200 OK\n", ETCL_ANSWER_DONE },
    { "a tell of nonsense",
      DATA "class R:\n    blocks = [b'a', b'']\n"
           "    f = open(name)\n    fileno = f.fileno\n"
           "    def tell(self): return -1\n"
           "    def read(self, size): return self.blocks.pop(0)\n"
           "def make(w): return w(R())\n",
      0, "a", "200 OK\n", ETCL_ANSWER_DONE },
    { "a closed file",
      DATA "def make(w):\n    f = open(name, 'rb')\n    f.close()\n"
           "    return w(f)\n",
      0, "", NULL, ETCL_ANSWER_FAILED },
    { "behind write()",
      DATA "def application(e, s):\n    s('200 OK', [])(b'first ')\n"
           "    return e['wsgi.file_wrapper'](open(name, 'rb'))\n",
      0, "first 0123456789", "200 OK\n", ETCL_ANSWER_DONE },
    { "wrapped by middleware",
      DATA "def make(w): return (b for b in w(open(name, 'rb')))\n", 0,
      "0123456789", "200 OK\n", ETCL_ANSWER_DONE },
    { "without start_response",
      DATA "def application(e, s):\n"
           "    return e['wsgi.file_wrapper'](open(name, 'rb'))\n",
      0, "", NULL, ETCL_ANSWER_FAILED },
};

START_TEST(a_file_leaves_as_a_file_when_that_is_the_same)
{
    WITH_FAKE(fake);
    etcl_answer_t answer = bridge_get(cases[_i].code, &fake);
    const char *head = fake_exchange_text(&fake.head);

    if (fake.files != cases[_i].files || answer.end != cases[_i].end ||
        strcmp(fake_exchange_text(&fake.sent), cases[_i].body) != 0 ||
        (cases[_i].head ? !strstr(head, cases[_i].head) : *head != '\0')) {
        ck_abort_msg("%s: end %d, files %d\n%s\n%s\n%s", cases[_i].name,
                     answer.end, fake.files, head,
                     fake_exchange_text(&fake.sent),
                     fake_exchange_text(&fake.log));
    }
}
END_TEST

START_TEST(a_client_that_leaves_a_file_is_one_line)
{
    WITH_FAKE(fake);
    etcl_answer_t answer;

    fake.gone_after = 0;
    answer =
        bridge_get(DATA "def make(w): return w(open(name, 'rb'))\n", &fake);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_ABORTED);
    ck_assert_str_eq(fake_exchange_text(&fake.log),
                     "6 ETCL0316: the client closed the connection after 0 of "
                     "10 bytes of the response\n");
}
END_TEST

Suite *suite_file(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = bridge_case(suite, "file");

    add_rows(tests, a_file_leaves_as_a_file_when_that_is_the_same, cases);
    tcase_add_test(tests, a_client_that_leaves_a_file_is_one_line);
    return suite;
}

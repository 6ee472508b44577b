/* Nothing is left behind by any kind of request, and nothing breaks when
 * memory cannot be had. */

#include "etcl_python.h"
#include "bridge.h"

#include <stdio.h>

#define WARM 300
#define CALLS 3000

#define APP(body)                                                              \
    "def application(environ, start_response):\n"                              \
    "    start_response('200 OK', [('Content-Type', 'text/plain')])\n" body

static const struct {
    const char *name;
    const char *code;
    apr_int64_t gone_after;
    apr_status_t body_end;
} kinds[] = {
    { "hello", APP("    return [b'x']\n"), -1, APR_EOF },
    { "generator", APP("    yield b'x'\n    yield b'y'\n"), -1, APR_EOF },
    { "body", APP("    return [environ['wsgi.input'].read()]\n"), -1, APR_EOF },
    { "lines", APP("    return list(environ['wsgi.input'])\n"), -1, APR_EOF },
    { "broken body", APP("    return [environ['wsgi.input'].read()]\n"), -1,
      ETCL_ESHORT },
    { "client left", APP("    yield b'x'\n    yield b'y'\n"), 1, APR_EOF },
    { "raises", APP("    raise ValueError\n"), -1, APR_EOF },
    { "raises late", APP("    yield b'x'\n    raise ValueError\n"), -1,
      APR_EOF },
    { "str", APP("    return ['x']\n"), -1, APR_EOF },
    { "bad status", "def application(e, s): s('20', [])\n", -1, APR_EOF },
    { "bad header",
      "def application(e, s): s('200 OK', [('A', 'b'), ('C\\n', 'd')])\n", -1,
      APR_EOF },
    { "replaced head",
      "def application(e, s):\n    s('200 OK', [('A', 'b')])\n"
      "    s('201 OK', [('A', 'b')])\n    return []\n",
      -1, APR_EOF },
    { "exc_info",
      "import sys\ndef application(e, s):\n    try: 1 / 0\n"
      "    except ZeroDivisionError: s('500 x', [], sys.exc_info())\n"
      "    return []\n",
      -1, APR_EOF },
    { "write",
      "def application(e, s):\n    s('200 OK', [])(b'x')\n"
      "    return []\n",
      -1, APR_EOF },
    { "file",
      APP("    return environ['wsgi.file_wrapper'](open(__file__, 'rb'))\n"),
      -1, APR_EOF },
    { "log",
      APP("    print('x', file=environ['wsgi.errors'])\n"
          "    return []\n"),
      -1, APR_EOF },
    { "kept for one request",
      "kept = []\ndef application(e, s):\n    kept[:] = [e, s]\n"
      "    kept.append(s('200 OK', []))\n    return []\n",
      -1, APR_EOF },
    { "failing close",
      "class B(list):\n    def close(self): 1 / 0\n" APP(
          "    return B([b'x'])\n"),
      -1, APR_EOF },
    { "too little",
      "def application(e, s):\n    s('200 OK', [('Content-Length', '9')])\n"
      "    return [b'x']\n",
      -1, APR_EOF },
    { "no callable", "x = 1\n", -1, APR_EOF },
};

static int ask_kind(int kind, int number)
{
    char value[32];
    etcl_pair_t pairs[] = {
        { ETCL_KEY_HTTP_COOKIE, ETCL_SPAN("HTTP_COOKIE"), { value, 0 } },
        { 0, ETCL_SPAN("X_NUMBER"), { value, 0 } },
    };
    request_t request = { .code = kinds[kind].code,
                          .method = "POST",
                          .body_len = -1,
                          .pairs = pairs,
                          .pair_count = 1 + (apr_size_t)number % 2 };
    WITH_FAKE(fake);

    pairs[0].value.len = pairs[1].value.len =
        (apr_size_t)snprintf(value, sizeof(value), "n%d", number);
    fake.body = "one\ntwo\nthree";
    fake.body_len = 13;
    fake.body_end = kinds[kind].body_end;
    fake.gone_after = kinds[kind].gone_after;
    return bridge_ask(&request, &fake).end != ETCL_ANSWER_DONE;
}

/* Python's own count of blocks in use. */
static long blocks(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *function = PySys_GetObject("getallocatedblocks");
    PyObject *number;
    long count = 0;

    PyGC_Collect();
    number = PyObject_CallNoArgs(function);
    if (number) {
        count = PyLong_AsLong(number);
    }
    Py_XDECREF(number);
    PyGILState_Release(state);
    return count;
}

START_TEST(no_kind_of_request_leaves_anything_behind)
{
    long before, after;
    int i;

    for (i = 0; i < WARM; i++) {
        ask_kind(_i, i);
    }
    before = blocks();
    for (i = 0; i < CALLS; i++) {
        ask_kind(_i, i);
    }
    after = blocks();
    ck_assert_msg(after - before < CALLS / 10, "%s: %ld blocks more",
                  kinds[_i].name, after - before);
}
END_TEST

static PyObject *set_nomemory, *remove_hooks;

/* CPython's own tool for this, which not every installation has. From 3.12 on
 * traceback.format_exception itself crashes when memory is short, with no code
 * of ours in the process. */
static int find_tools(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *module = PyImport_ImportModule("_testcapi");

    if (module && PY_VERSION_HEX < 0x030c0000) {
        set_nomemory = PyObject_GetAttrString(module, "set_nomemory");
        remove_hooks = PyObject_GetAttrString(module, "remove_mem_hooks");
    }
    Py_XDECREF(module);
    PyErr_Clear();
    PyGILState_Release(state);
    return set_nomemory && remove_hooks;
}

static void call_tool(PyObject *tool, const char *format, int from, int to)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *args = Py_BuildValue(format, from, to);
    PyObject *result = args ? PyObject_CallObject(tool, args) : NULL;

    Py_XDECREF(result);
    Py_XDECREF(args);
    PyErr_Clear();
    PyGILState_Release(state);
}

/* The n-th allocation of Python fails, and so do some after it: an answer
 * comes, and the next request is served. */
static int fail_at(int kind, int number)
{
    WITH_FAKE(fake);
    etcl_answer_t answer;
    int failed;

    call_tool(set_nomemory, "(ii)", number, number + 3);
    failed = ask_kind(kind, 0);
    call_tool(remove_hooks, "()", 0, 0);
    answer = bridge_get(APP("    return [b'well']\n"), &fake);
    ck_assert_msg(answer.end == ETCL_ANSWER_DONE &&
                      !strcmp(fake_exchange_text(&fake.sent), "well"),
                  "after failure %d of %s: %s", number, kinds[kind].name,
                  fake_exchange_text(&fake.log));
    return failed;
}

START_TEST(any_allocation_may_fail)
{
    int number, failed = 0;

    if (!find_tools()) {
        puts("this Python cannot be tested with allocations that fail");
        return;
    }
    ask_kind(_i, 0);
    for (number = 1; number < 200; number++) {
        failed += fail_at(_i, number);
    }
    ck_assert_int_gt(failed, 0);
}
END_TEST

Suite *suite_memory(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = bridge_case(suite, "memory");

    add_rows(tests, no_kind_of_request_leaves_anything_behind, kinds);
    add_rows(tests, any_allocation_may_fail, kinds);
    return suite;
}

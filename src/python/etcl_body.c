/* Walks through the body of an answer. Files are for etcl_file.c; lengths and
 * cutting for etcl_response.c. */

#include "etcl_body.h"

#include "etcl_file.h"
#include "etcl_response.h"
#include "etcl_threads.h"

static int check_block(PyObject *block)
{
    if (PyBytes_CheckExact(block)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "the application's body must be made of bytes, not %.100s",
                 Py_TYPE(block)->tp_name);
    return -1;
}

static etcl_span_t span_of(PyObject *block)
{
    return (etcl_span_t){ PyBytes_AS_STRING(block),
                          (apr_size_t)PyBytes_GET_SIZE(block) };
}

/* Nothing is sent of a list that holds something wrong: it can still become a
 * clean error. */
static int measure(PyObject *body, apr_int64_t *total)
{
    Py_ssize_t i;

    *total = 0;
    for (i = 0; i < PySequence_Fast_GET_SIZE(body); i++) {
        PyObject *block = PySequence_Fast_GET_ITEM(body, i);

        if (check_block(block)) {
            return -1;
        }
        *total += PyBytes_GET_SIZE(block);
    }
    return 0;
}

/* The list may change while a write waits without the GIL. */
static int send_list(etcl_turn_t *turn, PyObject *body)
{
    apr_int64_t total;
    Py_ssize_t i;
    int rv = 0;

    if (measure(body, &total) || etcl_response_begin(turn, total)) {
        return -1;
    }
    for (i = 0; !rv && i < PySequence_Fast_GET_SIZE(body) &&
                !etcl_response_is_full(turn);
         i++) {
        PyObject *block = Py_NewRef(PySequence_Fast_GET_ITEM(body, i));

        rv = check_block(block);
        if (!rv && PyBytes_GET_SIZE(block)) {
            rv = etcl_response_send(turn, span_of(block), ETCL_WRITE_HOLD);
        }
        Py_DECREF(block);
    }
    return rv;
}

/* 1 when the iterable says that it has exactly one block. */
static int is_single(PyObject *body)
{
    Py_ssize_t len;

    if (!PySequence_Check(body)) {
        return 0;
    }
    len = PyObject_Size(body);
    if (len < 0) {
        PyErr_Clear();
    }
    return len == 1;
}

static int send_block(etcl_turn_t *turn, PyObject *block, int single)
{
    if (check_block(block)) {
        return -1;
    }
    if (!PyBytes_GET_SIZE(block)) {
        return 0;
    }
    if (single && !turn->response.begun &&
        etcl_response_begin(turn, PyBytes_GET_SIZE(block))) {
        return -1;
    }
    return etcl_response_send(
        turn, span_of(block),
        etcl_response_is_last(turn, PyBytes_GET_SIZE(block)) ? ETCL_WRITE_LAST
                                                             : 0);
}

static int send_iterable(etcl_turn_t *turn, PyObject *body)
{
    int single = is_single(body);
    PyObject *blocks, *block;
    int rv = 0;

    blocks = PyObject_GetIter(body);
    etcl_turn_check_fork(turn);
    if (!blocks) {
        return -1;
    }
    while (!rv && !etcl_response_is_full(turn)) {
        block = PyIter_Next(blocks);
        etcl_turn_check_fork(turn);
        if (!block) {
            rv = PyErr_Occurred() ? -1 : etcl_response_begin(turn, -1);
            break;
        }
        rv = send_block(turn, block, single);
        Py_DECREF(block);
    }
    Py_DECREF(blocks);
    return rv;
}

int etcl_body_send(etcl_turn_t *turn, PyObject *body)
{
    int rv;

    if (PyList_CheckExact(body) || PyTuple_CheckExact(body)) {
        return send_list(turn, body);
    }
    rv = etcl_file_send(turn, body);
    return rv == ETCL_FILE_NONE ? send_iterable(turn, body) : rv;
}

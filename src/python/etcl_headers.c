/* Status and headers as the application gives them, checked once, kept by
 * reference: nothing is copied before the exchange copies it. */

#include "etcl_headers.h"

#include "etcl_text.h"

#include <stdlib.h>

/* For a str that holds at least one such character. */
static void say_beyond_latin1(PyObject *text, const char *what)
{
    PyObject *reason = PyUnicode_FromFormat(
        "%s holds characters beyond Latin-1: %.200R", what, text);
    PyObject *error = NULL;
    Py_ssize_t at = 0;

    while (PyUnicode_READ_CHAR(text, at) <= 0xff) {
        at++;
    }
    if (reason) {
        error = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnnO",
                                      "latin-1", text, at, at + 1, reason);
        Py_DECREF(reason);
    }
    if (error) {
        PyErr_SetObject(PyExc_UnicodeEncodeError, error);
        Py_DECREF(error);
    }
}

/* The Latin-1 bytes of a str; they live as long as the str. */
static int latin1_span(PyObject *text, const char *what, etcl_span_t *out)
{
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s must be str, not %.100s", what,
                     Py_TYPE(text)->tp_name);
        return -1;
    }
    if (etcl_python_ready(text)) {
        return -1;
    }
    if (PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
        say_beyond_latin1(text, what);
        return -1;
    }
    out->ptr = (const char *)PyUnicode_1BYTE_DATA(text);
    out->len = (apr_size_t)PyUnicode_GET_LENGTH(text);
    return 0;
}

static int check_status(etcl_response_t *response, PyObject *text)
{
    etcl_span_t line;

    if (latin1_span(text, "status", &line)) {
        return -1;
    }
    if (etcl_text_status(line, &response->status, &response->reason)) {
        response->status = 0;
        PyErr_Format(PyExc_ValueError,
                     "status must be like '200 OK', three digits from 100 to "
                     "999, a space and a reason without control characters, "
                     "not %.200R",
                     text);
        return -1;
    }
    response->line = Py_NewRef(text);
    return 0;
}

static int check_length(etcl_response_t *response, PyObject *value,
                        etcl_span_t bytes)
{
    apr_int64_t length;

    if (etcl_text_length(bytes, &length)) {
        PyErr_Format(PyExc_ValueError,
                     "header 'Content-Length' must be a whole number, not "
                     "%.200R",
                     value);
        return -1;
    }
    if (response->promised >= 0) {
        PyErr_SetString(PyExc_ValueError,
                        "header 'Content-Length' is given twice");
        return -1;
    }
    response->promised = length;
    return 0;
}

static int check_header(etcl_response_t *response, const etcl_header_t *header,
                        PyObject *name, PyObject *value)
{
    if (!etcl_text_is_token(header->name)) {
        PyErr_Format(PyExc_ValueError,
                     "header name %.200R is not a field name: letters, "
                     "digits and !#$%%&'*+-.^_`|~ only",
                     name);
        return -1;
    }
    if (!etcl_text_is_value(header->value)) {
        PyErr_Format(PyExc_ValueError,
                     "value of header %.200R holds a control character: "
                     "%.200R",
                     name, value);
        return -1;
    }
    if (etcl_text_is_hop_by_hop(header->name)) {
        PyErr_Format(PyExc_ValueError,
                     "header %.200R is hop-by-hop: it belongs to the "
                     "connection, which is the server's (PEP 3333, \"Other "
                     "HTTP Features\"); remove it",
                     name);
        return -1;
    }
    if (etcl_text_same(header->name, ETCL_SPAN("Content-Length"))) {
        return check_length(response, value, header->value);
    }
    return 0;
}

static int add_header(etcl_response_t *response, PyObject *pair)
{
    etcl_header_t *header = &response->headers[response->count];
    PyObject *name, *value;

    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyTuple_Check(pair) ? PyExc_ValueError : PyExc_TypeError,
                     "a header must be a tuple (name, value), not %.200R",
                     pair);
        return -1;
    }
    name = PyTuple_GET_ITEM(pair, 0);
    value = PyTuple_GET_ITEM(pair, 1);
    if (latin1_span(name, "a header name", &header->name) ||
        latin1_span(value, "a header value", &header->value) ||
        check_header(response, header, name, value)) {
        return -1;
    }
    response->held[2 * response->count] = Py_NewRef(name);
    response->held[2 * response->count + 1] = Py_NewRef(value);
    response->count++;
    return 0;
}

/* One place more than headers: for a Content-Length of ours. */
static int make_room(etcl_response_t *response, apr_size_t count)
{
    etcl_header_t *headers;
    PyObject **held;

    if (count < response->size) {
        return 0;
    }
    headers = realloc(response->headers, (count + 1) * sizeof(*headers));
    if (headers) {
        response->headers = headers;
    }
    held = realloc(response->held, 2 * (count + 1) * sizeof(PyObject *));
    if (held) {
        response->held = held;
    }
    if (!headers || !held) {
        PyErr_NoMemory();
        return -1;
    }
    response->size = count + 1;
    return 0;
}

void etcl_headers_forget(etcl_response_t *response)
{
    response->status = 0;
    response->promised = -1;
    Py_CLEAR(response->line);
    while (response->count) {
        response->count--;
        Py_CLEAR(response->held[2 * response->count]);
        Py_CLEAR(response->held[2 * response->count + 1]);
    }
}

int etcl_headers_take(etcl_response_t *response, PyObject *status,
                      PyObject *headers)
{
    Py_ssize_t i;

    etcl_headers_forget(response);
    if (!PyList_CheckExact(headers)) {
        PyErr_Format(PyExc_TypeError, "headers must be a list, not %.100s",
                     Py_TYPE(headers)->tp_name);
        return -1;
    }
    if (make_room(response, (apr_size_t)PyList_GET_SIZE(headers)) ||
        check_status(response, status)) {
        goto refused;
    }
    for (i = 0; i < PyList_GET_SIZE(headers); i++) {
        if (add_header(response, PyList_GET_ITEM(headers, i))) {
            goto refused;
        }
    }
    return 0;
refused:
    etcl_headers_forget(response);
    return -1;
}

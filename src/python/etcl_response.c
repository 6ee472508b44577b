/* The head of an answer, and bytes behind it. Which bytes, and when, is the
 * business of etcl_body.c and of write(). */

#include "etcl_response.h"

#include "etcl_outside.h"
#include "etcl_text.h"
#include "etcl_threads.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* start_response and write alike. */
typedef struct {
    PyObject_HEAD
    etcl_turn_t *turn; /* NULL: the request is over */
    vectorcallfunc call;
} callable_t;

/* ---- checks of what the application gave */

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
        PyErr_Format(PyExc_ValueError,
                     "%s holds characters beyond Latin-1: %.200R", what, text);
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
        PyErr_Format(PyExc_TypeError,
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

/* ---- start_response */

void etcl_response_forget(etcl_turn_t *turn)
{
    etcl_response_t *response = &turn->response;

    response->status = 0;
    response->promised = -1;
    Py_CLEAR(response->line);
    while (response->count) {
        response->count--;
        Py_CLEAR(response->held[2 * response->count]);
        Py_CLEAR(response->held[2 * response->count + 1]);
    }
}

static int take_head(etcl_turn_t *turn, PyObject *status, PyObject *headers)
{
    etcl_response_t *response = &turn->response;
    Py_ssize_t i;

    etcl_response_forget(turn);
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
    etcl_response_forget(turn);
    return -1;
}

/* exc_info after output began: the application's own exception goes on. */
static void raise_again(PyObject *info)
{
    PyObject *type = PyTuple_GET_ITEM(info, 0);
    PyObject *value = PyTuple_GET_ITEM(info, 1);
    PyObject *trace = PyTuple_GET_ITEM(info, 2);

    if (!PyExceptionClass_Check(type)) {
        PyErr_SetString(PyExc_TypeError,
                        "exc_info must come from sys.exc_info()");
        return;
    }
    PyErr_Restore(Py_NewRef(type), value == Py_None ? NULL : Py_NewRef(value),
                  PyTraceBack_Check(trace) ? Py_NewRef(trace) : NULL);
}

/* Returns -1 with the Python error set when start_response is not allowed
 * now. */
static int check_again(const etcl_turn_t *turn, PyObject *info)
{
    if (info != Py_None &&
        (!PyTuple_Check(info) || PyTuple_GET_SIZE(info) != 3)) {
        PyErr_SetString(PyExc_TypeError,
                        "exc_info must be None or a tuple of three, as "
                        "sys.exc_info() gives it");
        return -1;
    }
    if (!turn->response.begun) {
        return 0;
    }
    if (info != Py_None) {
        raise_again(info);
    } else {
        PyErr_SetString(PyExc_RuntimeError,
                        "start_response() was called again after the headers "
                        "were sent");
    }
    return -1;
}

static etcl_turn_t *turn_of(callable_t *self, const char *what)
{
    if (!self->turn || !etcl_turn_is_mine(self->turn)) {
        PyErr_Format(PyExc_RuntimeError,
                     "%s was used after its request was finished", what);
        return NULL;
    }
    return self->turn;
}

static PyObject *make_callable(PyObject *type, etcl_turn_t *turn,
                               vectorcallfunc call)
{
    callable_t *self = PyObject_New(callable_t, (PyTypeObject *)type);

    if (self) {
        self->turn = turn;
        self->call = call;
    }
    return (PyObject *)self;
}

static PyObject *call_write(PyObject *callable, PyObject *const *args,
                            size_t nargsf, PyObject *names);

static PyObject *get_write(etcl_turn_t *turn)
{
    etcl_seat_t *seat = turn->seat;

    if (!seat->write) {
        seat->write = make_callable(seat->interp->write_type, turn, call_write);
        if (!seat->write) {
            return NULL;
        }
    }
    ((callable_t *)seat->write)->turn = turn;
    return Py_NewRef(seat->write);
}

static PyObject *call_start(PyObject *callable, PyObject *const *args,
                            size_t nargsf, PyObject *names)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    etcl_turn_t *turn = turn_of((callable_t *)callable, "start_response()");

    if (!turn) {
        return NULL;
    }
    if (count < 2 || count > 3 || (names && PyTuple_GET_SIZE(names))) {
        PyErr_SetString(PyExc_TypeError,
                        "start_response(status, headers, exc_info=None) takes "
                        "two or three positional arguments");
        return NULL;
    }
    if (check_again(turn, count == 3 ? args[2] : Py_None) ||
        take_head(turn, args[0], args[1])) {
        return NULL;
    }
    return get_write(turn);
}

/* ---- sending */

int etcl_response_is_bodiless(const etcl_turn_t *turn)
{
    int status = turn->response.status;

    return turn->bodiless || status == 204 || status == 304 ||
           (status && status < 200);
}

int etcl_response_is_full(const etcl_turn_t *turn)
{
    const etcl_response_t *response = &turn->response;

    return response->begun &&
           (etcl_response_is_bodiless(turn) ||
            (response->promised >= 0 && response->sent >= response->promised));
}

static PyObject *exception_for(const etcl_interp_t *in, apr_status_t rv)
{
    if (rv == ETCL_EGONE || rv == ETCL_ESHORT) {
        return in->tools.ClientDisconnected;
    }
    if (rv == ETCL_ESTALL || APR_STATUS_IS_TIMEUP(rv)) {
        return in->tools.ClientTimeout;
    }
    if (rv == ETCL_ELIMIT) {
        return in->tools.BodyTooLarge;
    }
    return PyExc_OSError;
}

static const char *words_for(apr_status_t rv)
{
    if (rv == ETCL_EGONE || rv == ETCL_ESHORT) {
        return "the client closed the connection";
    }
    if (rv == ETCL_ESTALL) {
        return "the client sent no data for too long,";
    }
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return "the client took no data for too long,";
    }
    if (rv == ETCL_ELIMIT) {
        return "the request body is above LimitRequestBody; read stopped";
    }
    return "the connection to the client failed";
}

/* "N of M bytes" of what was on its way: the answer, once it began. */
static void count_bytes(const etcl_turn_t *turn, char *out, size_t size)
{
    int answering = turn->response.begun;
    apr_int64_t done = answering ? turn->response.sent : turn->taken;
    apr_int64_t all =
        answering ? turn->response.promised : turn->call->body_len;
    const char *of = answering ? "response" : "request body";

    if (all >= 0) {
        snprintf(out, size, "%" PRId64 " of %" PRId64 " bytes of the %s",
                 (int64_t)done, (int64_t)all, of);
    } else {
        snprintf(out, size, "%" PRId64 " bytes of the %s", (int64_t)done, of);
    }
}

int etcl_response_raise(etcl_turn_t *turn, apr_status_t rv)
{
    char bytes[100];

    if (rv == ETCL_EDENIED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "used after its request was finished");
    } else if (rv == ETCL_EINVAL) {
        PyErr_SetString(PyExc_ValueError,
                        "the server did not accept status and headers");
    } else {
        count_bytes(turn, bytes, sizeof(bytes));
        PyErr_Format(exception_for(turn->seat->interp, rv), "%s after %s",
                     words_for(rv), bytes);
    }
    return -1;
}

/* An answer to HEAD says the length that GET would have, or nothing: an empty
 * list there is no statement (RFC 9110 section 8.6). */
static void state_length(etcl_turn_t *turn, apr_int64_t whole)
{
    etcl_response_t *response = &turn->response;
    int len;

    if (whole < 0 || response->promised >= 0 ||
        (etcl_response_is_bodiless(turn) && (!turn->bodiless || !whole))) {
        return;
    }
    if (turn->bodiless &&
        (response->status == 204 || response->status == 304)) {
        return;
    }
    len = snprintf(response->length, sizeof(response->length), "%" PRId64,
                   (int64_t)whole);
    response->headers[response->count] =
        (etcl_header_t){ ETCL_SPAN("Content-Length"),
                         { response->length, (apr_size_t)len } };
    response->promised = whole;
}

int etcl_response_begin(etcl_turn_t *turn, apr_int64_t whole)
{
    etcl_response_t *response = &turn->response;
    apr_size_t count = response->count;
    etcl_head_t head;
    apr_status_t rv;

    if (response->begun) {
        return 0;
    }
    if (!response->status) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the application gave its body without calling "
                        "start_response()");
        return -1;
    }
    if (response->promised < 0) {
        state_length(turn, whole);
        count += response->promised >= 0;
    }
    head = (etcl_head_t){ .status = response->status,
                          .reason = response->reason,
                          .headers = response->headers,
                          .header_count = count,
                          .content_length = response->promised };
    rv = etcl_outside_begin(turn, &head);
    if (rv) {
        return etcl_response_raise(turn, rv);
    }
    response->begun = 1;
    return 0;
}

int etcl_response_send(etcl_turn_t *turn, etcl_span_t block, unsigned int how)
{
    etcl_response_t *response = &turn->response;
    apr_status_t rv;

    if (etcl_response_begin(turn, -1)) {
        return -1;
    }
    if (etcl_response_is_bodiless(turn)) {
        return 0;
    }
    if (response->promised >= 0 &&
        (apr_int64_t)block.len > response->promised - response->sent) {
        block.len = (apr_size_t)(response->promised - response->sent);
        response->cut = 1;
    }
    if (!block.len) {
        return 0;
    }
    rv = etcl_outside_write(turn, block, how);
    if (rv) {
        return etcl_response_raise(turn, rv);
    }
    response->sent += (apr_int64_t)block.len;
    return 0;
}

/* ---- write */

static PyObject *call_write(PyObject *callable, PyObject *const *args,
                            size_t nargsf, PyObject *names)
{
    etcl_turn_t *turn = turn_of((callable_t *)callable, "write()");
    etcl_span_t block;

    if (!turn) {
        return NULL;
    }
    if (PyVectorcall_NARGS(nargsf) != 1 || (names && PyTuple_GET_SIZE(names)) ||
        !PyBytes_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "write() takes one bytes object");
        return NULL;
    }
    block = (etcl_span_t){ PyBytes_AS_STRING(args[0]),
                           (apr_size_t)PyBytes_GET_SIZE(args[0]) };
    if (!block.len) {
        Py_RETURN_NONE;
    }
    if (etcl_response_send(turn, block, 0)) {
        return NULL;
    }
    if (turn->response.cut) {
        PyErr_Format(PyExc_RuntimeError,
                     "write() beyond the Content-Length of %lld bytes",
                     (long long)turn->response.promised);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- objects */

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    { "__vectorcalloffset__", Py_T_PYSSIZET, offsetof(callable_t, call),
      Py_READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_dealloc, (void *)dealloc },
    { Py_tp_call, (void *)PyVectorcall_Call },
    { Py_tp_members, members },
    { 0, NULL },
};

static PyType_Spec start_spec = {
    .name = "mod_wsgi.StartResponse",
    .basicsize = sizeof(callable_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

static PyType_Spec write_spec = {
    .name = "mod_wsgi.Write",
    .basicsize = sizeof(callable_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int etcl_response_types(etcl_interp_t *interp)
{
    interp->start_type = PyType_FromSpec(&start_spec);
    interp->write_type = PyType_FromSpec(&write_spec);
    return interp->start_type && interp->write_type ? 0 : -1;
}

PyObject *etcl_response_make(etcl_turn_t *turn)
{
    etcl_seat_t *seat = turn->seat;

    if (!seat->start) {
        seat->start = make_callable(seat->interp->start_type, turn, call_start);
        if (!seat->start) {
            return NULL;
        }
    }
    ((callable_t *)seat->start)->turn = turn;
    return Py_NewRef(seat->start);
}

/* An object that nobody else has serves the next request. */
static void detach(PyObject **object)
{
    if (*object) {
        ((callable_t *)*object)->turn = NULL;
        if (Py_REFCNT(*object) > 1) {
            Py_CLEAR(*object);
        }
    }
}

void etcl_response_detach(etcl_seat_t *seat)
{
    detach(&seat->start);
    detach(&seat->write);
}

/* The two callables of a request. An object that nobody kept serves the next
 * request of its thread; one that somebody kept knows that it is over. */

#include "etcl_starter.h"

#include "etcl_event.h"
#include "etcl_headers.h"
#include "etcl_response.h"
#include "etcl_threads.h"

#include <stddef.h>

/* start_response and write alike. */
typedef struct {
    PyObject_HEAD
    etcl_turn_t *turn; /* NULL: the request is over */
    vectorcallfunc call;
} callable_t;

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
        PyErr_SetString(PyExc_RuntimeError,
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
        etcl_headers_take(&turn->response, args[0], args[1])) {
        return NULL;
    }
    if (etcl_event_wanted(turn) &&
        etcl_event_response(turn, args[0], args[1],
                            count == 3 ? args[2] : Py_None)) {
        return NULL;
    }
    return get_write(turn);
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

int etcl_starter_types(etcl_interp_t *interp)
{
    interp->start_type = PyType_FromSpec(&start_spec);
    interp->write_type = PyType_FromSpec(&write_spec);
    return interp->start_type && interp->write_type ? 0 : -1;
}

PyObject *etcl_starter_make(etcl_turn_t *turn)
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

void etcl_starter_detach(etcl_seat_t *seat)
{
    detach(&seat->start);
    detach(&seat->write);
}

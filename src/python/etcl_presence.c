/* The callable costs nothing before it is called. Where nobody kept it, it
 * serves the next request of its thread. */

#include "etcl_presence.h"

#include "etcl_outside.h"
#include "etcl_threads.h"

typedef struct {
    PyObject_HEAD
    etcl_turn_t *turn; /* NULL: the request is over */
} presence_t;

static PyObject *say_over(void)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "etcl.client_disconnected was called after its request "
                    "was finished");
    return NULL;
}

static PyObject *call(PyObject *object, PyObject *args, PyObject *names)
{
    const presence_t *self = (presence_t *)object;
    int gone;

    if (PyTuple_GET_SIZE(args) || (names && PyDict_GET_SIZE(names))) {
        PyErr_SetString(PyExc_TypeError,
                        "etcl.client_disconnected takes no argument");
        return NULL;
    }
    gone = self->turn ? etcl_outside_gone(self->turn) : -1;
    return gone < 0 ? say_over() : PyBool_FromLong(gone);
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    { Py_tp_dealloc, (void *)dealloc },
    { Py_tp_call, (void *)call },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "mod_wsgi.ClientDisconnectedCheck",
    .basicsize = sizeof(presence_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyObject *etcl_presence_type(void)
{
    return PyType_FromSpec(&spec);
}

PyObject *etcl_presence_make(etcl_turn_t *turn)
{
    etcl_seat_t *seat = turn->seat;

    if (!seat->presence) {
        seat->presence = (PyObject *)PyObject_New(
            presence_t, (PyTypeObject *)seat->interp->presence_type);
        if (!seat->presence) {
            return NULL;
        }
    }
    ((presence_t *)seat->presence)->turn = turn;
    return Py_NewRef(seat->presence);
}

void etcl_presence_detach(etcl_seat_t *seat)
{
    if (!seat->presence) {
        return;
    }
    ((presence_t *)seat->presence)->turn = NULL;
    if (Py_REFCNT(seat->presence) > 1) {
        Py_CLEAR(seat->presence);
    }
}

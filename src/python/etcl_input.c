/* The file-like object of the request body. Small reads and lines go through
 * a buffer that takes what there is; large reads go straight into the bytes
 * object. It knows nothing of framing: the exchange says where the end is. */

#include "etcl_input.h"

#include "etcl_outside.h"
#include "etcl_response.h"
#include "etcl_threads.h"

#include <stdlib.h>

#define BUFFER_BYTES 65536
#define FIRST_BYTES (1024 * 1024) /* of a read whose length is not known */

typedef struct {
    PyObject_HEAD
    etcl_turn_t *turn; /* NULL: the request is over */
    char *buffer;      /* malloc'ed at the first small read */
    apr_size_t begin;  /* unread bytes are buffer[begin .. end) */
    apr_size_t end;
    int ended; /* the exchange said so */
    int users; /* threads that read now: 0 or 1 */
} input_t;

/* ---- pieces */

static int check_open(const input_t *self)
{
    if (!self->turn || !etcl_turn_is_mine(self->turn)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "wsgi.input was used after its request was finished");
        return -1;
    }
    return 0;
}

/* Read from the exchange; *got is 0 at the end. -1 with the error set. The
 * request may end while a thread of the application waits here. */
static int pull(input_t *self, char *into, apr_size_t max, int whole,
                apr_size_t *got)
{
    etcl_turn_t *turn = self->turn;
    apr_status_t rv;

    *got = 0;
    if (self->ended || !max) {
        return 0;
    }
    rv = etcl_outside_read(turn, into, max, whole, got);
    if (check_open(self)) {
        return -1;
    }
    if (APR_STATUS_IS_EOF(rv)) {
        self->ended = 1;
        return 0;
    }
    return rv ? etcl_response_raise(turn, rv) : 0;
}

/* Bytes still to come: exact, or -1 for a body of unknown length. */
static apr_int64_t left(const input_t *self)
{
    const etcl_turn_t *turn = self->turn;

    if (self->ended) {
        return 0;
    }
    if (turn->call->body_len < 0) {
        return -1;
    }
    return turn->call->body_len > turn->taken
               ? turn->call->body_len - turn->taken
               : 0;
}

static apr_size_t buffered(const input_t *self)
{
    return self->end - self->begin;
}

static apr_size_t take(input_t *self, char *into, apr_size_t max)
{
    apr_size_t len = buffered(self) < max ? buffered(self) : max;

    if (len) {
        memcpy(into, self->buffer + self->begin, len);
        self->begin += len;
    }
    return len;
}

/* Get into the empty buffer what there is, at least one byte. */
static int fill(input_t *self)
{
    apr_size_t got;

    if (!self->buffer) {
        self->buffer = malloc(BUFFER_BYTES);
        if (!self->buffer) {
            PyErr_NoMemory();
            return -1;
        }
    }
    self->begin = self->end = 0;
    if (pull(self, self->buffer, BUFFER_BYTES, 0, &got)) {
        return -1;
    }
    self->end = got;
    return 0;
}

/* While one thread waits for bytes another one of the application may come. */
static int enter(input_t *self)
{
    if (check_open(self)) {
        return -1;
    }
    if (self->users) {
        PyErr_SetString(PyExc_RuntimeError,
                        "wsgi.input is read by two threads at once");
        return -1;
    }
    self->users++;
    return 0;
}

/* ---- read */

/* Whether the next bytes go straight to their place: they are many, or the
 * last of the body; otherwise the buffer takes what else there is. */
static int goes_straight(const input_t *self, apr_size_t room)
{
    apr_int64_t rest = left(self);

    return room >= BUFFER_BYTES || (rest >= 0 && (apr_size_t)rest <= room);
}

static int read_piece(input_t *self, char *into, apr_size_t room,
                      apr_size_t *got)
{
    if (goes_straight(self, room)) {
        return pull(self, into, room, 1, got);
    }
    if (fill(self)) {
        return -1;
    }
    *got = take(self, into, room);
    return 0;
}

/* At most `limit` bytes, fewer only at the end. Memory follows what arrives,
 * not what was announced. */
static PyObject *gather(input_t *self, apr_size_t limit)
{
    apr_size_t size = limit < FIRST_BYTES ? limit : FIRST_BYTES;
    PyObject *out = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    apr_size_t len, got;

    if (!out) {
        return NULL;
    }
    len = take(self, PyBytes_AS_STRING(out), size);
    while (len < limit && (buffered(self) || left(self))) {
        if (len == size) {
            size = limit / 2 < size ? limit : size * 2;
            if (_PyBytes_Resize(&out, (Py_ssize_t)size)) {
                return NULL;
            }
        }
        got = take(self, PyBytes_AS_STRING(out) + len, size - len);
        if (!got &&
            read_piece(self, PyBytes_AS_STRING(out) + len, size - len, &got)) {
            Py_DECREF(out);
            return NULL;
        }
        len += got;
    }
    if (len < size && _PyBytes_Resize(&out, (Py_ssize_t)len)) {
        return NULL;
    }
    return out;
}

/* The most that can come: `size`, or the rest of the body; -1: everything. */
static apr_size_t limit_of(const input_t *self, Py_ssize_t size)
{
    apr_int64_t rest = left(self);
    apr_size_t limit = size < 0 ? PY_SSIZE_T_MAX : (apr_size_t)size;

    if (rest >= 0 && (apr_uint64_t)rest + buffered(self) < limit) {
        limit = (apr_size_t)rest + buffered(self);
    }
    return limit;
}

/* The one argument of every method: None and negative mean no limit, -1. */
static int parse_size(PyObject *const *args, Py_ssize_t count, const char *what,
                      Py_ssize_t *out)
{
    *out = -1;
    if (count > 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most one argument", what);
        return -1;
    }
    if (count && args[0] != Py_None) {
        *out = PyNumber_AsSsize_t(args[0], NULL);
        if (*out == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

static PyObject *read_bytes(PyObject *object, PyObject *const *args,
                            Py_ssize_t count)
{
    input_t *self = (input_t *)object;
    PyObject *out;
    Py_ssize_t size;

    if (parse_size(args, count, "read", &size) || enter(self)) {
        return NULL;
    }
    out = gather(self, limit_of(self, size));
    self->users--;
    return out;
}

/* ---- lines */

/* How many buffered bytes belong to the line, at most `max`. */
static apr_size_t line_part(const input_t *self, apr_size_t max, int *whole)
{
    apr_size_t len = buffered(self) < max ? buffered(self) : max;
    const char *from = self->buffer + self->begin;
    const char *end = len ? memchr(from, '\n', len) : NULL;

    *whole = end || len == max;
    return end ? (apr_size_t)(end - from) + 1 : len;
}

/* CPython shares objects of one byte, which cannot grow: a line begins as a
 * fresh object. */
static int append(PyObject **line, const char *bytes, apr_size_t len)
{
    apr_size_t old = *line ? (apr_size_t)PyBytes_GET_SIZE(*line) : 0;

    if (!*line) {
        *line = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)len);
    } else if (len) {
        _PyBytes_Resize(line, (Py_ssize_t)(old + len));
    }
    if (!*line) {
        return -1;
    }
    if (len) {
        memcpy(PyBytes_AS_STRING(*line) + old, bytes, len);
    }
    return 0;
}

static PyObject *one_line(input_t *self, apr_size_t max)
{
    PyObject *line = NULL;
    int whole = 0;

    while (!whole) {
        apr_size_t len = line_part(self, max, &whole);

        if (append(&line, self->buffer + self->begin, len)) {
            return NULL;
        }
        self->begin += len;
        max -= len;
        if (!whole && !left(self)) {
            return line;
        }
        if (!whole && fill(self)) {
            Py_DECREF(line);
            return NULL;
        }
    }
    return line;
}

static PyObject *read_line(PyObject *object, PyObject *const *args,
                           Py_ssize_t count)
{
    input_t *self = (input_t *)object;
    PyObject *line;
    Py_ssize_t size;

    if (parse_size(args, count, "readline", &size) || enter(self)) {
        return NULL;
    }
    line = one_line(self, size < 0 ? PY_SSIZE_T_MAX : (apr_size_t)size);
    self->users--;
    return line;
}

static PyObject *next_line(PyObject *object)
{
    input_t *self = (input_t *)object;
    PyObject *line;

    if (enter(self)) {
        return NULL;
    }
    line = one_line(self, PY_SSIZE_T_MAX);
    self->users--;
    if (line && !PyBytes_GET_SIZE(line)) {
        Py_CLEAR(line);
    }
    return line;
}

static PyObject *read_lines(PyObject *object, PyObject *const *args,
                            Py_ssize_t count)
{
    PyObject *lines, *line;
    Py_ssize_t hint, total = 0;

    if (parse_size(args, count, "readlines", &hint)) {
        return NULL;
    }
    lines = PyList_New(0);
    while (lines && (hint <= 0 || total < hint)) {
        line = next_line(object);
        if (!line && PyErr_Occurred()) {
            Py_CLEAR(lines);
        }
        if (!line) {
            break;
        }
        total += PyBytes_GET_SIZE(line);
        if (PyList_Append(lines, line)) {
            Py_CLEAR(lines);
        }
        Py_DECREF(line);
    }
    return lines;
}

/* ---- object */

/* The stream is the server's: closing it changes nothing. */
static PyObject *close_input(PyObject *object, PyObject *unused)
{
    (void)object;
    (void)unused;
    Py_RETURN_NONE;
}

static void dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    free(((input_t *)object)->buffer);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    { "read", (PyCFunction)(void (*)(void))read_bytes, METH_FASTCALL, NULL },
    { "readline", (PyCFunction)(void (*)(void))read_line, METH_FASTCALL, NULL },
    { "readlines", (PyCFunction)(void (*)(void))read_lines, METH_FASTCALL,
      NULL },
    { "close", close_input, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_dealloc, (void *)dealloc },
    { Py_tp_iter, (void *)PyObject_SelfIter },
    { Py_tp_iternext, (void *)next_line },
    { Py_tp_methods, methods },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "mod_wsgi.Input",
    .basicsize = sizeof(input_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyObject *etcl_input_type(void)
{
    return PyType_FromSpec(&spec);
}

PyObject *etcl_input_make(etcl_turn_t *turn)
{
    etcl_seat_t *seat = turn->seat;
    input_t *self = (input_t *)seat->input;

    if (!self) {
        self = PyObject_New(input_t, (PyTypeObject *)seat->interp->input_type);
        if (!self) {
            return NULL;
        }
        self->buffer = NULL;
        seat->input = (PyObject *)self;
    }
    self->turn = turn;
    self->begin = self->end = 0;
    self->ended = !turn->call->body_len;
    self->users = 0;
    return Py_NewRef(seat->input);
}

void etcl_input_detach(etcl_seat_t *seat)
{
    input_t *self = (input_t *)seat->input;

    if (!self) {
        return;
    }
    self->turn = NULL;
    if (Py_REFCNT(self) > 1) {
        Py_CLEAR(seat->input);
    }
}

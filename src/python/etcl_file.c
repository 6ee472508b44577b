/* Finds out whether a FileWrapper can be sent by its descriptor. From the
 * position of the file to its end, or to Content-Length; never beyond the end
 * of the file, which would send content that nobody wrote. */

#include "etcl_file.h"

#include "etcl_outside.h"
#include "etcl_response.h"
#include "etcl_threads.h"

#include <sys/stat.h>

/* A subclass with its own iterator wants it to be used. */
static int is_wrapper(const etcl_interp_t *in, PyObject *body)
{
    PyTypeObject *type = Py_TYPE(body);
    PyObject *iter;
    int same;

    if (!PyType_IsSubtype(type, (PyTypeObject *)in->tools.FileWrapper)) {
        return 0;
    }
    iter = PyObject_GetAttr((PyObject *)type, in->words.iter);
    same = iter == in->file_iter;
    Py_XDECREF(iter);
    PyErr_Clear();
    return same;
}

/* Whether its descriptor tells what its read() would: GzipFile and text files
 * have one too. file_types is (FileIO, BufferedReader, BufferedRandom,
 * IOBase); what is none of io's own speaks for itself. */
static int is_plain(const etcl_interp_t *in, PyObject *file)
{
    PyObject *types = in->tools.file_types;
    PyObject *type = (PyObject *)Py_TYPE(file);
    PyObject *raw;
    int plain;

    if (!PyType_IsSubtype(Py_TYPE(file),
                          (PyTypeObject *)PyTuple_GET_ITEM(types, 3))) {
        return 1;
    }
    if (type == PyTuple_GET_ITEM(types, 0)) {
        return 1;
    }
    if (type != PyTuple_GET_ITEM(types, 1) &&
        type != PyTuple_GET_ITEM(types, 2)) {
        return 0;
    }
    raw = PyObject_GetAttr(file, in->words.raw);
    plain = raw && (PyObject *)Py_TYPE(raw) == PyTuple_GET_ITEM(types, 0);
    Py_XDECREF(raw);
    return plain;
}

static int call_number(PyObject *file, PyObject *method, long long *out)
{
    PyObject *value = PyObject_CallMethodNoArgs(file, method);
    int is_int = value && PyLong_CheckExact(value);

    if (is_int) {
        *out = PyLong_AsLongLong(value);
        is_int = !PyErr_Occurred();
    }
    Py_XDECREF(value);
    return is_int;
}

/* Where the file is, and how much of it there is. 0: it is none. */
static int locate(const etcl_interp_t *in, PyObject *file, int *fd,
                  apr_int64_t *offset, apr_int64_t *len)
{
    long long number, position;
    struct stat info;

    if (!is_plain(in, file) || !call_number(file, in->words.fileno, &number) ||
        number < 0 || number > INT_MAX || fstat((int)number, &info) ||
        !S_ISREG(info.st_mode) ||
        !call_number(file, in->words.tell, &position) || position < 0) {
        PyErr_Clear();
        return 0;
    }
    *fd = (int)number;
    *offset = position;
    *len = info.st_size > position ? info.st_size - position : 0;
    return 1;
}

static int send_part(etcl_turn_t *turn, int fd, apr_int64_t offset,
                     apr_int64_t len)
{
    etcl_response_t *response = &turn->response;
    apr_status_t rv;

    if (etcl_response_begin(turn, len)) {
        return -1;
    }
    if (len > response->promised) {
        len = response->promised;
    }
    if (etcl_response_is_bodiless(turn) || len <= 0) {
        return 0;
    }
    response->opened = 1;
    rv = etcl_outside_send_file(turn, fd, offset, len);
    if (rv) {
        return etcl_response_raise(turn, rv);
    }
    response->sent += len;
    return 0;
}

int etcl_file_send(etcl_turn_t *turn, PyObject *body)
{
    const etcl_interp_t *in = turn->seat->interp;
    PyObject *file;
    apr_int64_t offset, len;
    int fd, rv = ETCL_FILE_NONE;

    if (turn->response.begun || !is_wrapper(in, body)) {
        return ETCL_FILE_NONE;
    }
    file = PyObject_GetAttr(body, in->words.filelike);
    if (file && locate(in, file, &fd, &offset, &len)) {
        rv = send_part(turn, fd, offset, len);
    }
    if (rv == ETCL_FILE_NONE) {
        PyErr_Clear();
    }
    Py_XDECREF(file);
    return rv;
}

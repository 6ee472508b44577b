/* Asks auth, access and dispatch scripts. What their functions are called,
 * and what their results mean, is in verdicts.py; here the verdict becomes an
 * answer. */

#include "etcl_ask.h"

#include "etcl_environ.h"
#include "etcl_outside.h"
#include "etcl_script.h"
#include "etcl_threads.h"

/* (status, value) as verdicts.py gives it; NULL with the Python error set. */
static PyObject *get_verdict(etcl_turn_t *turn, PyObject *space)
{
    const etcl_call_t *call = turn->call;
    PyObject *environ = etcl_environ_plain(turn);
    PyObject *verdict = NULL;

    if (environ) {
        verdict = PyObject_CallFunction(
            turn->seat->interp->tools.ask, "iy#OO", (int)call->kind,
            call->target.script.ptr, (Py_ssize_t)call->target.script.len, space,
            environ);
        etcl_turn_check_fork(turn);
    }
    Py_XDECREF(environ);
    return verdict;
}

static apr_status_t give(etcl_turn_t *turn, int status, etcl_span_t value)
{
    etcl_head_t head = { .status = status,
                         .content_length = (apr_int64_t)value.len };
    apr_status_t rv = etcl_outside_begin(turn, &head);

    if (!rv && value.len) {
        rv = etcl_outside_write(turn, value, 0);
    }
    return rv;
}

static etcl_answer_t answer(etcl_turn_t *turn, PyObject *verdict)
{
    etcl_answer_t out = { ETCL_ANSWER_FAILED, 500, 0, -1 };
    etcl_span_t value;
    Py_ssize_t len;
    int status;

    if (verdict &&
        PyArg_ParseTuple(verdict, "iy#", &status, &value.ptr, &len)) {
        value.len = (apr_size_t)len;
        if (!give(turn, status, value)) {
            out = (etcl_answer_t){ ETCL_ANSWER_DONE, status, len, len };
        }
    }
    return out;
}

etcl_answer_t etcl_ask_script(etcl_turn_t *turn, apr_int64_t mtime_us)
{
    PyObject *space =
        etcl_script_space(turn->seat->interp, &turn->call->target, mtime_us);
    PyObject *verdict = space ? get_verdict(turn, space) : NULL;
    etcl_answer_t out = answer(turn, verdict);

    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(NULL);
    }
    Py_XDECREF(verdict);
    Py_XDECREF(space);
    return out;
}

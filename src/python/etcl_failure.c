/* Decides what an error is called in the log and what the client gets for it.
 * The traceback's text comes from failures.py. */

#include "etcl_failure.h"

#include "etcl_event.h"
#include "etcl_interrupt.h"
#include "etcl_response.h"
#include "etcl_say.h"
#include "etcl_threads.h"

#include <inttypes.h>
#include <stdio.h>

#define CHAIN_MAX 10

static int is_client_error(const etcl_interp_t *in, PyObject *error)
{
    return PyErr_GivenExceptionMatches(error, in->tools.ClientDisconnected) ||
           PyErr_GivenExceptionMatches(error, in->tools.ClientTimeout) ||
           PyErr_GivenExceptionMatches(error, in->tools.BodyTooLarge);
}

/* Frameworks wrap our exception in one of their own: look at what it was
 * raised from. New reference, or NULL. */
static PyObject *find_client_error(const etcl_turn_t *turn, PyObject *error)
{
    PyObject *next;
    int i;

    if (!turn->broken) {
        return NULL;
    }
    Py_INCREF(error);
    for (i = 0; error && i < CHAIN_MAX; i++) {
        if (is_client_error(turn->seat->interp, error)) {
            return error;
        }
        next = PyException_GetCause(error);
        if (!next) {
            next = PyException_GetContext(error);
        }
        Py_SETREF(error, next);
    }
    Py_XDECREF(error);
    return NULL;
}

static int status_for(const etcl_turn_t *turn)
{
    if (turn->broken == ETCL_ESTALL) {
        return 408;
    }
    if (turn->broken == ETCL_ELIMIT) {
        return 413;
    }
    return turn->broken == ETCL_ESHORT || turn->broken == ETCL_EGONE ? 400
                                                                     : 500;
}

static void say_client_error(etcl_turn_t *turn, PyObject *error)
{
    PyObject *text = PyObject_Str(error);
    const char *bytes = text ? PyUnicode_AsUTF8(text) : NULL;

    etcl_say_turn(turn, ETCL_LOG_INFO, "ETCL0316: %s",
                  bytes ? bytes : "the client went away");
    Py_XDECREF(text);
    PyErr_Clear();
}

/* "ETCLnnnn: title" and below it the traceback, as one entry. */
static void say_error(etcl_turn_t *turn, const char *title, PyObject *error)
{
    PyObject *text = PyObject_CallFunction(turn->seat->interp->tools.describe,
                                           "sO", title, error);
    Py_ssize_t len = 0;
    const char *bytes =
        text && PyBytes_Check(text) ? PyBytes_AS_STRING(text) : NULL;

    if (bytes) {
        len = PyBytes_GET_SIZE(text);
        etcl_say_text(turn, ETCL_LOG_ERR,
                      (etcl_span_t){ bytes, (apr_size_t)len });
    } else {
        etcl_say_turn(turn, ETCL_LOG_ERR,
                      "%s: %.200s (no traceback: out of "
                      "memory?)",
                      title, Py_TYPE(error)->tp_name);
    }
    Py_XDECREF(text);
    PyErr_Clear();
}

/* The application may have caught it: then it is no failure at all. */
static int is_timeout(const etcl_turn_t *turn, PyObject *error)
{
    return turn->state == ETCL_TURN_INTERRUPTED &&
           PyErr_GivenExceptionMatches(
               error, turn->seat->interp->tools.RequestTimeout);
}

static void write_interrupted(const etcl_turn_t *turn, char *out, size_t size)
{
    snprintf(out, size,
             "ETCL0332: the application in %.*s was interrupted after %" PRId64
             " bytes of its answer, because it ran longer than request-timeout "
             "allows",
             (int)turn->call->target.script.len, turn->call->target.script.ptr,
             (int64_t)turn->response.sent);
}

static void write_title(const etcl_turn_t *turn, int is_exit, char *out,
                        size_t size)
{
    const etcl_response_t *response = &turn->response;
    int path = (int)turn->call->target.script.len;
    const char *script = turn->call->target.script.ptr;
    const char *what = is_exit ? "called sys.exit()" : "raised an exception";

    if (!response->sent) {
        snprintf(out, size, "%s: the application in %.*s %s",
                 is_exit ? "ETCL0315" : "ETCL0313", path, script, what);
    } else {
        snprintf(out, size,
                 "%s: the application in %.*s %s after %" PRId64
                 " bytes of its answer; the client sees it break off",
                 is_exit ? "ETCL0315" : "ETCL0314", path, script, what,
                 (int64_t)response->sent);
    }
}

int etcl_failure_report(etcl_turn_t *turn)
{
    PyObject *error = etcl_python_catch();
    PyObject *client;
    char title[ETCL_SAY_MAX / 2];
    int late;

    if (!error) {
        return 500;
    }
    etcl_interrupt_hold(turn);
    late = is_timeout(turn, error);
    if (etcl_event_wanted(turn)) {
        etcl_event_exception(turn, error);
    }
    client = find_client_error(turn, error);
    if (client) {
        say_client_error(turn, client);
        Py_DECREF(client);
        Py_DECREF(error);
        return status_for(turn);
    }
    if (late) {
        write_interrupted(turn, title, sizeof(title));
    } else {
        write_title(turn, PyErr_GivenExceptionMatches(error, PyExc_SystemExit),
                    title, sizeof(title));
    }
    say_error(turn, title, error);
    Py_DECREF(error);
    if (turn->broken) {
        return status_for(turn);
    }
    return late ? 504 : 500;
}

void etcl_failure_report_close(etcl_turn_t *turn)
{
    PyObject *error = etcl_python_catch();
    PyObject *client = error ? find_client_error(turn, error) : NULL;

    if (client) {
        say_client_error(turn, client);
    } else if (error) {
        say_error(turn, "ETCL0319: close() of the response failed", error);
    }
    Py_XDECREF(client);
    Py_XDECREF(error);
}

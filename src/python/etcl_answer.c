/* One call, one answer: enter Python, get the application, call it, send what
 * it gives, close it, leave. Each step is a room of its own. */

#include "etcl_answer.h"

#include "etcl_ask.h"
#include "etcl_body.h"
#include "etcl_clock.h"
#include "etcl_dump.h"
#include "etcl_environ.h"
#include "etcl_event.h"
#include "etcl_failure.h"
#include "etcl_input.h"
#include "etcl_interp.h"
#include "etcl_interrupt.h"
#include "etcl_outside.h"
#include "etcl_response.h"
#include "etcl_say.h"
#include "etcl_script.h"
#include "etcl_starter.h"
#include "etcl_start.h"
#include "etcl_stop.h"
#include "etcl_threads.h"

#include <inttypes.h>

/* HEAD by its name: environ has it, and Apache does not say it elsewhere. */
static int is_head(const etcl_turn_t *turn)
{
    return etcl_span_is(etcl_turn_value(turn, ETCL_KEY_REQUEST_METHOD), "HEAD");
}

static PyObject *call_wsgi(etcl_turn_t *turn, PyObject *application,
                           PyObject *environ, PyObject *start)
{
    PyObject *args[3] = { NULL, environ, start };
    PyObject *other = NULL;
    PyObject *body;

    if (etcl_event_wanted(turn)) {
        other = etcl_event_start(turn, application, environ);
        if (!other) {
            return NULL;
        }
        application = other;
    }
    body = PyObject_Vectorcall(application, args + 1,
                               2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    etcl_turn_check_fork(turn);
    Py_XDECREF(other);
    return body;
}

/* application(environ, start_response): the iterable, or NULL with the
 * Python error set. */
static PyObject *call_application(etcl_turn_t *turn, PyObject *application)
{
    PyObject *input = etcl_input_make(turn);
    PyObject *start = input ? etcl_starter_make(turn) : NULL;
    PyObject *environ = start ? etcl_environ_make(turn, input) : NULL;
    PyObject *body = NULL;

    if (environ) {
        body = call_wsgi(turn, application, environ, start);
    }
    Py_XDECREF(environ);
    Py_XDECREF(start);
    Py_XDECREF(input);
    return body;
}

/* The application's close(), once, whatever happened before. */
static void close_body(etcl_turn_t *turn, PyObject *body)
{
    PyObject *close, *result;

    if (PyList_CheckExact(body) || PyTuple_CheckExact(body)) {
        return;
    }
    close = PyObject_GetAttr(body, turn->seat->interp->words.close);
    if (close) {
        result = PyObject_CallNoArgs(close);
        etcl_turn_check_fork(turn);
        Py_XDECREF(result);
        Py_DECREF(close);
    } else if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    if (PyErr_Occurred()) {
        etcl_failure_report_close(turn);
    }
}

/* Lengths that do not fit what Content-Length promised. */
static int judge_length(etcl_turn_t *turn)
{
    const etcl_response_t *response = &turn->response;

    if (response->cut) {
        etcl_say_turn(turn, ETCL_LOG_WARNING,
                      "ETCL0318: the application in %.*s gave more than the "
                      "%" PRId64 " bytes that its Content-Length promised: "
                      "the rest was cut",
                      (int)turn->call->target.script.len,
                      turn->call->target.script.ptr,
                      (int64_t)response->promised);
    }
    if (etcl_response_is_bodiless(turn) ||
        response->sent >= response->promised) {
        return 1;
    }
    etcl_say_turn(turn, ETCL_LOG_ERR,
                  "ETCL0317: the application in %.*s promised %" PRId64
                  " bytes by Content-Length and gave %" PRId64
                  ": the connection is closed",
                  (int)turn->call->target.script.len,
                  turn->call->target.script.ptr, (int64_t)response->promised,
                  (int64_t)response->sent);
    return 0;
}

static etcl_answer_t fail(const etcl_turn_t *turn, int status)
{
    const etcl_response_t *response = &turn->response;

    return (etcl_answer_t){ .end = response->opened ? ETCL_ANSWER_ABORTED
                                                    : ETCL_ANSWER_FAILED,
                            .status = status,
                            .sent = response->sent,
                            .promised = response->promised };
}

/* An answer that is complete stays so when the application fails behind it,
 * by a write() beyond the end for example. */
static etcl_answer_t finish(etcl_turn_t *turn, int ok, int status)
{
    const etcl_response_t *response = &turn->response;
    int complete = response->promised >= 0 && etcl_response_is_full(turn);

    if (turn->broken || (!ok && (!complete || !response->opened)) ||
        !judge_length(turn)) {
        return fail(turn, status);
    }
    return (etcl_answer_t){ .end = ETCL_ANSWER_DONE,
                            .status = response->status,
                            .sent = response->sent,
                            .promised = response->promised };
}

static etcl_answer_t run(etcl_turn_t *turn, PyObject *application)
{
    PyObject *body = call_application(turn, application);
    int status = 500;
    int ok = body && !etcl_body_send(turn, body);

    if (!ok) {
        status = etcl_failure_report(turn);
    }
    if (body) {
        close_body(turn, body);
        Py_DECREF(body);
    }
    etcl_interrupt_end(turn);
    return finish(turn, ok, status);
}

/* What the answer is to those who count: one that never began is an error. */
static void settle(etcl_turn_t *turn, const etcl_answer_t *answer)
{
    int failed = answer->end == ETCL_ANSWER_FAILED;
    int status = failed ? answer->status : turn->response.status;

    etcl_meter_end(turn, status);
    *turn->seat->busy_us += turn->meter.end_us - turn->meter.start_us;
    if (etcl_event_wanted(turn)) {
        etcl_event_finish(turn, status);
    }
}

/* What a worker asks of itself is nobody's request. */
static etcl_answer_t run_measured(etcl_turn_t *turn, PyObject *application,
                                  apr_int64_t gate_us)
{
    int counts = !(turn->call->flags & ETCL_CALL_WARM_UP);
    etcl_answer_t answer;

    etcl_meter_begin(
        &turn->meter,
        counts && (etcl_meter_recording() || etcl_event_wanted(turn)), gate_us);
    answer = run(turn, application);
    if (counts && turn->meter.start_us) {
        settle(turn, &answer);
    }
    return answer;
}

/* Only an Apache child loads a changed script by itself; a daemon's
 * supervisor replaces the whole worker. */
static apr_int64_t mtime_to_check(const etcl_call_t *call)
{
    if ((call->flags & ETCL_CALL_RELOAD) &&
        !*etcl_start_config()->process_group) {
        return etcl_script_mtime(call->target.script);
    }
    return -1;
}

/* "requested resource" of reload_required(). */
static etcl_span_t resource_of(const etcl_turn_t *turn)
{
    etcl_span_t name = etcl_turn_value(turn, ETCL_KEY_SCRIPT_FILENAME);

    return name.len ? name : turn->call->target.script;
}

static etcl_answer_t answer_wsgi(etcl_turn_t *turn, apr_int64_t mtime_us,
                                 apr_int64_t gate_us)
{
    etcl_target_t target = turn->call->target;
    PyObject *application;
    etcl_answer_t answer;

    target.callable = turn->callable;
    application = etcl_script_get(turn->seat->interp, &target, mtime_us);
    etcl_turn_check_fork(turn);
    if (!application) {
        return fail(turn, 500);
    }
    answer = run_measured(turn, application, gate_us);
    Py_DECREF(application);
    return answer;
}

static etcl_answer_t take_turn(etcl_turn_t *turn, apr_int64_t mtime_us,
                               apr_int64_t gate_us)
{
    const etcl_call_t *call = turn->call;
    etcl_answer_t answer;

    if (call->flags & ETCL_CALL_RELOAD) {
        etcl_script_poll(turn->seat->interp, &call->target, resource_of(turn));
    }
    if (call->kind == ETCL_CALL_WSGI) {
        return answer_wsgi(turn, mtime_us, gate_us);
    }
    answer = etcl_ask_script(turn, mtime_us);
    etcl_interrupt_end(turn);
    return answer;
}

static etcl_answer_t refuse(int status)
{
    return (etcl_answer_t){ ETCL_ANSWER_FAILED, status, 0, -1 };
}

etcl_answer_t etcl_answer_call(const etcl_call_t *call, etcl_exchange_t *x)
{
    etcl_answer_t answer;
    etcl_interp_t *interp;
    etcl_seat_t *seat;
    etcl_turn_t *turn;
    apr_int64_t mtime_us, gate_us;

    if (call->kind < ETCL_CALL_WSGI || call->kind > ETCL_CALL_DISPATCH) {
        etcl_say_process(ETCL_LOG_ERR,
                         "ETCL0321: kind %d is not a call that this runtime "
                         "knows: install mod_etcl.so, etcld and the runtime "
                         "of one version",
                         (int)call->kind);
        return refuse(500);
    }
    mtime_us = mtime_to_check(call);
    interp = etcl_stop_began() ? NULL : etcl_interp_get(call->target.app_group);
    gate_us = etcl_meter_recording() ? etcl_clock_us() : 0;
    seat = interp ? etcl_threads_enter(interp) : NULL;
    if (!seat) {
        return refuse(503);
    }
    gate_us = gate_us ? etcl_clock_us() - gate_us : 0;
    turn = etcl_threads_turn();
    etcl_turn_begin(turn, call, x, seat);
    turn->is_head = is_head(turn);
    etcl_threads_serve(x, interp);
    answer = take_turn(turn, mtime_us, gate_us);
    etcl_turn_end(turn);
    etcl_threads_serve(NULL, NULL);
    etcl_outside_leave();
    return answer;
}

/* The main interpreter of a service is that of its one script. */
static void name_service(const etcl_interp_t *interp, etcl_span_t name)
{
    PyObject *done = PyObject_CallFunction(interp->tools.name_group, "s#",
                                           name.ptr, (Py_ssize_t)name.len);

    Py_XDECREF(done);
    if (!done) {
        PyErr_WriteUnraisable(NULL);
    }
}

apr_status_t etcl_answer_load(const etcl_target_t *target)
{
    etcl_interp_t *interp = etcl_interp_get(target->app_group);
    PyObject *application;

    if (!interp || !etcl_threads_enter(interp)) {
        return APR_EGENERAL;
    }
    if (etcl_start_config()->service) {
        name_service(interp, target->app_group);
    }
    application = etcl_script_get(interp, target, -1);
    Py_XDECREF(application);
    etcl_outside_leave();
    return application ? APR_SUCCESS : APR_EGENERAL;
}

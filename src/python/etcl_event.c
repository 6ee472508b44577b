/* Puts together what events of a request say. Who is told, and what becomes
 * of his errors, is in events.py. */

#include "etcl_event.h"

#include "etcl_start.h"

static PyObject *latin1(etcl_span_t text)
{
    return PyUnicode_DecodeLatin1(text.ptr, (Py_ssize_t)text.len, NULL);
}

/* The dict of the turn, made when it is first asked for. Borrowed. */
static PyObject *data_of(etcl_turn_t *turn)
{
    if (!turn->data) {
        turn->data = PyDict_New();
    }
    return turn->data;
}

/* Takes over `value`; -1 with the Python error set. */
static int put(PyObject *dict, const char *key, PyObject *value)
{
    int rv = value ? PyDict_SetItemString(dict, key, value) : -1;

    Py_XDECREF(value);
    return rv;
}

static double seconds(apr_int64_t time_us)
{
    return (double)time_us / 1e6;
}

/* What every event of a request says. New dict, or NULL. */
static PyObject *begin_event(etcl_turn_t *turn)
{
    PyObject *data = data_of(turn);

    if (!data) {
        return NULL;
    }
    return Py_BuildValue("{sNsO}", "request_id",
                         latin1(etcl_turn_value(turn, ETCL_KEY_MW_REQUEST_ID)),
                         "request_data", data);
}

static int put_times(PyObject *event, const etcl_turn_t *turn)
{
    const etcl_call_t *call = turn->call;
    int remote = *etcl_start_config()->process_group != '\0';

    if (put(event, "thread_id", PyLong_FromLong(turn->seat->thread_id)) ||
        put(event, "server_pid",
            latin1(etcl_turn_value(turn, ETCL_KEY_MW_SERVER_PID))) ||
        put(event, "request_start",
            PyFloat_FromDouble(seconds(call->request_start_us))) ||
        put(event, "queue_start",
            PyFloat_FromDouble(seconds(call->queue_start_us)))) {
        return -1;
    }
    if (put(event, "daemon_start",
            PyFloat_FromDouble(seconds(call->daemon_start_us))) ||
        put(event, "application_start",
            PyFloat_FromDouble(seconds(turn->meter.start_us))) ||
        put(event, "daemon_connects", PyLong_FromLong(remote))) {
        return -1;
    }
    return put(event, "daemon_restarts", PyLong_FromLong(0));
}

/* Takes over `event`, which may be NULL. Returns it as subscribers left it:
 * a new reference, or NULL with the Python error set. */
static PyObject *publish(etcl_turn_t *turn, const char *name, PyObject *event)
{
    const etcl_interp_t *in = turn->seat->interp;
    PyObject *after = NULL;

    if (event) {
        after = PyObject_CallFunction(in->tools.publish, "sOO", name, event,
                                      in->tools.event_callbacks);
    }
    Py_XDECREF(event);
    return after;
}

static void publish_quietly(etcl_turn_t *turn, const char *name,
                            PyObject *event)
{
    PyObject *after = publish(turn, name, event);

    Py_XDECREF(after);
    if (!after) {
        PyErr_WriteUnraisable(NULL);
    }
}

PyObject *etcl_event_start(etcl_turn_t *turn, PyObject *application,
                           PyObject *environ)
{
    PyObject *event = begin_event(turn);
    PyObject *wanted;

    if (event && (put_times(event, turn) ||
                  put(event, "application_object", Py_NewRef(application)) ||
                  put(event, "callable_object", latin1(turn->callable)) ||
                  put(event, "request_environ", Py_NewRef(environ)))) {
        Py_CLEAR(event);
    }
    event = publish(turn, "request_started", event);
    if (!event) {
        return NULL;
    }
    wanted = PyDict_GetItemString(event, "application_object");
    wanted = Py_NewRef(wanted ? wanted : application);
    Py_DECREF(event);
    return wanted;
}

int etcl_event_response(etcl_turn_t *turn, PyObject *status, PyObject *headers,
                        PyObject *info)
{
    PyObject *event = begin_event(turn);

    if (event && (put(event, "response_status", Py_NewRef(status)) ||
                  put(event, "response_headers", Py_NewRef(headers)) ||
                  put(event, "exception_info", Py_NewRef(info)))) {
        Py_CLEAR(event);
    }
    event = publish(turn, "response_started", event);
    Py_XDECREF(event);
    return event ? 0 : -1;
}

void etcl_event_exception(etcl_turn_t *turn, PyObject *error)
{
    PyObject *trace = PyException_GetTraceback(error);
    PyObject *event = begin_event(turn);

    if (event && put(event, "exception_info",
                     Py_BuildValue("(OOO)", Py_TYPE(error), error,
                                   trace ? trace : Py_None))) {
        Py_CLEAR(event);
    }
    Py_XDECREF(trace);
    publish_quietly(turn, "request_exception", event);
}

static int put_work(PyObject *event, const etcl_turn_t *turn)
{
    const etcl_meter_t *meter = &turn->meter;

    if (put(event, "input_reads", PyLong_FromLong(meter->reads)) ||
        put(event, "input_length", PyLong_FromLongLong(turn->taken)) ||
        put(event, "input_time",
            PyFloat_FromDouble(seconds(meter->input_us))) ||
        put(event, "output_writes", PyLong_FromLong(meter->writes)) ||
        put(event, "output_length", PyLong_FromLongLong(turn->response.sent))) {
        return -1;
    }
    return put(event, "output_time",
               PyFloat_FromDouble(seconds(meter->output_us)));
}

static int put_cost(PyObject *event, const etcl_meter_t *meter)
{
    if (put(event, "cpu_user_time",
            PyFloat_FromDouble(seconds(meter->user_us))) ||
        put(event, "cpu_system_time",
            PyFloat_FromDouble(seconds(meter->system_us))) ||
        put(event, "cpu_time",
            PyFloat_FromDouble(seconds(meter->user_us + meter->system_us))) ||
        put(event, "gil_wait_time",
            PyFloat_FromDouble(seconds(meter->gate_us)))) {
        return -1;
    }
    return put(event, "gil_wait_count", PyLong_FromLong(meter->gates));
}

void etcl_event_finish(etcl_turn_t *turn, int status)
{
    const etcl_meter_t *meter = &turn->meter;
    PyObject *event = begin_event(turn);

    if (event &&
        (put_times(event, turn) || put_work(event, turn) ||
         put_cost(event, meter) ||
         put(event, "application_finish",
             PyFloat_FromDouble(seconds(meter->end_us))) ||
         put(event, "application_time",
             PyFloat_FromDouble(seconds(meter->end_us - meter->start_us))) ||
         put(event, "status", PyLong_FromLong(status)))) {
        Py_CLEAR(event);
    }
    publish_quietly(turn, "request_finished", event);
}

/* ---- for module.py */

static PyObject *request_data(PyObject *module, PyObject *unused)
{
    etcl_turn_t *turn = etcl_threads_current();

    if (!turn) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this thread runs no request: there is no "
                        "request_data()");
        return NULL;
    }
    return Py_XNewRef(data_of(turn));
}

/* running(interpreter): {request id: request_data} of its requests. */
static PyObject *running(PyObject *module, PyObject *handle)
{
    const etcl_interp_t *in = PyCapsule_GetPointer(handle, "etcl_interp_t");
    PyObject *found = in ? PyDict_New() : NULL;
    etcl_turn_t *turn;
    int rv = 0;

    for (turn = found ? in->running : NULL; turn && !rv; turn = turn->next) {
        PyObject *data = data_of(turn);
        PyObject *key = latin1(etcl_turn_value(turn, ETCL_KEY_MW_REQUEST_ID));

        rv = data && key ? PyDict_SetItem(found, key, data) : -1;
        Py_XDECREF(key);
    }
    if (rv) {
        Py_CLEAR(found);
    }
    return found;
}

PyMethodDef etcl_event_methods[] = {
    { "request_data", request_data, METH_NOARGS, NULL },
    { "running", running, METH_O, NULL },
    { NULL, NULL, 0, NULL },
};

/* Makes environ. Values are compared with those of the thread's last request
 * before anything is decoded, so that the constant part of a request costs
 * neither a str nor a dict entry. It invents no variable: CGI's come with the
 * call. */

#include "etcl_environ.h"

#include "etcl_clock.h"
#include "etcl_presence.h"
#include "etcl_start.h"
#include "etcl_text.h"
#include "etcl_threads.h"

static int put(PyObject *dict, const char *key, PyObject *value)
{
    int failed = !value || PyDict_SetItemString(dict, key, value);

    Py_XDECREF(value);
    return failed ? -1 : 0;
}

static int put_none(PyObject *dict, PyObject *key)
{
    return PyDict_SetItem(dict, key, Py_None);
}

static int put_versions(PyObject *dict)
{
    const int *apache = etcl_start_config()->apache_version;

    if (put(dict, "mod_wsgi.version", Py_BuildValue("(iii)", 6, 0, 5))) {
        return -1;
    }
    return put(dict, "apache.version",
               Py_BuildValue("(iii)", apache[0], apache[1], apache[2]));
}

/* What scripts beside applications see as well. */
static int put_where(PyObject *dict, const etcl_interp_t *interp)
{
    if (put_versions(dict) ||
        PyDict_SetItemString(dict, "wsgi.errors", interp->tools.errors) ||
        put(dict, "mod_wsgi.process_group",
            PyUnicode_DecodeFSDefault(etcl_start_config()->process_group))) {
        return -1;
    }
    return put(dict, "mod_wsgi.application_group",
               PyUnicode_DecodeFSDefault(interp->name));
}

static int put_constants(PyObject *dict, const etcl_interp_t *interp)
{
    const etcl_runtime_config_t *config = etcl_start_config();

    if (put_where(dict, interp) ||
        put(dict, "wsgi.version", Py_BuildValue("(ii)", 1, 0)) ||
        put(dict, "wsgi.multithread", PyBool_FromLong(config->multithread)) ||
        put(dict, "wsgi.multiprocess", PyBool_FromLong(config->multiprocess)) ||
        put(dict, "wsgi.run_once", PyBool_FromLong(config->run_once)) ||
        put(dict, "wsgi.input_terminated", PyBool_FromLong(1))) {
        return -1;
    }
    return PyDict_SetItemString(dict, "wsgi.file_wrapper",
                                interp->tools.FileWrapper);
}

/* Keys whose values come with each request have their place already, so that
 * setting them makes no copy grow. */
PyObject *etcl_environ_template(etcl_interp_t *interp)
{
    PyObject *dict = PyDict_New();

    if (!dict) {
        return NULL;
    }
    if (put_constants(dict, interp) || put_none(dict, interp->words.input) ||
        put_none(dict, interp->words.url_scheme) ||
        put_none(dict, interp->words.client_disconnected) ||
        put_none(dict, interp->words.callable_object) ||
        put_none(dict, interp->words.request_start) ||
        put_none(dict, interp->words.queue_start) ||
        put_none(dict, interp->words.daemon_start) ||
        put_none(dict, interp->words.application_start) ||
        put_none(dict, interp->words.thread_id)) {
        Py_CLEAR(dict);
    }
    return dict;
}

static int is_same(PyObject *text, etcl_span_t bytes)
{
    return text && (apr_size_t)PyUnicode_GET_LENGTH(text) == bytes.len &&
           PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND &&
           (!bytes.len ||
            !memcmp(PyUnicode_1BYTE_DATA(text), bytes.ptr, bytes.len));
}

static PyObject *latin1(etcl_span_t bytes)
{
    return PyUnicode_DecodeLatin1(bytes.ptr, (Py_ssize_t)bytes.len, NULL);
}

/* A name of the file system; where that does not decode, Latin-1. Bytes that
 * do not would come as lone surrogates, which UTF-8 refuses. */
static PyObject *file_name(etcl_span_t bytes)
{
    PyObject *text =
        PyUnicode_DecodeFSDefaultAndSize(bytes.ptr, (Py_ssize_t)bytes.len);

    if (text && PyUnicode_AsUTF8(text)) {
        return text;
    }
    Py_XDECREF(text);
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        return NULL;
    }
    PyErr_Clear();
    return latin1(bytes);
}

static PyObject *decode(const etcl_pair_t *pair)
{
    if (pair->id == ETCL_KEY_SCRIPT_FILENAME ||
        pair->id == ETCL_KEY_DOCUMENT_ROOT) {
        return file_name(pair->value);
    }
    return latin1(pair->value);
}

static int begins_with(etcl_span_t key, etcl_span_t prefix)
{
    return key.len >= prefix.len && !memcmp(key.ptr, prefix.ptr, prefix.len);
}

/* What is the bridge's to say cannot come from SetEnv; HTTPS is told by
 * wsgi.url_scheme. */
static int is_ours(etcl_span_t key)
{
    switch (key.len ? key.ptr[0] : 0) {
    case 0:
        return 1;
    case 'H':
        return etcl_span_is(key, "HTTPS");
    case 'w':
        return begins_with(key, ETCL_SPAN("wsgi."));
    case 'm':
        return begins_with(key, ETCL_SPAN("mod_wsgi."));
    case 'a':
        return begins_with(key, ETCL_SPAN("apache."));
    case 'e':
        return etcl_span_is(key, "etcl.client_disconnected") ||
               etcl_span_is(key, "etcl.warm_up");
    default:
        return 0;
    }
}

static unsigned int hash_key(etcl_span_t key)
{
    unsigned int hash = (unsigned int)key.len;
    apr_size_t i;

    for (i = 0; i < key.len; i++) {
        hash = hash * 31 + (unsigned char)key.ptr[i];
    }
    return hash;
}

/* The cell of a pair, with its name filled in. *out is NULL for a pair that
 * is not passed on. Returns -1 with the Python error set. */
static int find_cell(etcl_environ_t *environ, const etcl_pair_t *pair,
                     etcl_cell_t **out)
{
    etcl_cell_t *cell;
    PyObject *name;

    *out = NULL;
    if (pair->id && pair->id < ETCL_KEY_COUNT) {
        *out = &environ->known[pair->id];
        return 0;
    }
    if (is_ours(pair->key)) {
        return 0;
    }
    cell = &environ->others[hash_key(pair->key) % ETCL_ENVIRON_OTHERS];
    if (!is_same(cell->name, pair->key)) {
        name = latin1(pair->key);
        if (!name) {
            return -1;
        }
        Py_XSETREF(cell->name, name);
        Py_CLEAR(cell->value);
    }
    *out = cell;
    return 0;
}

static int set_value(etcl_environ_t *environ, etcl_cell_t *cell,
                     const etcl_pair_t *pair)
{
    PyObject *value = decode(pair);
    int rv;

    if (!value) {
        return -1;
    }
    rv = PyDict_SetItem(environ->model, cell->name, value);
    Py_XSETREF(cell->value, value);
    return rv;
}

static void note_https(etcl_environ_t *environ, const etcl_pair_t *pair)
{
    if (etcl_span_is(pair->key, "HTTPS") &&
        (etcl_text_same(pair->value, ETCL_SPAN("on")) ||
         etcl_text_same(pair->value, ETCL_SPAN("1")))) {
        environ->https = 1;
    }
}

/* Change the model where it differs from the call. Returns 1: it fits now,
 * 0: other names than last time, -1: a Python error. */
static int refresh(etcl_environ_t *environ, const etcl_call_t *call)
{
    apr_size_t i;

    if (!environ->count || environ->count != call->pair_count) {
        return 0;
    }
    for (i = 0; i < call->pair_count; i++) {
        const etcl_pair_t *pair = &call->pairs[i];
        etcl_cell_t *cell = environ->order[i];
        PyObject *name = cell ? cell->name : NULL;
        etcl_cell_t *found;

        if (find_cell(environ, pair, &found)) {
            return -1;
        }
        if (found != cell || (found && found->name != name)) {
            return 0;
        }
        if (!found) {
            note_https(environ, pair);
        } else if (!is_same(found->value, pair->value) &&
                   set_value(environ, found, pair)) {
            return -1;
        }
    }
    return 1;
}

static int begin_model(etcl_environ_t *environ, etcl_seat_t *seat)
{
    PyObject *number = PyLong_FromLong(seat->thread_id);
    int rv = -1;
    int id;

    Py_XSETREF(environ->model, PyDict_Copy(seat->interp->template));
    if (!environ->model || !number) {
        goto done;
    }
    for (id = 1; id < ETCL_KEY_COUNT; id++) {
        if (!environ->known[id].name) {
            environ->known[id].name = Py_NewRef(seat->interp->names[id]);
        }
    }
    Py_CLEAR(environ->callable);
    rv = PyDict_SetItem(environ->model, seat->interp->words.thread_id, number);
done:
    Py_XDECREF(number);
    return rv;
}

static int rebuild(etcl_environ_t *environ, etcl_seat_t *seat,
                   const etcl_call_t *call)
{
    apr_size_t i;

    environ->count = 0;
    environ->https = 0;
    if (begin_model(environ, seat)) {
        return -1;
    }
    for (i = 0; i < call->pair_count; i++) {
        const etcl_pair_t *pair = &call->pairs[i];
        etcl_cell_t *cell;

        if (find_cell(environ, pair, &cell)) {
            return -1;
        }
        if (i < ETCL_ENVIRON_ORDER) {
            environ->order[i] = cell;
        }
        if (!cell) {
            note_https(environ, pair);
        } else if (is_same(cell->value, pair->value)
                       ? PyDict_SetItem(environ->model, cell->name, cell->value)
                       : set_value(environ, cell, pair)) {
            return -1;
        }
    }
    if (call->pair_count <= ETCL_ENVIRON_ORDER) {
        environ->count = call->pair_count;
    }
    return 0;
}

/* The model after a request with a huge value would keep it for long. */
static void drop_large(etcl_environ_t *environ, const etcl_call_t *call)
{
    apr_size_t i;

    for (i = 0; i < call->pair_count; i++) {
        if (call->pairs[i].value.len > ETCL_ENVIRON_KEEP) {
            etcl_environ_clear(environ);
            return;
        }
    }
    if (!environ->count) {
        etcl_environ_clear(environ);
    }
}

static int put_time(PyObject *dict, PyObject *key, apr_int64_t time_us)
{
    PyObject *value = PyFloat_FromDouble((double)time_us / 1e6);
    int rv = value ? PyDict_SetItem(dict, key, value) : -1;

    Py_XDECREF(value);
    return rv;
}

static int put_callable(PyObject *dict, etcl_seat_t *seat, etcl_span_t name)
{
    if (!is_same(seat->environ.callable, name)) {
        Py_XSETREF(seat->environ.callable, latin1(name));
    }
    if (!seat->environ.callable) {
        return -1;
    }
    return PyDict_SetItem(dict, seat->interp->words.callable_object,
                          seat->environ.callable);
}

static int put_presence(PyObject *dict, etcl_turn_t *turn)
{
    PyObject *presence = etcl_presence_make(turn);
    int rv = presence
                 ? PyDict_SetItem(dict,
                                  turn->seat->interp->words.client_disconnected,
                                  presence)
                 : -1;

    Py_XDECREF(presence);
    return rv;
}

static int put_own(PyObject *dict, etcl_turn_t *turn, PyObject *input)
{
    const etcl_call_t *call = turn->call;
    etcl_seat_t *seat = turn->seat;
    const etcl_interp_t *in = seat->interp;
    int https = (call->flags & ETCL_CALL_HTTPS) || seat->environ.https;

    if (PyDict_SetItem(dict, in->words.input, input) ||
        PyDict_SetItem(dict, in->words.url_scheme,
                       https ? in->words.https : in->words.http) ||
        put_callable(dict, seat, turn->callable) || put_presence(dict, turn)) {
        return -1;
    }
    if (put_time(dict, in->words.request_start, call->request_start_us) ||
        put_time(dict, in->words.queue_start, call->queue_start_us) ||
        put_time(dict, in->words.daemon_start, call->daemon_start_us)) {
        return -1;
    }
    if (call->flags & ETCL_CALL_WARM_UP &&
        PyDict_SetItemString(dict, "etcl.warm_up", Py_True)) {
        return -1;
    }
    turn->meter.start_us = etcl_clock_wall_us();
    return put_time(dict, in->words.application_start, turn->meter.start_us);
}

PyObject *etcl_environ_make(etcl_turn_t *turn, PyObject *input)
{
    etcl_environ_t *environ = &turn->seat->environ;
    PyObject *dict = NULL;
    int fits;

    environ->https = 0;
    fits = refresh(environ, turn->call);
    if (fits < 0 || (!fits && rebuild(environ, turn->seat, turn->call))) {
        goto failed;
    }
    dict = PyDict_Copy(environ->model);
    if (!dict || put_own(dict, turn, input)) {
        goto failed;
    }
    drop_large(environ, turn->call);
    return dict;
failed:
    environ->count = 0;
    Py_XDECREF(dict);
    return NULL;
}

static int put_pair(PyObject *dict, const etcl_interp_t *in,
                    const etcl_pair_t *pair)
{
    int known = pair->id && pair->id < ETCL_KEY_COUNT;
    PyObject *name = known ? Py_NewRef(in->names[pair->id]) : latin1(pair->key);
    PyObject *value = name ? decode(pair) : NULL;
    int rv = value ? PyDict_SetItem(dict, name, value) : -1;

    Py_XDECREF(name);
    Py_XDECREF(value);
    return rv;
}

PyObject *etcl_environ_plain(etcl_turn_t *turn)
{
    const etcl_call_t *call = turn->call;
    const etcl_interp_t *in = turn->seat->interp;
    PyObject *dict = PyDict_New();
    apr_size_t i;
    int rv = dict ? put_where(dict, in) : -1;

    for (i = 0; !rv && i < call->pair_count; i++) {
        const etcl_pair_t *pair = &call->pairs[i];

        if (pair->id || !is_ours(pair->key)) {
            rv = put_pair(dict, in, pair);
        }
    }
    if (rv) {
        Py_CLEAR(dict);
    }
    return dict;
}

static void clear_cell(etcl_cell_t *cell)
{
    Py_CLEAR(cell->name);
    Py_CLEAR(cell->value);
}

void etcl_environ_clear(etcl_environ_t *environ)
{
    int i;

    for (i = 0; i < ETCL_KEY_COUNT; i++) {
        clear_cell(&environ->known[i]);
    }
    for (i = 0; i < ETCL_ENVIRON_OTHERS; i++) {
        clear_cell(&environ->others[i]);
    }
    Py_CLEAR(environ->callable);
    Py_CLEAR(environ->model);
    environ->count = 0;
}

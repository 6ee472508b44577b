/* The table of loaded scripts. How a script is loaded, and what is said when
 * it does not load, is in scripts.py. */

#include "etcl_script.h"

#include "etcl_clock.h"
#include "etcl_interp.h"
#include "etcl_outside.h"
#include "etcl_say.h"
#include "etcl_start.h"
#include "etcl_threads.h"

#include <stdlib.h>
#include <sys/stat.h>

typedef struct etcl_script_t {
    struct etcl_script_t *next;
    pthread_mutex_t lock; /* held while it is loaded */
    PyObject *space;      /* its namespace; NULL: not loaded */
    PyObject *callable;   /* name of the callable asked for last */
    PyObject *hook;       /* its reload_required(); NULL: it has none */
    int stale;            /* the hook said so */
    apr_int64_t mtime_us; /* of the file that was loaded, or failed */
    apr_int64_t retry_us; /* do not try again before; 0: never failed */
    etcl_span_t path;     /* behind the struct, terminated */
} etcl_script_t;

apr_int64_t etcl_script_mtime(etcl_span_t path)
{
    char name[PATH_MAX];
    struct stat info;

    if (path.len >= sizeof(name)) {
        return 0;
    }
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    if (stat(name, &info)) {
        return 0;
    }
    return (apr_int64_t)info.st_mtim.tv_sec * 1000000 +
           info.st_mtim.tv_nsec / 1000;
}

/* The entry of a path, made if need be; NULL with the Python error set. */
static etcl_script_t *find(etcl_interp_t *interp, etcl_span_t path)
{
    etcl_script_t *script;
    char *copy;

    for (script = interp->scripts; script; script = script->next) {
        if (script->path.len == path.len &&
            !memcmp(script->path.ptr, path.ptr, path.len)) {
            return script;
        }
    }
    script = calloc(1, sizeof(*script) + path.len + 1);
    if (!script) {
        PyErr_NoMemory();
        return NULL;
    }
    copy = (char *)(script + 1);
    memcpy(copy, path.ptr, path.len);
    script->path = (etcl_span_t){ copy, path.len };
    pthread_mutex_init(&script->lock, NULL);
    script->next = interp->scripts;
    interp->scripts = script;
    return script;
}

/* Execute the file in a new namespace. A file that does not load leaves the
 * old one in place. */
static void load(etcl_interp_t *interp, etcl_script_t *script)
{
    const etcl_runtime_config_t *config = etcl_start_config();
    PyObject *space;

    script->mtime_us = etcl_script_mtime(script->path);
    script->stale = 0;
    space = PyObject_CallFunction(
        interp->tools.load_script, "y#O", script->path.ptr,
        (Py_ssize_t)script->path.len, script->space ? Py_True : Py_False);
    if (space && PyDict_Check(space)) {
        Py_XSETREF(script->space, Py_NewRef(space));
        Py_XSETREF(script->hook,
                   Py_XNewRef(PyDict_GetItemString(space, "reload_required")));
        script->retry_us = 0;
        if (config->loaded) {
            config->loaded(script->path, script->mtime_us);
        }
    } else {
        script->retry_us = etcl_clock_us() + ETCL_SCRIPT_RETRY_US;
    }
    Py_XDECREF(space);
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(NULL);
    }
}

static int is_due(const etcl_script_t *script, apr_int64_t mtime_us)
{
    if ((mtime_us >= 0 && script->stale) ||
        (mtime_us > 0 && mtime_us != script->mtime_us)) {
        return 1;
    }
    if (script->space) {
        return 0;
    }
    return etcl_clock_us() >= script->retry_us ||
           etcl_script_mtime(script->path) != script->mtime_us;
}

/* The name as a str, kept for the next request. */
static PyObject *callable_name(etcl_script_t *script, etcl_span_t name)
{
    Py_ssize_t len = 0;
    const char *text = script->callable
                           ? PyUnicode_AsUTF8AndSize(script->callable, &len)
                           : NULL;

    if (!text || (apr_size_t)len != name.len ||
        memcmp(text, name.ptr, name.len)) {
        PyErr_Clear();
        Py_XSETREF(
            script->callable,
            PyUnicode_DecodeUTF8(name.ptr, (Py_ssize_t)name.len, "replace"));
    }
    return script->callable;
}

static PyObject *find_callable(etcl_interp_t *interp, etcl_script_t *script,
                               etcl_span_t wanted)
{
    PyObject *name = callable_name(script, wanted);
    PyObject *found, *said;

    if (!name) {
        return NULL;
    }
    found = PyDict_GetItemWithError(script->space, name);
    if (found && PyCallable_Check(found)) {
        return Py_NewRef(found);
    }
    if (!PyErr_Occurred()) {
        said = PyObject_CallFunction(
            interp->tools.say_no_callable, "y#OO", script->path.ptr,
            (Py_ssize_t)script->path.len, name, script->space);
        Py_XDECREF(said);
    }
    return NULL;
}

/* The entry of a script that is loaded; NULL: why was said in the log. */
static etcl_script_t *obtain(etcl_interp_t *interp, const etcl_target_t *target,
                             apr_int64_t mtime_us)
{
    etcl_script_t *script = find(interp, target->script);
    int tried = 0;

    if (script && is_due(script, mtime_us)) {
        etcl_outside_lock(&script->lock);
        if (is_due(script, mtime_us)) {
            load(interp, script);
            tried = 1;
        }
        pthread_mutex_unlock(&script->lock);
    }
    if (script && !script->space && !tried) {
        etcl_say_turn(etcl_threads_current(), ETCL_LOG_ERR,
                      "ETCL0311: %s is not loaded: see the message before; "
                      "it is tried again when the file changes, or after a "
                      "second",
                      script->path.ptr);
    }
    return script && script->space ? script : NULL;
}

PyObject *etcl_script_get(etcl_interp_t *interp, const etcl_target_t *target,
                          apr_int64_t mtime_us)
{
    etcl_script_t *script = obtain(interp, target, mtime_us);
    PyObject *callable = NULL;

    if (script && !target->callable.len) {
        callable = Py_NewRef(Py_None);
    } else if (script) {
        callable = find_callable(interp, script, target->callable);
    }
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(NULL);
    }
    return callable;
}

PyObject *etcl_script_space(etcl_interp_t *interp, const etcl_target_t *target,
                            apr_int64_t mtime_us)
{
    const etcl_script_t *script = obtain(interp, target, mtime_us);

    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(NULL);
    }
    return script ? Py_NewRef(script->space) : NULL;
}

void etcl_script_poll(etcl_interp_t *interp, const etcl_target_t *target,
                      etcl_span_t resource)
{
    const etcl_runtime_config_t *config = etcl_start_config();
    etcl_script_t *script = find(interp, target->script);
    PyObject *wanted;

    if (!script || !script->hook || script->stale) {
        PyErr_Clear();
        return;
    }
    wanted =
        PyObject_CallFunction(interp->tools.ask_reload, "Oy#", script->hook,
                              resource.ptr, (Py_ssize_t)resource.len);
    script->stale = wanted == Py_True;
    Py_XDECREF(wanted);
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(NULL);
    }
    if (script->stale && *config->process_group && config->loaded) {
        config->loaded(script->path, 0);
    }
}

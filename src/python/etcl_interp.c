/* Makes interpreters and sets them up: our types, the Python files of this
 * folder, the template of environ. An interpreter is published when it is
 * complete, and never taken away again. */

#include "etcl_interp.h"

#include "etcl_dump.h"
#include "etcl_environ.h"
#include "etcl_event.h"
#include "etcl_input.h"
#include "etcl_key.h"
#include "etcl_origin.h"
#include "etcl_outside.h"
#include "etcl_preload.h"
#include "etcl_presence.h"
#include "etcl_setup.h"
#include "etcl_say.h"
#include "etcl_start.h"
#include "etcl_starter.h"
#include "etcl_stream.h"
#include "etcl_threads.h"

#include "etcl_py.h"

#include <stdlib.h>

static etcl_interp_t *all; /* atomic; entries are complete */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* The Python files of this folder, in the order in which they build on each
 * other; all share the namespace of the module _etcl. */
static const struct {
    const char *name;
    const char *text;
} sources[] = {
    { "<mod_etcl: failures.py>", etcl_py_failures },
    { "<mod_etcl: streams.py>", etcl_py_streams },
    { "<mod_etcl: events.py>", etcl_py_events },
    { "<mod_etcl: metrics.py>", etcl_py_metrics },
    { "<mod_etcl: module.py>", etcl_py_module },
    { "<mod_etcl: process.py>", etcl_py_process },
    { "<mod_etcl: scripts.py>", etcl_py_scripts },
    { "<mod_etcl: verdicts.py>", etcl_py_verdicts },
    { "<mod_etcl: preload.py>", etcl_py_preload },
};

static int run_source(PyObject *space, const char *name, const char *text)
{
    PyObject *code = Py_CompileString(text, name, Py_file_input);
    PyObject *result = NULL;

    if (code) {
        result = PyEval_EvalCode(code, space, space);
    }
    Py_XDECREF(code);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int fill_module(PyObject *module, etcl_interp_t *interp)
{
    PyObject *config = etcl_origin_describe(interp);
    int rv = config ? PyModule_AddObjectRef(module, "config", config) : -1;

    Py_XDECREF(config);
    if (rv || PyModule_AddFunctions(module, etcl_stream_methods) ||
        PyModule_AddFunctions(module, etcl_dump_methods) ||
        PyModule_AddFunctions(module, etcl_event_methods) ||
        PyModule_AddFunctions(module, etcl_meter_methods) ||
        PyModule_AddFunctions(module, etcl_preload_methods)) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "__builtins__", PyEval_GetBuiltins());
}

/* The module _etcl: functions of C, then the Python files. */
static PyObject *make_module(etcl_interp_t *interp)
{
    PyObject *module = PyModule_New("_etcl");
    PyObject *modules = PyImport_GetModuleDict();
    size_t i;

    if (!module || fill_module(module, interp) ||
        PyDict_SetItemString(modules, "_etcl", module)) {
        Py_XDECREF(module);
        return NULL;
    }
    for (i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
        if (run_source(PyModule_GetDict(module), sources[i].name,
                       sources[i].text)) {
            Py_CLEAR(module);
            break;
        }
    }
    return module;
}

#define INTERN(field, text)                                                    \
    interp->words.field = PyUnicode_InternFromString(text);                    \
    if (!interp->words.field) {                                                \
        return -1;                                                             \
    }

static int intern_words(etcl_interp_t *interp)
{
    unsigned int id;

    ETCL_WORDS(INTERN)
    for (id = 1; id < ETCL_KEY_COUNT; id++) {
        interp->names[id] = PyUnicode_InternFromString(etcl_key_name(id).ptr);
        if (!interp->names[id]) {
            return -1;
        }
    }
    return 0;
}

#define FETCH(name)                                                            \
    interp->tools.name = PyObject_GetAttrString(module, #name);                \
    if (!interp->tools.name) {                                                 \
        return -1;                                                             \
    }

static int fetch_tools(etcl_interp_t *interp, PyObject *module)
{
    ETCL_TOOLS(FETCH)
    interp->file_iter =
        PyObject_GetAttr(interp->tools.FileWrapper, interp->words.iter);
    return interp->file_iter ? 0 : -1;
}

/* GIL held by a state of this interpreter. -1 with the Python error set. */
static int set_up(etcl_interp_t *interp)
{
    PyObject *module = NULL;
    int rv = -1;

    interp->input_type = etcl_input_type();
    interp->presence_type = etcl_presence_type();
    if (!interp->input_type || !interp->presence_type ||
        etcl_starter_types(interp) || intern_words(interp)) {
        return -1;
    }
    module = make_module(interp);
    if (module && !fetch_tools(interp, module)) {
        interp->template = etcl_environ_template(interp);
        rv = interp->template ? 0 : -1;
    }
    Py_XDECREF(module);
    return rv;
}

static etcl_interp_t *new_interp(etcl_span_t name)
{
    etcl_interp_t *interp = calloc(1, sizeof(*interp));

    if (interp) {
        interp->name = calloc(1, name.len + 1);
        if (!interp->name) {
            free(interp);
            return NULL;
        }
        if (name.len) {
            memcpy(interp->name, name.ptr, name.len);
        }
    }
    return interp;
}

static void publish(etcl_interp_t *interp)
{
    interp->next = all;
    __atomic_store_n(&all, interp, __ATOMIC_RELEASE);
}

etcl_interp_t *etcl_interp_main(const etcl_runtime_config_t *config)
{
    etcl_interp_t *interp = new_interp((etcl_span_t){ "", 0 });

    (void)config;
    if (!interp) {
        PyErr_NoMemory();
        return NULL;
    }
    interp->gate = etcl_gate_shared();
    interp->first = PyThreadState_Get();
    interp->state = PyThreadState_GetInterpreter(interp->first);
    if (!etcl_threads_adopt(interp, interp->first) || set_up(interp)) {
        return NULL;
    }
    publish(interp);
    return interp;
}

static etcl_interp_t *find(etcl_span_t name)
{
    etcl_interp_t *interp = __atomic_load_n(&all, __ATOMIC_ACQUIRE);

    while (interp && !etcl_span_is(name, interp->name)) {
        interp = interp->next;
    }
    return interp;
}

etcl_interp_t *etcl_interp_all(void)
{
    return __atomic_load_n(&all, __ATOMIC_ACQUIRE);
}

static void drop_interp(etcl_interp_t *interp)
{
    if (PyErr_Occurred()) {
        PyErr_Print();
    }
    if (interp->first) {
        Py_EndInterpreter(interp->first);
    }
    free(interp->name);
    free(interp);
}

/* A GIL of its own is what WSGIPerInterpreterGIL asks for. */
static PyThreadState *new_state(etcl_interp_t *interp, int own_gil)
{
#if PY_VERSION_HEX >= 0x030c0000
    const PyInterpreterConfig config = { .allow_fork = 1,
                                         .allow_exec = 1,
                                         .allow_threads = 1,
                                         .allow_daemon_threads = 1,
                                         .check_multi_interp_extensions = 1,
                                         .gil = PyInterpreterConfig_OWN_GIL };
    PyThreadState *state = NULL;

    if (own_gil) {
        interp->gate = etcl_gate_create();
        if (interp->gate) {
            Py_NewInterpreterFromConfig(&state, &config);
        }
        return state;
    }
#endif
    interp->gate = etcl_gate_shared();
    return Py_NewInterpreter();
}

/* GIL held by `main`, and again on return. */
static etcl_interp_t *make_sub(etcl_span_t name, PyThreadState *main)
{
    etcl_interp_t *interp = new_interp(name);
    etcl_setup_t rules;

    if (!interp) {
        return NULL;
    }
    etcl_setup_settle(etcl_start_config(), interp->name, &rules);
    interp->first = new_state(interp, rules.own_gil);
    if (!interp->first) {
        free(interp->name);
        free(interp);
        return NULL;
    }
    interp->state = PyThreadState_GetInterpreter(interp->first);
    if (set_up(interp) || !etcl_threads_adopt(interp, interp->first)) {
        drop_interp(interp);
        PyEval_RestoreThread(main);
        return NULL;
    }
    publish(interp);
    etcl_outside_leave();
    PyEval_RestoreThread(main);
    return interp;
}

etcl_interp_t *etcl_interp_get(etcl_span_t name)
{
    etcl_interp_t *interp = find(name);
    etcl_interp_t *main;
    etcl_seat_t *seat;

    if (interp) {
        return interp;
    }
    if (etcl_start_config()->service) {
        return find((etcl_span_t){ "", 0 });
    }
    pthread_mutex_lock(&making);
    interp = find(name);
    main = find((etcl_span_t){ "", 0 });
    seat = interp || !main ? NULL : etcl_threads_enter(main);
    if (seat) {
        interp = make_sub(name, seat->state);
        etcl_outside_leave();
    }
    pthread_mutex_unlock(&making);
    if (!interp) {
        etcl_say_process(ETCL_LOG_ERR,
                         "ETCL0306: the interpreter of application group "
                         "'%.*s' could not be made",
                         (int)name.len, name.ptr);
    }
    return interp;
}

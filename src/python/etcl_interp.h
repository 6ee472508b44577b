/* Interpreters by application group: "" is the main one, others are
 * sub-interpreters, made when they are first asked for. They share one GIL,
 * unless WSGIPerInterpreterGIL says otherwise. */

#ifndef ETCL_INTERP_H
#define ETCL_INTERP_H

#include "etcl_python.h"
#include "etcl_call.h"
#include "etcl_gate.h"
#include "etcl_keys.h"
#include "etcl_runtime.h"

#include <pthread.h>

/* X(field, text): names that are looked up or set in each request. */
#define ETCL_WORDS(X)                                                          \
    X(input, "wsgi.input")                                                     \
    X(url_scheme, "wsgi.url_scheme")                                           \
    X(client_disconnected, "etcl.client_disconnected")                         \
    X(http, "http")                                                            \
    X(https, "https")                                                          \
    X(callable_object, "mod_wsgi.callable_object")                             \
    X(request_start, "mod_wsgi.request_start")                                 \
    X(queue_start, "mod_wsgi.queue_start")                                     \
    X(daemon_start, "mod_wsgi.daemon_start")                                   \
    X(application_start, "mod_wsgi.application_start")                         \
    X(thread_id, "mod_wsgi.thread_id")                                         \
    X(close, "close")                                                          \
    X(fileno, "fileno")                                                        \
    X(tell, "tell")                                                            \
    X(filelike, "filelike")                                                    \
    X(raw, "raw")                                                              \
    X(iter, "__iter__")

/* X(name): what the C side uses of the Python files of this folder. */
#define ETCL_TOOLS(X)                                                          \
    X(errors)                                                                  \
    X(FileWrapper)                                                             \
    X(ClientDisconnected)                                                      \
    X(ClientTimeout)                                                           \
    X(BodyTooLarge)                                                            \
    X(RequestTimeout)                                                          \
    X(event_callbacks)                                                         \
    X(publish)                                                                 \
    X(ask)                                                                     \
    X(ask_reload)                                                              \
    X(name_group)                                                              \
    X(tell_signal)                                                             \
    X(tell_stopping)                                                           \
    X(describe)                                                                \
    X(load_script)                                                             \
    X(say_no_callable)                                                         \
    X(file_types)                                                              \
    X(run_exit_callbacks)                                                      \
    X(settle)                                                                  \
    X(begin_process)

#define ETCL_INTERP_FIELD(field, ...) PyObject *field;

struct etcl_script_t;

/* Lives as long as the process. References are owned, and used with the GIL
 * held by a thread state of this interpreter. */
typedef struct etcl_interp_t {
    struct etcl_interp_t *next;
    char *name; /* malloc'ed */
    PyInterpreterState *state;
    PyThreadState *first; /* of the thread that made it */
    PyObject *names[ETCL_KEY_COUNT];
    struct {
        ETCL_WORDS(ETCL_INTERP_FIELD)
    } words;
    struct {
        ETCL_TOOLS(ETCL_INTERP_FIELD)
    } tools;
    PyObject *template; /* what every environ holds */
    PyObject *input_type;
    PyObject *start_type;
    PyObject *write_type;
    PyObject *presence_type;
    PyObject *file_iter; /* FileWrapper.__iter__ */
    struct etcl_script_t *scripts;
    struct etcl_turn_t *running; /* turns in this interpreter */
    etcl_gate_t *gate;           /* in front of its GIL */
} etcl_interp_t;

/**
 * Make the main interpreter known, right after Py_InitializeFromConfig.
 *
 * Context  GIL held.
 * Returns  NULL with the Python error set
 */
etcl_interp_t *etcl_interp_main(const etcl_runtime_config_t *config);

/**
 * The interpreter of an application group, made when it does not exist.
 *
 * Context  without the GIL; may block while one is made.
 * Returns  NULL: it could not be made; said in the process's log
 */
etcl_interp_t *etcl_interp_get(etcl_span_t name);

/** All of them, newest first; the main one is the last. */
etcl_interp_t *etcl_interp_all(void);

#endif

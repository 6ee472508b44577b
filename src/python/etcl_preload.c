/* Makes Python ready to be forked, forks it, and gives the child what belongs
 * to one process alone. Who started threads is found out by preload.py. */

#include "etcl_preload.h"

#include "etcl_dump.h"
#include "etcl_interp.h"
#include "etcl_meter.h"
#include "etcl_origin.h"
#include "etcl_outside.h"
#include "etcl_say.h"
#include "etcl_threads.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

/* is_alone(): whether this is the only thread, of C or of Python. The kernel
 * grants this only to a process that has no other, and it changes nothing.
 * Whoever may not ask believes that he is alone. */
static PyObject *is_alone(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(!unshare(CLONE_THREAD) || errno != EINVAL);
}

PyMethodDef etcl_preload_methods[] = {
    { "is_alone", is_alone, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static etcl_interp_t *main_interp(void)
{
    etcl_interp_t *interp = etcl_interp_all();

    while (interp->next) {
        interp = interp->next;
    }
    return interp;
}

/* CPython deletes every other interpreter in a child, and what it has loaded
 * with it. */
static int is_single(void)
{
    if (!PyInterpreterState_Next(PyInterpreterState_Head())) {
        return 1;
    }
    etcl_say_process(ETCL_LOG_WARNING,
                     "ETCL0342: preload=on is not possible with this "
                     "application: it has more than one interpreter, and "
                     "Python forks only the main one. Every worker loads the "
                     "application by itself. WSGIApplicationGroup %%{GLOBAL} "
                     "has it in the main one");
    return 0;
}

apr_status_t etcl_preload_settle(void)
{
    const etcl_interp_t *interp = main_interp();
    PyObject *settled;
    int ready;

    if (!etcl_threads_enter(main_interp())) {
        return APR_EGENERAL;
    }
    settled = PyObject_CallNoArgs(interp->tools.settle);
    ready = settled == Py_True && is_single();
    if (!settled) {
        PyErr_WriteUnraisable(NULL);
    }
    Py_XDECREF(settled);
    etcl_outside_leave();
    return ready ? APR_SUCCESS : APR_EGENERAL;
}

/* Python's own handlers ran already: those of `random` and others. */
static void begin_process(const etcl_interp_t *interp)
{
    PyObject *done;

    etcl_origin_begin();
    etcl_meter_begin_process();
    etcl_dump_renew();
    done = PyObject_CallNoArgs(interp->tools.begin_process);
    if (!done) {
        PyErr_WriteUnraisable(NULL);
    }
    Py_XDECREF(done);
}

pid_t etcl_preload_fork(void (*born)(void *), void *data)
{
    const etcl_interp_t *interp = main_interp();
    pid_t pid;
    int error;

    if (!etcl_threads_enter(main_interp())) {
        errno = ENOMEM;
        return -1;
    }
    PyOS_BeforeFork();
    pid = fork();
    error = errno;
    if (!pid) {
        born(data);
        PyOS_AfterFork_Child();
        begin_process(interp);
    } else {
        PyOS_AfterFork_Parent();
    }
    etcl_outside_leave();
    errno = error;
    return pid;
}

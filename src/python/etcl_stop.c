/* Ends Python. A thread that is still in Python, or a sub-interpreter, can
 * make finalization hang or crash; then only the exit callbacks run, and the
 * caller ends the process. */

#include "etcl_stop.h"

#include "etcl_gate.h"
#include "etcl_outside.h"
#include "etcl_say.h"
#include "etcl_start.h"
#include "etcl_threads.h"

static int began; /* atomic */

int etcl_stop_began(void)
{
    return __atomic_load_n(&began, __ATOMIC_ACQUIRE);
}

/* One of the tools, for one interpreter, with its seat taken. */
static PyObject *call_tool(PyObject *tool, const char *reason)
{
    PyObject *result = reason ? PyObject_CallFunction(tool, "s", reason)
                              : PyObject_CallNoArgs(tool);

    if (!result) {
        PyErr_WriteUnraisable(NULL);
    }
    return result;
}

/* process_stopping, everywhere, before anything ends. */
static int tell_all(const char *reason)
{
    etcl_interp_t *interp;

    for (interp = etcl_interp_all(); interp; interp = interp->next) {
        if (!etcl_threads_enter(interp)) {
            return -1;
        }
        Py_XDECREF(call_tool(interp->tools.tell_stopping, reason));
        etcl_outside_leave();
    }
    return 0;
}

/* threading's shutdown and atexit, in the interpreter that is entered.
 * Returns the number of threads that stay behind. */
static long run_callbacks(const etcl_interp_t *interp)
{
    PyObject *left = call_tool(interp->tools.run_exit_callbacks, NULL);
    long count = left ? PyLong_AsLong(left) : 1;

    Py_XDECREF(left);
    return count;
}

void etcl_stop_python(const char *reason)
{
    etcl_interp_t *interp;
    etcl_seat_t *seat = NULL;
    long left = 0;

    if (__atomic_exchange_n(&began, 1, __ATOMIC_ACQ_REL) ||
        tell_all(reason ? reason : "") ||
        !etcl_start_config()->destroy_interpreter) {
        return;
    }
    for (interp = etcl_interp_all(); interp; interp = interp->next) {
        if (seat) {
            etcl_outside_leave();
            left++;
        }
        seat = etcl_threads_enter(interp);
        if (!seat) {
            return;
        }
        left += run_callbacks(interp);
    }
    if (seat && !left && !etcl_threads_busy()) {
        Py_FinalizeEx();
    } else if (seat) {
        etcl_outside_leave();
    }
}

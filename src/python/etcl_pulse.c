/* Looks whether Python can still be entered, and tells its interpreters of
 * signals. It decides nothing: who asks, and how often, is the daemon's. */

#include "etcl_pulse.h"

#include "etcl_outside.h"
#include "etcl_stop.h"
#include "etcl_threads.h"

void etcl_pulse_probe(void)
{
    etcl_interp_t *interp = etcl_interp_all();

    while (interp && interp->next) {
        interp = interp->next;
    }
    if (interp && !etcl_stop_began() && etcl_threads_enter(interp)) {
        etcl_outside_leave();
    }
}

void etcl_pulse_signal(int number)
{
    etcl_interp_t *interp = etcl_stop_began() ? NULL : etcl_interp_all();

    for (; interp; interp = interp->next) {
        PyObject *done;

        if (!etcl_threads_enter(interp)) {
            return;
        }
        done = PyObject_CallFunction(interp->tools.tell_signal, "i", number);
        Py_XDECREF(done);
        if (!done) {
            PyErr_WriteUnraisable(NULL);
        }
        etcl_outside_leave();
    }
}

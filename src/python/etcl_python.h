/* Python.h as every room of this folder wants it. Public API only; what
 * differs between 3.10 and 3.14 is evened out here. */

#ifndef ETCL_PYTHON_H
#define ETCL_PYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030a0000
#error "mod_etcl needs CPython 3.10 or newer"
#endif

/* The exception that is set, with its traceback; it is not set any more. */
static inline PyObject *etcl_python_catch(void)
{
#if PY_VERSION_HEX >= 0x030c0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (value && trace) {
        PyException_SetTraceback(value, trace);
    }
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return value;
#endif
}

#if PY_VERSION_HEX < 0x030c0000
#include <structmember.h>
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_READONLY READONLY
/* Before 3.12 a str of the old C API may not have its data laid out yet. */
#define etcl_python_ready(text) PyUnicode_READY(text)
#else
#define etcl_python_ready(text) 0
#endif

#endif

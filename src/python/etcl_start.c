/* Starts Python with PyPreConfig and PyConfig: every failure comes back as a
 * PyStatus. Nothing of the machine's environment but PYTHON* variables is
 * asked for; no signal handler is installed. */

#include "etcl_start.h"

#include "etcl_fatal.h"
#include "etcl_fork.h"
#include "etcl_home.h"
#include "etcl_interp.h"
#include "etcl_origin.h"
#include "etcl_outside.h"
#include "etcl_setup.h"
#include "etcl_say.h"
#include "etcl_text.h"
#include "etcl_threads.h"

#include <apr_strings.h>
#include <locale.h>

static const etcl_runtime_config_t *current;

const etcl_runtime_config_t *etcl_start_config(void)
{
    return current;
}

static apr_status_t tell(PyStatus status, apr_pool_t *pool, const char **why)
{
    *why = apr_psprintf(pool,
                        "ETCL0300: Python " PY_VERSION
                        " did not start: %s%s%s; look at python-home and at "
                        "PYTHON* variables in Apache's environment",
                        status.func ? status.func : "", status.func ? ": " : "",
                        status.err_msg ? status.err_msg : "exit");
    return APR_EGENERAL;
}

/* A locale that was set for this process stays; otherwise the environment
 * decides, as it does for python itself. */
static PyStatus preinitialize(const etcl_runtime_config_t *config)
{
    const char *set = setlocale(LC_CTYPE, NULL);
    PyPreConfig pre;

    PyPreConfig_InitPythonConfig(&pre);
    pre.parse_argv = 0;
    pre.coerce_c_locale = 0;
    if (set && strcmp(set, "C") != 0 && strcmp(set, "POSIX") != 0) {
        pre.configure_locale = 0;
    }
    if (config->utf8_mode >= 0) {
        pre.utf8_mode = config->utf8_mode;
    }
    return Py_PreInitialize(&pre);
}

static apr_status_t parse_seed(const char *text, PyConfig *to, apr_pool_t *pool,
                               const char **why)
{
    apr_int64_t seed;

    if (!text || !strcmp(text, "random")) {
        to->use_hash_seed = text ? 0 : to->use_hash_seed;
        return APR_SUCCESS;
    }
    if (etcl_text_int(etcl_span(text), &seed) || seed < 0 ||
        seed > 4294967295LL) {
        *why = apr_psprintf(pool,
                            "ETCL0304: hash seed '%s' must be random or a "
                            "number from 0 to 4294967295",
                            text);
        return APR_EGENERAL;
    }
    to->use_hash_seed = 1;
    to->hash_seed = (unsigned long)seed;
    return APR_SUCCESS;
}

static PyStatus add_warnings(const etcl_runtime_config_t *config, PyConfig *to)
{
    PyStatus status = PyStatus_Ok();
    const char *const *filter = config->warnings;
    wchar_t *wide;

    while (filter && *filter && !PyStatus_Exception(status)) {
        wide = Py_DecodeLocale(*filter++, NULL);
        if (!wide) {
            return PyStatus_NoMemory();
        }
        status = PyWideStringList_Append(&to->warnoptions, wide);
        PyMem_RawFree(wide);
    }
    return status;
}

static PyStatus set_texts(const etcl_runtime_config_t *config,
                          const etcl_home_t *home, PyConfig *to)
{
    PyStatus status = PyStatus_Ok();
    wchar_t name[] = L"mod_wsgi";
    wchar_t *argv[] = { name };

    if (home->program) {
        status = PyConfig_SetBytesString(to, &to->program_name, home->program);
    }
    if (!PyStatus_Exception(status) && home->prefix) {
        status = PyConfig_SetBytesString(to, &to->home, home->prefix);
    }
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetArgv(to, 1, argv);
    }
    if (!PyStatus_Exception(status)) {
        status = add_warnings(config, to);
    }
    return status;
}

static apr_status_t initialize(const etcl_runtime_config_t *config,
                               const etcl_home_t *home, apr_pool_t *pool,
                               const char **why)
{
    PyStatus status;
    PyConfig py;
    apr_status_t rv;

    PyConfig_InitPythonConfig(&py);
    py.parse_argv = 0;
    py.install_signal_handlers = 0;
    py.pathconfig_warnings = 0;
    py.optimization_level = config->optimize;
    py.write_bytecode = config->write_bytecode;
    rv = parse_seed(config->hash_seed, &py, pool, why);
    if (!rv) {
        status = set_texts(config, home, &py);
        if (!PyStatus_Exception(status)) {
            status = Py_InitializeFromConfig(&py);
        }
        rv = PyStatus_Exception(status) ? tell(status, pool, why) : APR_SUCCESS;
    }
    PyConfig_Clear(&py);
    return rv;
}

apr_status_t etcl_start_python(const etcl_runtime_config_t *config,
                               apr_pool_t *pool, const char **why)
{
    etcl_home_t home;
    PyStatus status;
    apr_status_t rv;

    *why = NULL;
    current = config;
    etcl_say_init(config->log);
    etcl_fork_init();
    etcl_threads_init();
    if (*config->process_group) {
        etcl_fatal_watch();
    }
    rv = etcl_origin_take(pool);
    if (!rv) {
        rv = etcl_home_resolve(config->python_home, pool, &home, why);
    }
    if (rv) {
        return rv;
    }
    etcl_setup_complain(config);
    status = preinitialize(config);
    if (PyStatus_Exception(status)) {
        return tell(status, pool, why);
    }
    rv = initialize(config, &home, pool, why);
    if (rv) {
        return rv;
    }
    if (!etcl_interp_main(config)) {
        PyErr_Print();
        *why = "ETCL0325: Python " PY_VERSION " started, but its set-up by "
               "mod_etcl failed; the traceback is in the log";
        rv = APR_EGENERAL;
    }
    etcl_outside_leave();
    return rv;
}

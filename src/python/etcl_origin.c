/* Describes to the Python files of this folder what their interpreter is
 * for. os.environ of CPython is made from the process's environment, which
 * any interpreter may have changed meanwhile: each gets the first one. */

#include "etcl_origin.h"

#include "etcl_clock.h"
#include "etcl_setup.h"
#include "etcl_start.h"

#include <apr_strings.h>
#include <unistd.h>

static char **first; /* the environment, ended by NULL */
static apr_int64_t began_us;

apr_status_t etcl_origin_take(apr_pool_t *pool)
{
    apr_size_t count = 0, i;

    began_us = etcl_clock_wall_us();
    while (environ && environ[count]) {
        count++;
    }
    first = apr_palloc(pool, (count + 1) * sizeof(*first));
    if (!first) {
        return APR_ENOMEM;
    }
    for (i = 0; i < count; i++) {
        first[i] = apr_pstrdup(pool, environ[i]);
    }
    first[count] = NULL;
    return APR_SUCCESS;
}

void etcl_origin_begin(void)
{
    began_us = etcl_clock_wall_us();
}

/* b"NAME=value" of each variable. */
static PyObject *list_environment(void)
{
    PyObject *list = PyList_New(0);
    char **at;

    for (at = first; list && *at; at++) {
        PyObject *item = PyBytes_FromString(*at);

        if (!item || PyList_Append(list, item)) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *text_or_none(const char *text)
{
    if (!text) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeFSDefault(text);
}

/* python-path, then those of the rules: what comes later ends up first. */
static PyObject *list_paths(const char *app_group)
{
    const etcl_runtime_config_t *config = etcl_start_config();
    PyObject *list = Py_BuildValue("[N]", text_or_none(config->python_path));
    int i;

    for (i = 0; list && i < config->rule_count; i++) {
        const etcl_rule_t *rule = &config->rules[i];

        if (rule->python_path && etcl_setup_match(rule, app_group)) {
            PyObject *item = text_or_none(rule->python_path);

            if (!item || PyList_Append(list, item)) {
                Py_CLEAR(list);
            }
            Py_XDECREF(item);
        }
    }
    return list;
}

static PyObject *describe_apache(const etcl_runtime_config_t *config)
{
    return Py_BuildValue(
        "{s(iii)sNsNsNsisi}", "version", config->apache_version[0],
        config->apache_version[1], config->apache_version[2], "description",
        text_or_none(config->server_banner), "mpm_name",
        text_or_none(config->mpm_name), "build_date",
        text_or_none(config->build_date), "maximum_processes",
        config->mpm_processes, "threads_per_process", config->mpm_threads);
}

/* Takes over `value`; 0, or -1 with the Python error set. */
static int put(PyObject *dict, const char *key, PyObject *value)
{
    int rv = value ? PyDict_SetItemString(dict, key, value) : -1;

    Py_XDECREF(value);
    return rv;
}

static int put_rules(PyObject *dict, const etcl_interp_t *interp)
{
    etcl_setup_t rules;

    etcl_setup_settle(etcl_start_config(), interp->name, &rules);
    if (put(dict, "restrict_stdin", PyBool_FromLong(rules.restrict_stdin)) ||
        put(dict, "restrict_stdout", PyBool_FromLong(rules.restrict_stdout)) ||
        put(dict, "restrict_signal", PyBool_FromLong(rules.restrict_signal))) {
        return -1;
    }
    return put(dict, "switch_interval",
               PyFloat_FromDouble(rules.switch_interval));
}

PyObject *etcl_origin_describe(etcl_interp_t *interp)
{
    const etcl_runtime_config_t *config = etcl_start_config();
    PyObject *dict = Py_BuildValue(
        "{sNsNsNsNsNsisisisisd}", "process_group",
        PyUnicode_DecodeFSDefault(config->process_group), "application_group",
        PyUnicode_DecodeFSDefault(interp->name), "home",
        text_or_none(config->home), "user", text_or_none(config->user),
        "user_home", text_or_none(config->user_home), "threads",
        config->threads, "processes", config->processes, "service",
        config->service, "forks", config->forks, "started",
        (double)began_us / 1e6);

    if (dict &&
        (put_rules(dict, interp) ||
         put(dict, "is_main", PyBool_FromLong(!*interp->name)) ||
         put(dict, "python_paths", list_paths(interp->name)) ||
         put(dict, "environment", list_environment()) ||
         put(dict, "apache", describe_apache(config)) ||
         put(dict, "handle", PyCapsule_New(interp, "etcl_interp_t", NULL)))) {
        Py_CLEAR(dict);
    }
    return dict;
}

/* Settles <WSGIInterpreterOptions> for an interpreter: from the least to the
 * most specific rule, each says what it says. It sets nothing. */

#include "etcl_setup.h"

#include "etcl_python.h"
#include "etcl_say.h"

int etcl_setup_match(const etcl_rule_t *rule, const char *app_group)
{
    return !rule->app_group || !strcmp(rule->app_group, app_group);
}

static void take(int *setting, int value)
{
    if (value >= 0) {
        *setting = value;
    }
}

static void apply(const etcl_rule_t *rule, int shares_gil, etcl_setup_t *out)
{
    take(&out->restrict_stdin, rule->restrict_stdin);
    take(&out->restrict_stdout, rule->restrict_stdout);
    take(&out->restrict_signal, rule->restrict_signal);
    if (rule->switch_interval > 0 && !shares_gil) {
        out->switch_interval = rule->switch_interval;
    }
}

/* A GIL of its own has neither the main interpreter nor a sub-interpreter
 * before 3.12; under free threading there is none to own. */
static int settle_gil(const etcl_runtime_config_t *config,
                      const char *app_group)
{
    int own = config->own_gil;
    int i;

    for (i = 0; i < config->rule_count; i++) {
        if (etcl_setup_match(&config->rules[i], app_group)) {
            take(&own, config->rules[i].own_gil);
        }
    }
#if PY_VERSION_HEX >= 0x030c0000 && !defined(Py_GIL_DISABLED)
    return own && *app_group;
#else
    return 0;
#endif
}

void etcl_setup_settle(const etcl_runtime_config_t *config,
                       const char *app_group, etcl_setup_t *out)
{
    int shares_gil, i;

    *out = (etcl_setup_t){ .own_gil = settle_gil(config, app_group),
                           .switch_interval = config->switch_interval,
                           .restrict_stdin = config->restrict_stdin,
                           .restrict_stdout = config->restrict_stdout,
                           .restrict_signal = config->restrict_signal };
    shares_gil = *app_group && !out->own_gil;
    for (i = 0; i < config->rule_count; i++) {
        if (etcl_setup_match(&config->rules[i], app_group)) {
            apply(&config->rules[i], shares_gil, out);
        }
    }
    if (shares_gil) {
        out->switch_interval = 0; /* the main interpreter's holds */
    }
    if (config->service || !config->threads) {
        out->restrict_signal = 0;
    }
}

static void complain_of(const etcl_runtime_config_t *config,
                        const etcl_rule_t *rule)
{
    if (!rule->app_group) {
        return;
    }
    if (rule->free_threading >= 0) {
        etcl_say_process(ETCL_LOG_WARNING,
                         "ETCL0337: WSGIFreeThreading for application-group "
                         "'%s' is ignored: it holds for the whole process",
                         rule->app_group);
    }
    if (rule->switch_interval > 0 && *rule->app_group &&
        !settle_gil(config, rule->app_group)) {
        etcl_say_process(ETCL_LOG_WARNING,
                         "ETCL0339: WSGISwitchInterval for application-group "
                         "'%s' is ignored: it shares the GIL, and with it the "
                         "interval, of the main interpreter",
                         rule->app_group);
    }
}

void etcl_setup_complain(const etcl_runtime_config_t *config)
{
    int own_gil = config->own_gil > 0;
    int free_threading = config->free_threading > 0;
    int i;

    for (i = 0; i < config->rule_count; i++) {
        own_gil |= config->rules[i].own_gil > 0;
        free_threading |= config->rules[i].free_threading > 0;
        complain_of(config, &config->rules[i]);
    }
#if PY_VERSION_HEX < 0x030c0000
    if (own_gil) {
        etcl_say_process(
            ETCL_LOG_WARNING,
            "ETCL0335: WSGIPerInterpreterGIL is ignored: Python " PY_VERSION
            " has one GIL for all interpreters; 3.12 "
            "or newer is needed");
    }
#endif
#ifndef Py_GIL_DISABLED
    if (free_threading) {
        etcl_say_process(
            ETCL_LOG_WARNING,
            "ETCL0336: WSGIFreeThreading is ignored: Python " PY_VERSION
            " was not built for it");
    }
#endif
    (void)own_gil;
    (void)free_threading;
}

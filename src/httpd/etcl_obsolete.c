/* What is accepted is still read strictly: a line that mod_wsgi refuses is
 * refused, too. */

#include "etcl_obsolete.h"
#include "etcl_setters.h"
#include "etcl_text.h"

#define INTERVAL_MIN 0.5

const char *etcl_tuning_accept_mutex(cmd_parms *cmd, void *dir, const char *arg)
{
    static const char *const known[] = { "default", "flock",    "fcntl",
                                         "sysvsem", "posixsem", "pthread",
                                         NULL };
    int i;

    for (i = 0; known[i]; ++i) {
        if (!strcasecmp(arg, known[i])) {
            return etcl_setters_GLOBAL_TEXT(cmd, dir, arg);
        }
    }
    return apr_psprintf(cmd->pool,
                        "WSGIAcceptMutex: \"%s\" is not one of default, "
                        "flock, fcntl, sysvsem, posixsem, pthread",
                        arg);
}

static const char *set_interval(const cmd_parms *cmd, const char *args)
{
    const char *name = NULL, *value = "";
    const char *wrong = etcl_setters_option(cmd, &args, &name, &value);
    double seconds;

    if (wrong || !name) {
        return wrong;
    }
    if (strcmp(name, "interval") || args[strspn(args, " \t")]) {
        return "WSGITelemetryService: only interval=seconds may follow the "
               "target";
    }
    if (etcl_text_float(etcl_span(value), &seconds) || seconds < INTERVAL_MIN) {
        return apr_psprintf(cmd->pool,
                            "WSGITelemetryService: interval=%s must be at "
                            "least 0.5 seconds",
                            value);
    }
    return NULL;
}

const char *etcl_tuning_telemetry_service(cmd_parms *cmd, void *dir,
                                          const char *args)
{
    const char *target = ap_getword_conf(cmd->pool, &args);
    const char *wrong;

    if (!*target) {
        return "WSGITelemetryService needs a target, unix:/path";
    }
    if (strncmp(target, "unix:/", 6)) {
        return apr_psprintf(cmd->pool,
                            "WSGITelemetryService: \"%s\" is not unix:/path; "
                            "UDP is no longer supported",
                            target);
    }
    wrong = set_interval(cmd, args);
    return wrong ? wrong : etcl_setters_GLOBAL_TEXT(cmd, dir, target);
}

static const char *judge_option(const cmd_parms *cmd, const char *word,
                                int *signs, int *plain)
{
    const int is_signed = *word == '+' || *word == '-';
    const char *name = word + is_signed;

    *signs |= is_signed;
    *plain |= !is_signed;
    if (strcasecmp(name, "CaptureUserAgent") &&
        (is_signed || (strcasecmp(name, "None") && strcasecmp(name, "All")))) {
        return apr_psprintf(cmd->pool,
                            "WSGITelemetryOptions: illegal option %s; there "
                            "are [+|-]CaptureUserAgent, None and All",
                            word);
    }
    return NULL;
}

const char *etcl_tuning_telemetry_options(cmd_parms *cmd, void *dir,
                                          const char *args)
{
    const char *line = apr_pstrdup(cmd->pool, args), *wrong = NULL;
    int signs = 0, plain = 0;

    if (!*args) {
        return "WSGITelemetryOptions needs an option";
    }
    while (*args && !wrong) {
        wrong = judge_option(cmd, ap_getword_conf(cmd->pool, &args), &signs,
                             &plain);
    }
    if (!wrong && signs && plain) {
        wrong = "WSGITelemetryOptions: either all options or none have a "
                "+ or -";
    }
    return wrong ? wrong : etcl_setters_GLOBAL_TEXT(cmd, dir, line);
}

const char *etcl_tuning_slow_requests(cmd_parms *cmd, void *dir,
                                      const char *arg)
{
    double seconds;

    if (etcl_text_float(etcl_span(arg), &seconds)) {
        return apr_psprintf(cmd->pool,
                            "WSGISlowRequests: \"%s\" must be seconds, 0 or "
                            "more",
                            arg);
    }
    return etcl_setters_GLOBAL_TEXT(cmd, dir, arg);
}

static void tell_telemetry(server_rec *server, apr_pool_t *pool)
{
    const etcl_main_t *own = etcl_config_main();
    const etcl_setting_t *first = &own->telemetry_service;

    if (!first->stated) {
        first = &own->slow_requests;
    }
    if (!first->stated) {
        first = &own->telemetry_options;
    }
    if (!first->stated) {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                 "ETCL0060: %s: WSGITelemetryService, WSGISlowRequests and "
                 "WSGITelemetryOptions have no effect: nothing is sent. "
                 "Instead: mod_wsgi.request_metrics() and subscribe_events() "
                 "in the application, request-timeout= for slow requests",
                 etcl_config_place(pool, &first->place));
}

const char *etcl_setters_dir_REQUEST(cmd_parms *cmd, void *dir, int flag)
{
    if (flag) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, cmd->server,
                     "ETCL0040: %s:%d: WSGIPassApacheRequest has no effect: "
                     "environ has no apache.request_rec, for Apache's own "
                     "memory is not handed to applications",
                     cmd->directive ? cmd->directive->filename : "",
                     cmd->directive ? cmd->directive->line_num : 0);
    }
    return etcl_setters_dir_FLAG(cmd, dir, flag);
}

void etcl_obsolete_tell(server_rec *server, apr_pool_t *pool)
{
    const etcl_main_t *own = etcl_config_main();

    tell_telemetry(server, pool);
    if (own->accept_mutex.stated) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, server,
                     "ETCL0061: %s: WSGIAcceptMutex has no effect: each "
                     "worker has a socket of its own, and nothing needs a "
                     "mutex",
                     etcl_config_place(pool, &own->accept_mutex.place));
    }
    if (own->verbose_debugging.stated) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, server,
                     "ETCL0062: %s: WSGIVerboseDebugging has no effect: use "
                     "LogLevel etcl:debug",
                     etcl_config_place(pool, &own->verbose_debugging.place));
    }
}

/* Judges what tunes Python, strictly, and hands it to both kinds of process
 * that run it. What applies to one interpreter only is etcl_rules.c's. */

#include "etcl_tuning.h"
#include "etcl_rules.h"
#include "etcl_setters.h"
#include "etcl_text.h"

#include <ap_mpm.h>

#define SEED_MAX APR_INT64_C(4294967295)

static const char *say(const cmd_parms *cmd, const char *arg, const char *want)
{
    return apr_psprintf(cmd->pool, "%s: \"%s\" must be %s", cmd->cmd->name, arg,
                        want);
}

const char *etcl_tuning_python_optimize(cmd_parms *cmd, void *dir,
                                        const char *arg)
{
    const char *wrong = etcl_setters_GLOBAL_TEXT(cmd, dir, arg);

    if (wrong) {
        return wrong;
    }
    if (strlen(arg) != 1 || *arg < '0' || *arg > '2') {
        return say(cmd, arg, "0, 1 or 2");
    }
    etcl_config_server(cmd->server)->main.python_optimize.flag = *arg - '0';
    return NULL;
}

const char *etcl_tuning_python_hash_seed(cmd_parms *cmd, void *dir,
                                         const char *arg)
{
    apr_int64_t seed;

    if (strcmp(arg, "random") &&
        (etcl_text_int(etcl_span(arg), &seed) || seed < 0 || seed > SEED_MAX)) {
        return say(cmd, arg, "random, or a number from 0 to 4294967295");
    }
    return etcl_setters_GLOBAL_TEXT(cmd, dir, arg);
}

const char *etcl_tuning_python_warnings(cmd_parms *cmd, void *dir,
                                        const char *arg)
{
    const char *wrong = etcl_setters_GLOBAL_TEXT(cmd, dir, arg);

    if (!wrong) {
        *(const char **)apr_array_push(etcl_config_register()->warnings) = arg;
    }
    return wrong;
}

const char *etcl_tuning_seconds(const cmd_parms *cmd, const char *text,
                                double *out)
{
    if (etcl_text_float(etcl_span(text), out) || *out <= 0) {
        return say(cmd, text, "seconds above 0, such as 0.005");
    }
    return NULL;
}

const char *etcl_tuning_switch_interval(cmd_parms *cmd, void *dir,
                                        const char *arg)
{
    double seconds;
    const char *wrong = etcl_tuning_seconds(cmd, arg, &seconds);

    return wrong ? wrong : etcl_setters_GLOBAL_TEXT(cmd, dir, arg);
}

/* Ended by NULL; NULL when there are none. */
static const char *const *warnings(apr_pool_t *pool)
{
    const apr_array_header_t *all = etcl_config_register()->warnings;
    const char **out;

    if (!all->nelts) {
        return NULL;
    }
    out = apr_pcalloc(pool, sizeof *out * ((apr_size_t)all->nelts + 1));
    memcpy(out, all->elts, sizeof *out * (apr_size_t)all->nelts);
    return out;
}

void etcl_tuning_child(etcl_runtime_config_t *config, apr_pool_t *pool)
{
    const etcl_main_t *own = etcl_config_main();

    config->optimize = own->python_optimize.flag;
    config->hash_seed = own->python_hash_seed.text;
    config->warnings = warnings(pool);
    config->write_bytecode = !own->dont_write_bytecode.flag;
    config->destroy_interpreter =
        etcl_config_flag(&own->destroy_interpreter, 1);
    config->own_gil = own->per_interpreter_gil.flag;
    config->free_threading = own->free_threading.flag;
    config->restrict_stdin = own->restrict_stdin.flag;
    config->restrict_stdout = own->restrict_stdout.flag;
    config->restrict_signal = etcl_config_flag(&own->restrict_signal, 1);
    config->case_sensitive = etcl_config_flag(&own->case_sensitivity, 1);
    if (own->switch_interval.text) {
        etcl_text_float(etcl_span(own->switch_interval.text),
                        &config->switch_interval);
    }
    config->rules = etcl_rules_of("", pool, &config->rule_count);
}

void etcl_tuning_group(etcl_group_t *group, apr_pool_t *pool)
{
    const etcl_main_t *own = etcl_config_main();

    group->optimize = own->python_optimize.flag;
    group->hash_seed = own->python_hash_seed.text;
    group->warnings = warnings(pool);
    group->write_bytecode = !own->dont_write_bytecode.flag;
    group->destroy_interpreter = etcl_config_flag(&own->destroy_interpreter, 1);
    group->own_gil = own->per_interpreter_gil.flag;
    group->free_threading = own->free_threading.flag;
    group->restrict_stdin = own->restrict_stdin.flag;
    group->restrict_stdout = own->restrict_stdout.flag;
    group->restrict_signal = etcl_config_flag(&own->restrict_signal, 1);
    group->case_sensitive = etcl_config_flag(&own->case_sensitivity, 1);
    group->rules = etcl_rules_of(group->name, pool, &group->rule_count);
}

int etcl_tuning_mpm(int query, int unknown)
{
    int number = 0;

    return ap_mpm_query(query, &number) || number <= 0 ? unknown : number;
}

void etcl_tuning_group_mpm(etcl_group_t *group)
{
    group->mpm_name = ap_show_mpm();
    group->build_date = ap_get_server_built();
    group->mpm_processes = etcl_tuning_mpm(AP_MPMQ_MAX_DAEMONS, 0);
    group->mpm_threads = etcl_tuning_mpm(AP_MPMQ_MAX_THREADS, 1);
}

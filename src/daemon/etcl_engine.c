/* Opens a runtime and translates a group into its configuration. Nothing of
 * Python runs here. */

#include "etcl_engine.h"
#include "etcl_environment.h"
#include "etcl_journal.h"

#include <dlfcn.h>

static const etcl_runtime_t *opened;

static const etcl_runtime_t *refuse(const etcl_group_t *group, const char *why)
{
    etcl_journal_say(ETCL_LOG_CRIT,
                     "ETCL0244: group %s cannot load its Python runtime %s: "
                     "%s",
                     group->name, group->runtime ? group->runtime : "(none)",
                     why ? why : "not a runtime of this mod_etcl");
    return NULL;
}

/* RTLD_GLOBAL: extension modules of distributions are not linked with
 * libpython and expect its symbols in the process. */
const etcl_runtime_t *etcl_engine_open(const etcl_group_t *group)
{
    const etcl_runtime_t *runtime;
    void *object;

    if (opened) {
        return opened;
    }
    object =
        group->runtime ? dlopen(group->runtime, RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (!object) {
        return refuse(group, group->runtime ? dlerror() : NULL);
    }
    runtime = dlsym(object, ETCL_RUNTIME_SYMBOL);
    if (!runtime || runtime->abi != ETCL_RUNTIME_ABI) {
        return refuse(group, NULL);
    }
    opened = runtime;
    return runtime;
}

static void configure_python(const etcl_group_t *group,
                             etcl_runtime_config_t *out)
{
    const etcl_group_options_t *options = &group->options;

    out->python_home = options->python_home;
    out->python_path = options->python_path;
    out->hash_seed = group->hash_seed;
    out->warnings = group->warnings;
    out->optimize = group->optimize;
    out->write_bytecode = group->write_bytecode;
    out->utf8_mode = etcl_environment_is_plain() ? 1 : -1;
    out->restrict_stdin = group->restrict_stdin;
    out->restrict_stdout = group->restrict_stdout;
    out->restrict_signal = group->restrict_signal && options->threads;
    out->destroy_interpreter = group->destroy_interpreter;
    out->switch_interval = options->switch_interval;
    out->own_gil = group->own_gil;
    out->free_threading = group->free_threading;
    out->case_sensitive = group->case_sensitive;
    out->rules = group->rules;
    out->rule_count = group->rule_count;
}

void etcl_engine_configure(const etcl_group_t *group,
                           etcl_runtime_config_t *out)
{
    const etcl_group_options_t *options = &group->options;

    *out = (etcl_runtime_config_t){ .process_group = group->name };
    configure_python(group, out);
    out->home = options->home;
    out->user = group->user_name;
    out->user_home = group->user_home;
    out->server_banner = group->server_banner;
    out->threads = (int)options->threads;
    out->service = !options->threads;
    out->processes = (int)options->processes;
    out->multithread = options->threads > 1;
    out->run_once = options->threads == 1 && options->maximum_requests == 1;
    out->multiprocess =
        options->processes > 1 || etcl_group_states(group, "processes");
    out->mpm_name = group->mpm_name;
    out->build_date = group->build_date;
    out->mpm_processes = group->mpm_processes;
    out->mpm_threads = group->mpm_threads;
    memcpy(out->apache_version, group->apache_version,
           sizeof(out->apache_version));
}

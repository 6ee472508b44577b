/* Carries out the environment options of a group. Accounts are numbers and
 * names that the parent resolved: nothing is looked up here. */

#include "etcl_environment.h"
#include "etcl_envfile.h"
#include "etcl_journal.h"
#include "etcl_locales.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Dates in log lines go by the machine's time zone, which is a file outside
 * of the new root. */
static apr_status_t change_root(const etcl_group_t *group)
{
    const char *root = group->options.chroot;

    tzset();
    if (root && (chroot(root) || chdir("/"))) {
        etcl_journal_say(ETCL_LOG_CRIT,
                         "ETCL0224: group %s cannot use chroot=%s: %s",
                         group->name, root, strerror(errno));
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

apr_status_t etcl_environment_enter(const etcl_group_t *group)
{
    int priority = (int)group->options.cpu_priority;

    if (priority && setpriority(PRIO_PROCESS, 0, priority)) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0225: group %s goes on without cpu-priority=%d: "
                         "%s",
                         group->name, priority, strerror(errno));
    }
    return change_root(group);
}

/* An account for a service often has a home that does not exist. That is no
 * reason not to serve, unless it was asked for. */
static apr_status_t stay_away(const etcl_group_t *group)
{
    etcl_journal_say(ETCL_LOG_INFO,
                     "ETCL0229: group %s runs in /: the home of user %s, %s, "
                     "cannot be entered: %s; home= states another",
                     group->name, group->user_name ? group->user_name : "?",
                     group->work_dir, strerror(errno));
    return chdir("/") ? APR_EGENERAL : APR_SUCCESS;
}

static apr_status_t go_home(const etcl_group_t *group)
{
    if (!group->work_dir || !chdir(group->work_dir)) {
        return APR_SUCCESS;
    }
    if (!group->options.home) {
        return stay_away(group);
    }
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0226: group %s (user %s) cannot change to its home "
                     "%s: %s; state another with home=",
                     group->name, group->user_name ? group->user_name : "?",
                     group->work_dir, strerror(errno));
    return APR_EGENERAL;
}

static void set_variable(const char *name, const char *value)
{
    if (value) {
        setenv(name, value, 1);
    }
}

/* A variable of the account that Apache was started with is not left to lie
 * about this one. */
static void replace_variable(const char *name, const char *value)
{
    if (getenv(name)) {
        set_variable(name, value);
    }
}

static void set_variables(const etcl_group_t *group, apr_pool_t *pool)
{
    const etcl_group_options_t *options = &group->options;
    const char *list = options->env, *name, *value;

    set_variable("HOME", group->user_home);
    replace_variable("USER", group->user_name);
    replace_variable("USERNAME", group->user_name);
    replace_variable("LOGNAME", group->user_name);
    set_variable("LANG", options->lang);
    set_variable("LC_ALL", options->locale);
    set_variable("PYTHON_EGG_CACHE", options->python_eggs);
    while ((list = etcl_envfile_next(list, pool, &name, &value))) {
        set_variable(name, value);
    }
}

static void set_locale(const etcl_group_t *group, apr_pool_t *pool)
{
    const etcl_group_options_t *options = &group->options;

    if (setlocale(LC_ALL, "") || (!options->locale && !options->lang)) {
        return;
    }
    etcl_journal_say(ETCL_LOG_WARNING,
                     "ETCL0227: group %s: %s=%s is not installed here, so "
                     "Python runs in UTF-8 mode without it; installed are: "
                     "%s",
                     group->name, options->locale ? "locale" : "lang",
                     options->locale ? options->locale : options->lang,
                     etcl_locales_list(pool));
}

apr_status_t etcl_environment_settle(const etcl_group_t *group,
                                     apr_pool_t *pool)
{
    if (group->options.umask >= 0) {
        umask((mode_t)group->options.umask);
    }
    set_variables(group, pool);
    set_locale(group, pool);
    return go_home(group);
}

static void limit(const etcl_group_t *group, int resource, const char *option,
                  apr_int64_t soft, apr_int64_t hard)
{
    struct rlimit value = { (rlim_t)soft, (rlim_t)hard };

    if (soft && setrlimit((__rlimit_resource_t)resource, &value)) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0228: group %s goes on without "
                         "%s=%" APR_INT64_T_FMT ": %s",
                         group->name, option, soft, strerror(errno));
    }
}

void etcl_environment_limit_memory(const etcl_group_t *group)
{
    const etcl_group_options_t *options = &group->options;

    limit(group, RLIMIT_DATA, "memory-limit", options->memory_limit,
          options->memory_limit);
    limit(group, RLIMIT_AS, "virtual-memory-limit",
          options->virtual_memory_limit, options->virtual_memory_limit);
}

void etcl_environment_limit_time(const etcl_group_t *group)
{
    const etcl_group_options_t *options = &group->options;

    limit(group, RLIMIT_CPU, "cpu-time-limit", options->cpu_time_limit,
          options->cpu_time_limit + 1 + options->shutdown_timeout);
}

int etcl_environment_is_plain(void)
{
    const char *name = setlocale(LC_CTYPE, NULL);

    return !name || !strcmp(name, "C") || !strcmp(name, "POSIX");
}

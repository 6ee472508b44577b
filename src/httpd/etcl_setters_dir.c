/* Parses the directives of a directory that name scripts, headers and
 * networks. Lines of one section add up; merging replaces (etcl_config.c). */

#include "etcl_setters_dir.h"
#include "etcl_proxy.h"
#include "etcl_setters.h"

const char *etcl_setters_dir_AUTO(cmd_parms *cmd, void *dir, const char *arg)
{
    static const char *const words[] = { "Off", "On", "Auto" };
    int i;

    for (i = ETCL_OFF; i <= ETCL_AUTO; ++i) {
        if (!strcasecmp(arg, words[i])) {
            etcl_setters_dir_FLAG(cmd, dir, 1);
            etcl_setters_at(dir, cmd)->flag = i;
            return NULL;
        }
    }
    return apr_pstrcat(cmd->pool, cmd->cmd->name, " must be Off | On | Auto",
                       NULL);
}

static const char *no_option(const cmd_parms *cmd, const char *name,
                             const char *known)
{
    return apr_psprintf(cmd->pool, "%s: invalid option %s; there are %s",
                        cmd->cmd->name, name, known);
}

static const char *set_option(const cmd_parms *cmd, etcl_aside_t *aside,
                              const char *name, const char *value)
{
    if (!strcmp(name, "process-group")) {
        if (!aside->is_htaccess) {
            etcl_setters_mention(cmd, value);
        }
        return etcl_setters_text(cmd, &aside->process_group, value);
    }
    if (!strcmp(name, "application-group")) {
        return etcl_setters_text(cmd, &aside->application_group, value);
    }
    return no_option(cmd, name, "process-group and application-group");
}

static const char *set_handler_option(const cmd_parms *cmd, etcl_aside_t *aside,
                                      const char *name, const char *value)
{
    if (!strcmp(name, "pass-authorization")) {
        return etcl_setters_pass(cmd, value, &aside->pass_authorization);
    }
    return set_option(cmd, aside, name, value);
}

typedef const char *set_option_t(const cmd_parms *cmd, etcl_aside_t *aside,
                                 const char *name, const char *value);

/* A file and its options: the rest of a line. */
static const char *read_aside(cmd_parms *cmd, const char *args,
                              set_option_t *set, etcl_aside_t **out)
{
    etcl_aside_t *aside = apr_pcalloc(cmd->pool, sizeof *aside);
    const char *wrong, *name, *value = "";

    aside->is_htaccess = ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != NULL;
    aside->script = ap_getword_conf(cmd->pool, &args);
    if (!*aside->script) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name,
                           " needs the path of a script", NULL);
    }
    while (!(wrong = etcl_setters_option(cmd, &args, &name, &value)) && name) {
        if ((wrong = set(cmd, aside, name, value))) {
            return wrong;
        }
    }
    *out = aside;
    return wrong;
}

static void state(const cmd_parms *cmd, etcl_setting_t *setting,
                  const void *value)
{
    *setting = (etcl_setting_t){ .value = value,
                                 .stated = 1,
                                 .place = etcl_setters_place(cmd) };
}

const char *etcl_setters_dir_SCRIPT(cmd_parms *cmd, void *dir, const char *args)
{
    etcl_aside_t *aside = NULL;
    const char *wrong = read_aside(cmd, args, set_option, &aside);

    if (!wrong) {
        state(cmd, etcl_setters_at(dir, cmd), aside);
    }
    return wrong;
}

const char *etcl_setters_dir_HANDLER(cmd_parms *cmd, void *dir,
                                     const char *args)
{
    etcl_setting_t *setting = etcl_setters_at(dir, cmd);
    const char *name = ap_getword_conf(cmd->pool, &args), *wrong;
    etcl_aside_t *aside = NULL;
    apr_hash_t *all;

    if (!*name) {
        return "WSGIHandlerScript needs the name of a handler";
    }
    wrong = read_aside(cmd, args, set_handler_option, &aside);
    if (wrong) {
        return wrong;
    }
    all = setting->stated ? apr_hash_copy(cmd->pool, setting->value)
                          : apr_hash_make(cmd->pool);
    apr_hash_set(all, name, APR_HASH_KEY_STRING, aside);
    state(cmd, setting, all);
    return NULL;
}

/* A list with room for one more; the first line of a section begins it. */
static void *push(const cmd_parms *cmd, etcl_setting_t *setting, int size)
{
    apr_array_header_t *list = setting->stated
                                   ? apr_array_copy(cmd->pool, setting->value)
                                   : apr_array_make(cmd->pool, 4, size);

    state(cmd, setting, list);
    return apr_array_push(list);
}

const char *etcl_setters_dir_HEADERS(cmd_parms *cmd, void *dir, const char *arg)
{
    char *name = apr_pstrdup(cmd->pool, arg), *at = name;

    while ((at = strchr(at, '_'))) {
        *at = '-';
    }
    *(const char **)push(cmd, etcl_setters_at(dir, cmd), sizeof name) = name;
    return NULL;
}

const char *etcl_setters_dir_NETS(cmd_parms *cmd, void *dir, const char *arg)
{
    etcl_proxy_net_t net;

    if (etcl_proxy_net(arg, &net)) {
        return apr_psprintf(cmd->pool,
                            "%s: \"%s\" is not an address, address/bits or "
                            "address/mask",
                            cmd->cmd->name, arg);
    }
    *(etcl_proxy_net_t *)push(cmd, etcl_setters_at(dir, cmd), sizeof net) = net;
    return NULL;
}

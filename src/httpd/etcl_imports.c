/* Collects what WSGIImportScript and the aliases with two literal groups
 * name. Who loads them: etcl_embedded.c, and the daemon of a group. */

#include "etcl_imports.h"
#include "etcl_expand.h"
#include "etcl_groups.h"
#include "etcl_setters.h"

static const char *group_of(const char *value)
{
    return strcmp(value, "%{GLOBAL}") ? value : "";
}

static const char *check_defined(const cmd_parms *cmd, const char *group)
{
    if (!*group || etcl_groups_find(group)) {
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "%s: the process group %s is not yet configured: put "
                        "its WSGIDaemonProcess above this line",
                        cmd->cmd->name, group);
}

static const char *read_options(const cmd_parms *cmd, const char *args,
                                etcl_import_t *item)
{
    const char *wrong, *name, *value = "";

    while (!(wrong = etcl_setters_option(cmd, &args, &name, &value)) && name) {
        if (!strcmp(name, "process-group")) {
            item->process_group = group_of(value);
        } else if (!strcmp(name, "application-group")) {
            item->app_group = value;
        } else {
            return apr_psprintf(cmd->pool,
                                "%s: invalid option %s; there are "
                                "process-group and application-group",
                                cmd->cmd->name, name);
        }
    }
    return wrong;
}

const char *etcl_setters_import_script(cmd_parms *cmd, void *dir,
                                       const char *args)
{
    etcl_import_t item = { .callable = "", .server = cmd->server };
    const char *wrong;

    (void)dir;
    item.script = ap_getword_conf(cmd->pool, &args);
    item.place = etcl_setters_place(cmd);
    if (!*item.script) {
        return "WSGIImportScript needs the path of a script";
    }
    wrong = read_options(cmd, args, &item);
    if (wrong) {
        return wrong;
    }
    if (!item.process_group) {
        return "WSGIImportScript: the option process-group= is missing";
    }
    if (!item.app_group) {
        return "WSGIImportScript: the option application-group= is missing";
    }
    wrong = check_defined(cmd, item.process_group);
    if (!wrong) {
        *(etcl_import_t *)apr_array_push(etcl_config_register()->imports) =
            item;
    }
    return wrong;
}

const char *etcl_imports_alias(cmd_parms *cmd, const etcl_alias_t *alias)
{
    etcl_import_t item = { .script = alias->target,
                           .callable = "application",
                           .server = cmd->server,
                           .place = alias->place };
    const char *wrong;

    if (!alias->process_group.stated || !alias->application_group.stated ||
        (alias->regex && ap_strchr_c(alias->target, '$'))) {
        return NULL;
    }
    item.process_group = group_of(alias->process_group.text);
    item.app_group = group_of(alias->application_group.text);
    if (*item.process_group == '%' || *item.app_group == '%') {
        return NULL;
    }
    wrong = check_defined(cmd, item.process_group);
    /* A group's aliases are known to it anyway (etcl_groups.c). */
    if (wrong || *item.process_group) {
        return wrong;
    }
    if (alias->callable_object.stated) {
        item.callable = alias->callable_object.text;
    }
    *(etcl_import_t *)apr_array_push(etcl_config_register()->imports) = item;
    return NULL;
}

static int is_reachable(server_rec *server, const etcl_import_t *item,
                        apr_pool_t *pool)
{
    const etcl_member_t *member;

    if (!*item->process_group) {
        return 1;
    }
    member = etcl_groups_find(item->process_group);
    if (member && etcl_groups_is_visible(member, item->server)) {
        return 1;
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                 "ETCL0063: %s: the process group %s belongs to another "
                 "virtual host and is not accessible here: define it outside, "
                 "or give both hosts the same ServerName",
                 etcl_config_place(pool, &item->place), item->process_group);
    return 0;
}

static void warn_restricted(server_rec *server, const etcl_import_t *item,
                            apr_pool_t *pool)
{
    if (*item->process_group ||
        !etcl_config_flag(&etcl_config_main()->restrict_embedded, 0)) {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                 "ETCL0064: %s: %s is not loaded into Apache's own processes: "
                 "WSGIRestrictEmbedded is On. Name a daemon process group, or "
                 "turn it Off",
                 etcl_config_place(pool, &item->place), item->script);
}

int etcl_imports_resolve(server_rec *server, apr_pool_t *pool)
{
    const apr_array_header_t *all = etcl_config_register()->imports;
    int i, errors = 0;

    for (i = 0; i < all->nelts; ++i) {
        etcl_import_t *item = &APR_ARRAY_IDX(all, i, etcl_import_t);

        if (item->app_group) {
            item->app_group =
                etcl_expand_early(item->server, item->app_group, NULL, pool);
        }
        if (!item->app_group) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                         "ETCL0065: %s: the application group of %s depends "
                         "on a request, and there is none yet: give its name",
                         etcl_config_place(pool, &item->place), item->script);
            ++errors;
        }
        errors += !is_reachable(server, item, pool);
        warn_restricted(server, item, pool);
    }
    return errors;
}

void etcl_imports_of(const etcl_member_t *member, apr_array_header_t *list)
{
    const apr_array_header_t *all = etcl_config_register()->imports;
    int i;

    for (i = 0; i < all->nelts; ++i) {
        const etcl_import_t *item = &APR_ARRAY_IDX(all, i, etcl_import_t);
        const char *script = etcl_groups_path(member, item->script);

        if (strcmp(item->process_group, member->group.name) || !script ||
            !item->app_group || list->nelts >= ETCL_GROUP_PRELOADS_MAX) {
            continue;
        }
        *(etcl_preload_t *)apr_array_push(list) = (etcl_preload_t){
            .script = script,
            .app_group = item->app_group,
            .callable = item->callable,
        };
    }
}

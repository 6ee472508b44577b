/* The groups of a configuration: definition, look-up, who may use them, and
 * what Apache's parent has to find out for their daemons. Starting them is
 * etcl_parent.c's. */

#include "etcl_groups.h"
#include "etcl_account.h"
#include "etcl_expand.h"
#include "etcl_runtimes.h"
#include "etcl_scripts.h"
#include "etcl_tuning.h"
#include "etcl_variables.h"

#include <util_script.h>

const char *etcl_groups_add(cmd_parms *cmd, etcl_member_t *member)
{
    etcl_register_t *reg = etcl_config_register();
    etcl_member_t *known = etcl_groups_find(member->group.name);
    const char *differs;

    if (known) {
        differs = etcl_group_differs(&known->group, &member->group);
        if (differs) {
            return apr_psprintf(
                cmd->pool,
                "WSGIDaemonProcess %s is defined differently at %s: option "
                "%s differs. Make both lines the same, or give one another "
                "name",
                member->group.name, etcl_config_place(cmd->pool, &known->place),
                differs);
        }
        *(server_rec **)apr_array_push(known->owners) = cmd->server;
        return NULL;
    }
    member->owners = apr_array_make(reg->pool, 2, sizeof(server_rec *));
    *(server_rec **)apr_array_push(member->owners) = cmd->server;
    *(etcl_member_t **)apr_array_push(reg->members) = member;
    apr_hash_set(reg->by_name, member->group.name, APR_HASH_KEY_STRING, member);
    return NULL;
}

etcl_member_t *etcl_groups_find(const char *name)
{
    return apr_hash_get(etcl_config_register()->by_name, name,
                        APR_HASH_KEY_STRING);
}

int etcl_groups_is_visible(const etcl_member_t *member,
                           const server_rec *server)
{
    int i;

    for (i = 0; i < member->owners->nelts; ++i) {
        const server_rec *owner =
            APR_ARRAY_IDX(member->owners, i, const server_rec *);

        if (owner == server || !owner->is_virtual) {
            return 1;
        }
        if (owner->server_hostname && server->server_hostname &&
            !strcasecmp(owner->server_hostname, server->server_hostname)) {
            return 1;
        }
    }
    return 0;
}

const char *etcl_groups_path(const etcl_member_t *member, const char *path)
{
    const char *jail = member->group.options.chroot;
    size_t len = jail ? strlen(jail) : 0;

    while (len && jail[len - 1] == '/') {
        --len;
    }
    if (!len) {
        return path;
    }
    return !strncmp(path, jail, len) && path[len] == '/' ? path + len : NULL;
}

static void log_unusable(const etcl_member_t *member, const char *why,
                         server_rec *server, apr_pool_t *pool)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                 "ETCL0001: %s: WSGIDaemonProcess %s: %s",
                 etcl_config_place(pool, &member->place), member->group.name,
                 why);
}

/* What a daemon must know and no option says; the defaults are those of the
 * directives that set them. */
static void resolve_server(etcl_group_t *group, const server_rec *owner)
{
    ap_version_t version;

    ap_get_server_revision(&version);
    group->timeout_us = group->options.socket_timeout
                            ? group->options.socket_timeout * APR_USEC_PER_SEC
                            : owner->timeout;
    group->slots = (int)group->options.processes * 2;
    group->log_level = ap_get_server_module_loglevel(owner, APLOG_MODULE_INDEX);
    group->server_banner = ap_get_server_banner();
    group->apache_version[0] = version.major;
    group->apache_version[1] = version.minor;
    group->apache_version[2] = version.patch;
    group->reload =
        etcl_config_flag(&((const etcl_dir_t *)ap_get_module_config(
                               owner->lookup_defaults, &etcl_module))
                              ->script_reloading,
                         1);
}

static const char *resolve_python(etcl_group_t *group, apr_pool_t *pool)
{
    const char *home = group->options.python_home;

    if (!home) {
        home = etcl_config_main()->python_home.text;
    }
    if (home) {
        group->options.python_home = etcl_runtimes_home(home, pool);
    }
    return etcl_runtimes_choose(group->options.python_home,
                                group->options.python_path, pool,
                                &group->runtime);
}

etcl_member_t *etcl_groups_of_alias(const etcl_alias_t *alias,
                                    server_rec *server, apr_pool_t *pool)
{
    const etcl_dir_t *dir =
        ap_get_module_config(server->lookup_defaults, &etcl_module);
    const char *group =
        etcl_config_text(&alias->process_group, &dir->process_group);
    etcl_member_t *member;

    group = group ? etcl_expand_early(server, group, NULL, pool) : NULL;
    member = group ? etcl_groups_find(group) : NULL;
    return member && etcl_groups_is_visible(member, server) ? member : NULL;
}

apr_status_t etcl_groups_resolve(server_rec *main_server, apr_pool_t *pool)
{
    const apr_array_header_t *members = etcl_config_register()->members;
    const apr_array_header_t *known = etcl_scripts_known(main_server, pool);
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < members->nelts; ++i) {
        etcl_member_t *member = APR_ARRAY_IDX(members, i, etcl_member_t *);
        const char *why = etcl_account_resolve(&member->group, pool);

        why = why ? why : etcl_variables_read(&member->group, pool);
        why = why ? why : resolve_python(&member->group, pool);
        if (why) {
            log_unusable(member, why, main_server, pool);
            rv = APR_EGENERAL;
        }
        resolve_server(&member->group,
                       APR_ARRAY_IDX(member->owners, 0, server_rec *));
        etcl_tuning_group(&member->group, pool);
        why = etcl_scripts_resolve(member, known, pool);
        if (why) {
            log_unusable(member, why, main_server, pool);
            rv = APR_EGENERAL;
        }
    }
    return rv;
}

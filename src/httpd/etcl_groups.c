/* The groups of a configuration: definition, look-up, who may use them, and
 * what Apache's parent has to find out for their daemons. Starting them is
 * etcl_parent.c's. */

#include "etcl_groups.h"
#include "etcl_account.h"
#include "etcl_expand.h"
#include "etcl_imports.h"
#include "etcl_page.h"
#include "etcl_runtimes.h"
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

/* A script that an alias of a server runs in a group, as far as the
 * configuration tells without a request. */
typedef struct {
    const etcl_alias_t *alias;
    server_rec *server;
    etcl_member_t *member;
    const char *app_group; /* NULL: depends on the request */
    const char *callable;
    int is_there; /* the script is a file */
} known_t;

static const char *setting_text(const etcl_setting_t *first,
                                const etcl_setting_t *then)
{
    return first->stated ? first->text : then->text;
}

etcl_member_t *etcl_groups_of_alias(const etcl_alias_t *alias,
                                    server_rec *server, apr_pool_t *pool)
{
    const etcl_dir_t *dir =
        ap_get_module_config(server->lookup_defaults, &etcl_module);
    const char *group =
        setting_text(&alias->process_group, &dir->process_group);
    etcl_member_t *member;

    group = group ? etcl_expand_early(server, group, NULL, pool) : NULL;
    member = group ? etcl_groups_find(group) : NULL;
    return member && etcl_groups_is_visible(member, server) ? member : NULL;
}

static int is_script(const etcl_alias_t *alias, apr_pool_t *pool)
{
    apr_finfo_t info;

    return !(alias->regex && ap_strchr_c(alias->target, '$')) &&
           !apr_stat(&info, alias->target, APR_FINFO_TYPE, pool) &&
           info.filetype == APR_REG;
}

/* Returns 1 when it is known which group will be asked. */
static int know_script(const etcl_alias_t *alias, server_rec *server,
                       apr_pool_t *pool, known_t *out)
{
    const etcl_dir_t *dir =
        ap_get_module_config(server->lookup_defaults, &etcl_module);

    *out = (known_t){ .alias = alias, .server = server };
    out->member = etcl_groups_of_alias(alias, server, pool);
    if (!out->member) {
        return 0;
    }
    out->is_there = is_script(alias, pool);
    out->app_group =
        setting_text(&alias->application_group, &dir->application_group);
    out->callable =
        setting_text(&alias->callable_object, &dir->callable_object);
    if (!out->callable || *out->callable == '%') {
        out->callable = "application";
    }
    return 1;
}

static apr_array_header_t *known_scripts(server_rec *main_server,
                                         apr_pool_t *pool)
{
    apr_array_header_t *out = apr_array_make(pool, 8, sizeof(known_t));
    server_rec *server;
    known_t known;
    int i;

    for (server = main_server; server; server = server->next) {
        const apr_array_header_t *aliases = etcl_config_server(server)->aliases;

        for (i = 0; i < aliases->nelts; ++i) {
            if (know_script(APR_ARRAY_IDX(aliases, i, const etcl_alias_t *),
                            server, pool, &known)) {
                *(known_t *)apr_array_push(out) = known;
            }
        }
    }
    return out;
}

/* An application is a script at a URL; in several virtual hosts, for http and
 * https for example, it is the same. */
static void count_script(etcl_member_t *member, const etcl_alias_t *alias)
{
    if (!member->scripts) {
        member->only_script = alias->target;
        member->only_mount = alias->url;
        member->scripts = 1;
    } else if (strcmp(member->only_script, alias->target) ||
               strcmp(member->only_mount, alias->url)) {
        member->scripts = 2;
    }
}

/* "/" has no script name; "/shop/" and "//shop" are "/shop". */
static const char *script_name(const etcl_alias_t *alias, apr_pool_t *pool)
{
    char *name;
    size_t len;

    if (alias->regex) {
        return NULL;
    }
    name = apr_pstrdup(pool, alias->url);
    ap_no2slash(name);
    len = strlen(name);
    if (len && name[len - 1] == '/') {
        name[len - 1] = '\0';
    }
    return name;
}

static int has_preload(const apr_array_header_t *list,
                       const etcl_preload_t *item)
{
    int i;

    for (i = 0; i < list->nelts; ++i) {
        const etcl_preload_t *each = &APR_ARRAY_IDX(list, i, etcl_preload_t);

        if (!strcmp(each->script, item->script) &&
            !strcmp(each->app_group, item->app_group) &&
            !strcmp(each->callable, item->callable)) {
            return 1;
        }
    }
    return 0;
}

/* Where a script will be: NULL in `app_group` or `script` if that depends. */
static etcl_preload_t place_of(const known_t *known, apr_pool_t *pool)
{
    etcl_preload_t item = { .callable = known->callable };

    item.script = etcl_groups_path(known->member, known->alias->target);
    if (known->app_group) {
        item.app_group =
            etcl_expand_early(known->server, known->app_group,
                              script_name(known->alias, pool), pool);
    } else if (known->member->scripts == 1) {
        item.app_group = "";
    } else {
        item.app_group =
            etcl_expand_early(known->server, "%{RESOURCE}",
                              script_name(known->alias, pool), pool);
    }
    return item;
}

static void add_preload(const known_t *known, apr_array_header_t *list,
                        apr_pool_t *pool)
{
    etcl_preload_t item = place_of(known, pool);

    if (item.script && item.app_group &&
        list->nelts < ETCL_GROUP_PRELOADS_MAX && !has_preload(list, &item)) {
        *(etcl_preload_t *)apr_array_push(list) = item;
    }
}

static void resolve_scripts(etcl_member_t *member,
                            const apr_array_header_t *known, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(etcl_preload_t));
    int i;

    etcl_imports_of(member, list);
    for (i = 0; i < known->nelts; ++i) {
        if (APR_ARRAY_IDX(known, i, known_t).member == member &&
            APR_ARRAY_IDX(known, i, known_t).is_there) {
            add_preload(&APR_ARRAY_IDX(known, i, known_t), list, pool);
        }
    }
    member->group.preloads = (const etcl_preload_t *)(void *)list->elts;
    member->group.preload_count = list->nelts;
}

static int has_name(const server_rec *server, const char *name)
{
    return server->server_hostname &&
           !strcasecmp(server->server_hostname, name);
}

/* Of several scripts the first is it, as for requests; with a host, the first
 * of that server. */
static const known_t *find_page(const etcl_member_t *member,
                                const apr_array_header_t *known,
                                const etcl_page_t *page, apr_pool_t *pool)
{
    const known_t *found = NULL;
    int i;

    for (i = 0; i < known->nelts; ++i) {
        const known_t *each = &APR_ARRAY_IDX(known, i, known_t);
        const char *mount = script_name(each->alias, pool);

        if (each->member != member || !mount ||
            !etcl_page_is_below(page->path, mount)) {
            continue;
        }
        if (!page->name || has_name(each->server, page->name)) {
            return each;
        }
        found = found ? found : each;
    }
    return found;
}

/* Returns what is wrong, or NULL. */
static const char *resolve_page(etcl_member_t *member,
                                const apr_array_header_t *known,
                                apr_pool_t *pool)
{
    etcl_group_t *group = &member->group;
    const char *stated = group->options.warm_up;
    const known_t *found;
    etcl_page_t page;

    if (!stated || etcl_page_parse(stated, pool, &page) != APR_SUCCESS) {
        return NULL;
    }
    found = find_page(member, known, &page, pool);
    if (!found) {
        return apr_psprintf(pool,
                            "warm-up=%s fits no WSGIScriptAlias that the "
                            "configuration gives to this group outside of "
                            "<Directory> and <Location>",
                            stated);
    }
    group->page = found->is_there ? place_of(found, pool)
                                  : (etcl_preload_t){ NULL, NULL, NULL };
    if (!group->page.app_group) {
        group->page.script = NULL;
    }
    group->page_mount = script_name(found->alias, pool);
    group->page_host = found->server->server_hostname
                           ? found->server->server_hostname
                           : "localhost";
    return NULL;
}

apr_status_t etcl_groups_resolve(server_rec *main_server, apr_pool_t *pool)
{
    const apr_array_header_t *members = etcl_config_register()->members;
    const apr_array_header_t *known = known_scripts(main_server, pool);
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < known->nelts; ++i) {
        if (APR_ARRAY_IDX(known, i, known_t).is_there) {
            count_script(APR_ARRAY_IDX(known, i, known_t).member,
                         APR_ARRAY_IDX(known, i, known_t).alias);
        }
    }
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
        resolve_scripts(member, known, pool);
        why = resolve_page(member, known, pool);
        if (why) {
            log_unusable(member, why, main_server, pool);
            rv = APR_EGENERAL;
        }
    }
    return rv;
}

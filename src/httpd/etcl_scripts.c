/* Which scripts a group runs, as far as the configuration tells: those that its
 * processes load ahead, and the one that answers warm-up=. Scripts that are
 * named without a URL are etcl_imports.c's. */

#include "etcl_scripts.h"
#include "etcl_expand.h"
#include "etcl_groups.h"
#include "etcl_imports.h"
#include "etcl_page.h"

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
        etcl_config_text(&alias->application_group, &dir->application_group);
    out->callable =
        etcl_config_text(&alias->callable_object, &dir->callable_object);
    if (!out->callable || *out->callable == '%') {
        out->callable = "application";
    }
    return 1;
}

/* An application is a script at a URL; in several virtual hosts, for http and
 * https for example, it is the same. */
static void count_script(const known_t *known)
{
    const etcl_alias_t *alias = known->alias;
    etcl_member_t *member = known->member;

    if (!known->is_there) {
        return;
    }
    if (!member->scripts) {
        member->only_script = alias->target;
        member->only_mount = alias->url;
        member->scripts = 1;
    } else if (strcmp(member->only_script, alias->target) ||
               strcmp(member->only_mount, alias->url)) {
        member->scripts = 2;
    }
}

apr_array_header_t *etcl_scripts_known(server_rec *main_server,
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
                count_script(&known);
                *(known_t *)apr_array_push(out) = known;
            }
        }
    }
    return out;
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

static void resolve_preloads(etcl_member_t *member,
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

const char *etcl_scripts_resolve(etcl_member_t *member,
                                 const apr_array_header_t *known,
                                 apr_pool_t *pool)
{
    resolve_preloads(member, known, pool);
    return resolve_page(member, known, pool);
}

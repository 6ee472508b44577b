/* Looks at what a configuration names before anybody asks for it: groups,
 * scripts, folders, locales. An error is what cannot work at all; what may
 * still be put right while Apache runs is a warning. Changes nothing. */

#include "etcl_check.h"
#include "etcl_access.h"
#include "etcl_groups.h"
#include "etcl_guise.h"
#include "etcl_imports.h"
#include "etcl_locales.h"
#include "etcl_obsolete.h"
#include "etcl_reach.h"
#include "etcl_runtimes.h"

#include <locale.h>
#include <unistd.h>

/* One check of a configuration. */
typedef struct {
    server_rec *server; /* the main one */
    apr_pool_t *pool;
    int errors;
} check_t;

static const char *at(const check_t *c, const etcl_place_t *place)
{
    return etcl_config_place(c->pool, place);
}

static void check_mentions(check_t *c)
{
    const apr_array_header_t *all = etcl_config_register()->mentions;
    int i;

    for (i = 0; i < all->nelts; ++i) {
        const etcl_mention_t *each = &APR_ARRAY_IDX(all, i, etcl_mention_t);

        if (*each->group == '%' || etcl_groups_find(each->group)) {
            continue;
        }
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, c->server,
                     "ETCL0002: %s: no WSGIDaemonProcess defines the process "
                     "group %s: define it, or correct the name",
                     at(c, &each->place), each->group);
        ++c->errors;
    }
}

/* Why a group cannot read what is there, and what to do about it. */
static const char *blocked(const check_t *c, const etcl_member_t *member,
                           const char *path, int *missing)
{
    const char *wrong =
        etcl_reach_blocked(&member->group, path, c->pool, missing);

    if (!wrong) {
        return NULL;
    }
    return apr_pstrcat(c->pool, wrong,
                       *missing ? "; create it, or correct the path"
                                : "; change the mode, or the group's user=",
                       NULL);
}

static const char *blocked_folder(const check_t *c, const etcl_member_t *member,
                                  const char *path)
{
    int missing;
    const char *wrong = blocked(c, member, path, &missing);

    if (!wrong && !ap_is_directory(c->pool, path)) {
        wrong = "it is not a folder; correct the path";
    }
    return wrong;
}

static void check_script(check_t *c, const etcl_alias_t *alias,
                         const etcl_member_t *member)
{
    const char *wrong;
    int missing;

    wrong = blocked(c, member, alias->target, &missing);
    if (!wrong) {
        return;
    }
    if (missing) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                     "ETCL0003: %s: the script %s cannot be found: %s",
                     at(c, &alias->place), alias->target, wrong);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                 "ETCL0004: %s: group %s cannot read the script %s: %s",
                 at(c, &alias->place), member->group.name, alias->target,
                 wrong);
}

static void check_access(check_t *c, const etcl_alias_t *alias)
{
    etcl_place_t where;

    if (!etcl_access_is_denied(alias->target, c->pool, &where)) {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                 "ETCL0011: %s: nobody may ask for the script %s: %s denies "
                 "it, and no Require grants it: add one for its folder",
                 at(c, &alias->place), alias->target, at(c, &where));
}

/* A virtual host has the main server's aliases too; one line is enough. */
static void check_aliases(check_t *c)
{
    apr_hash_t *seen = apr_hash_make(c->pool);
    server_rec *server;
    int i;

    for (server = c->server; server; server = server->next) {
        const apr_array_header_t *aliases = etcl_config_server(server)->aliases;

        for (i = 0; i < aliases->nelts; ++i) {
            const etcl_alias_t *alias =
                APR_ARRAY_IDX(aliases, i, const etcl_alias_t *);
            const etcl_member_t *member =
                etcl_groups_of_alias(alias, server, c->pool);

            if (apr_hash_get(seen, alias, sizeof *alias) ||
                (alias->regex && ap_strchr_c(alias->target, '$'))) {
                continue;
            }
            apr_hash_set(seen, alias, sizeof *alias, alias);
            check_access(c, alias);
            if (member) {
                check_script(c, alias, member);
            }
        }
    }
}

static int is_archive(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (!strcmp(dot, ".zip") || !strcmp(dot, ".egg") ||
                   !strcmp(dot, ".whl"));
}

static void check_path_entry(check_t *c, const etcl_member_t *member,
                             const char *entry)
{
    const char *wanted, *wrong;
    int missing;

    wrong = is_archive(entry) ? blocked(c, member, entry, &missing)
                              : blocked_folder(c, member, entry);
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                     "ETCL0005: %s: group %s cannot import from %s of its "
                     "python-path=: %s",
                     at(c, &member->place), member->group.name, entry, wrong);
    }
    wanted = etcl_runtimes_mismatch(entry, member->group.runtime, c->pool);
    if (wanted) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, c->server,
                     "ETCL0006: %s: %s of the python-path of group %s is for "
                     "Python %s, but the group runs Python %s: point it at "
                     "packages of that version",
                     at(c, &member->place), entry, member->group.name, wanted,
                     etcl_runtimes_version(member->group.runtime, c->pool));
        ++c->errors;
    }
}

static void check_path(check_t *c, const etcl_member_t *member)
{
    const char *path = member->group.options.python_path;
    char *rest, *entry;

    if (!path) {
        return;
    }
    entry = apr_strtok(apr_pstrdup(c->pool, path), ":", &rest);
    for (; entry; entry = apr_strtok(NULL, ":", &rest)) {
        check_path_entry(c, member, entry);
    }
}

static void check_watched(check_t *c, const etcl_member_t *member)
{
    const char *folders = member->group.options.reload_watch, *wrong;
    char *rest, *folder;

    folder =
        folders ? apr_strtok(apr_pstrdup(c->pool, folders), ":", &rest) : NULL;
    for (; folder; folder = apr_strtok(NULL, ":", &rest)) {
        wrong = blocked_folder(c, member, folder);
        if (wrong) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                         "ETCL0201: %s: group %s cannot watch the folder %s "
                         "of its reload-watch=: %s",
                         at(c, &member->place), member->group.name, folder,
                         wrong);
        }
    }
}

/* Where Python would find its library: what a virtual environment or an
 * installation has. */
static int is_home(const check_t *c, const etcl_member_t *member,
                   const char *home)
{
    const char *version = etcl_runtimes_version(member->group.runtime, c->pool);
    const char *marker = apr_pstrcat(c->pool, home, "/pyvenv.cfg", NULL);
    const char *library = apr_psprintf(c->pool, "%s/lib/python%s/encodings",
                                       home, version ? version : "");

    return !access(marker, F_OK) || !access(library, F_OK);
}

static void check_home(check_t *c, const etcl_member_t *member)
{
    const char *home = member->group.options.python_home, *wrong;

    if (!home) {
        return;
    }
    wrong = blocked_folder(c, member, home);
    if (!wrong && !is_home(c, member, home)) {
        wrong = "it is neither a virtual environment (no pyvenv.cfg) nor an "
                "installation of Python: name the folder that python -m venv "
                "made";
    }
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                     "ETCL0007: %s: python-home %s of group %s cannot be "
                     "used: %s",
                     at(c, &member->place), home, member->group.name, wrong);
    }
}

static void check_locale(check_t *c, const etcl_member_t *member,
                         const char *name)
{
    locale_t found;

    if (!name) {
        return;
    }
    found = newlocale(LC_ALL_MASK, name, (locale_t)0);
    if (found) {
        freelocale(found);
        return;
    }
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, c->server,
        "ETCL0008: %s: the locale %s of group %s is not installed; "
        "installed are: %s. Install it (Debian: apt-get install "
        "locales, then dpkg-reconfigure locales), or name one of these",
        at(c, &member->place), name, member->group.name,
        etcl_locales_list(c->pool));
}

/* A service is one process, whose script is its main program. */
static void check_preload(const check_t *c, const etcl_member_t *member)
{
    const etcl_group_options_t *options = &member->group.options;

    if (options->preload && !options->threads) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                     "ETCL0282: %s: preload=on has no effect in group %s: with "
                     "threads=0 nothing is loaded ahead: remove it",
                     at(c, &member->place), member->group.name);
    }
}

/* That it fits no script at all is an error already. */
static void check_page(const check_t *c, const etcl_member_t *member)
{
    const etcl_group_t *group = &member->group;

    if (group->options.warm_up &&
        (!group->page.script || !group->options.threads)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->server,
                     "ETCL0361: %s: warm-up=%s has no effect in group %s: %s",
                     at(c, &member->place), group->options.warm_up, group->name,
                     group->options.threads
                         ? "its script is not a file that the group can see"
                         : "with threads=0 nothing is asked: remove it");
    }
}

static void check_members(check_t *c)
{
    const apr_array_header_t *members = etcl_config_register()->members;
    int i;

    for (i = 0; i < members->nelts; ++i) {
        const etcl_member_t *member =
            APR_ARRAY_IDX(members, i, const etcl_member_t *);
        const etcl_group_options_t *options = &member->group.options;

        /* In a jail the paths are others. */
        if (!options->chroot) {
            check_home(c, member);
            check_path(c, member);
            check_watched(c, member);
        }
        check_preload(c, member);
        check_page(c, member);
        check_locale(c, member, options->locale);
        if (!options->locale ||
            (options->lang && strcmp(options->lang, options->locale))) {
            check_locale(c, member, options->lang);
        }
    }
}

static void check_prefix(check_t *c)
{
    const etcl_setting_t *prefix = &etcl_config_main()->socket_prefix;
    const char *path = prefix->text;
    char *folder;

    if (!path) {
        return;
    }
    path = ap_server_root_relative(c->pool, path);
    folder = path ? ap_make_dirstr_parent(c->pool, path) : NULL;
    if (!folder || !ap_is_directory(c->pool, folder)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, c->server,
                     "ETCL0009: %s: WSGISocketPrefix %s: the folder %s does "
                     "not exist: create it, or name another",
                     at(c, &prefix->place), prefix->text, folder ? folder : "");
        ++c->errors;
    }
}

/* Both would take every directive, and every request. */
static void check_alone(check_t *c)
{
    const etcl_register_t *reg = etcl_config_register();
    const apr_array_header_t *aliases = etcl_config_server(c->server)->aliases;
    const char *where = "";

    if (!etcl_guise_is_doubled()) {
        return;
    }
    if (reg->members->nelts) {
        where = at(c, &APR_ARRAY_IDX(reg->members, 0, etcl_member_t *)->place);
    } else if (aliases->nelts) {
        where = at(c, &APR_ARRAY_IDX(aliases, 0, etcl_alias_t *)->place);
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, c->server,
                 "ETCL0010: mod_wsgi is loaded beside mod_etcl, and both read "
                 "the same directives%s%s: remove one of the two LoadModule "
                 "lines (Debian: a2dismod wsgi)",
                 *where ? ", first at " : "", where);
    ++c->errors;
}

int etcl_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *server)
{
    check_t c = { .server = server, .pool = ptemp };

    (void)plog;
    /* httpd reads the configuration twice when it starts; once is enough. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
        ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_NORMAL) {
        return OK;
    }
    check_alone(&c);
    check_mentions(&c);
    check_prefix(&c);
    etcl_obsolete_tell(server, ptemp);
    c.errors += etcl_imports_resolve(server, pconf);
    if (etcl_groups_resolve(server, pconf)) {
        ++c.errors;
    } else {
        check_members(&c);
        check_aliases(&c);
    }
    return c.errors ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/* Decides where a request goes, from the configuration alone. A group that a
 * request may not use is an answer here; whether its workers live is not
 * asked. */

#include "etcl_route.h"
#include "etcl_expand.h"
#include "etcl_groups.h"
#include "etcl_owner.h"

static const char *text_of(const etcl_setting_t *alias,
                           const etcl_setting_t *dir, const char *unset)
{
    if (alias && alias->stated) {
        return alias->text;
    }
    return dir->stated ? dir->text : unset;
}

static int flag_of(const etcl_setting_t *alias, const etcl_setting_t *dir,
                   int unset)
{
    return alias && alias->stated ? alias->flag : etcl_config_flag(dir, unset);
}

static int find_member(request_rec *r, const char *group, etcl_route_t *out)
{
    if (!*group) {
        if (etcl_config_flag(
                &etcl_config_server(r->server)->main.restrict_embedded, 0)) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                          "ETCL0120: %s is to run in Apache's own processes, "
                          "which WSGIRestrictEmbedded forbids: name a group "
                          "with WSGIProcessGroup",
                          r->filename);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        return OK;
    }
    out->member = etcl_groups_find(group);
    if (!out->member) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0121: no WSGIDaemonProcess defines the group "
                      "\"%s\" that %s is to run in",
                      group, r->filename);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!etcl_groups_is_visible(out->member, r->server)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0122: the group \"%s\" belongs to another virtual "
                      "host (%s): define it outside, or give both hosts the "
                      "same ServerName",
                      group, etcl_config_place(r->pool, &out->member->place));
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

/* WSGIRestrictProcess: whether a group is among those that may be chosen. */
static int check_allowed(request_rec *r, const etcl_setting_t *allowed,
                         const char *group)
{
    const char *list = allowed->text, *word;

    while (list && *list) {
        word = ap_getword_conf(r->pool, &list);
        if (!strcmp(strcmp(word, "%{GLOBAL}") ? word : "", group)) {
            return OK;
        }
    }
    if (!allowed->stated) {
        return OK;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "ETCL0124: %s is to run in %s%s, which WSGIRestrictProcess "
                  "(%s) does not name",
                  r->filename, *group ? "group " : "Apache's own processes",
                  group, etcl_config_place(r->pool, &allowed->place));
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* The only application of a group has the main interpreter, where every
 * extension module works. */
static const char *default_app_group(request_rec *r, const etcl_route_t *out)
{
    const etcl_member_t *member = out->member;

    if (member && member->scripts == 1 &&
        !strcmp(member->only_script, r->filename)) {
        return "";
    }
    return etcl_expand_group(r, "%{RESOURCE}");
}

/* A group in a jail sees the script by its path in there. */
static int enter_jail(request_rec *r, etcl_route_t *out)
{
    const char *jail = out->member ? out->member->group.options.chroot : NULL;

    if (!jail) {
        return OK;
    }
    out->script = etcl_groups_path(out->member, r->filename);
    if (!out->script) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0123: the script %s is not below %s, the chroot= "
                      "of group %s",
                      r->filename, jail, out->member->group.name);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

int etcl_route_find(request_rec *r, etcl_route_t *out)
{
    const etcl_hit_t *hit = etcl_alias_hit(r);
    const etcl_alias_t *alias = hit ? hit->alias : NULL;
    const etcl_dir_t *dir = etcl_config_dir(r);
    const char *group, *callable;
    int status;

    *out = (etcl_route_t){ .script = r->filename };
    group =
        text_of(alias ? &alias->process_group : NULL, &dir->process_group, "");
    group = etcl_expand_group(r, group);
    status = check_allowed(r, &dir->restrict_process, group);
    if (status == OK) {
        status = find_member(r, group, out);
    }
    if (status == OK) {
        status = etcl_owner_check(r, out->member);
    }
    if (status != OK) {
        return status;
    }
    group = text_of(alias ? &alias->application_group : NULL,
                    &dir->application_group, NULL);
    out->app_group =
        group ? etcl_expand_group(r, group) : default_app_group(r, out);
    callable = text_of(NULL, &dir->callable_object, "application");
    out->callable = alias && alias->callable_object.stated
                        ? alias->callable_object.text
                        : etcl_expand_callable(r, callable);
    out->pass_authorization = flag_of(alias ? &alias->pass_authorization : NULL,
                                      &dir->pass_authorization, -1);
    out->reload = flag_of(NULL, &dir->script_reloading, 1);
    return enter_jail(r, out);
}

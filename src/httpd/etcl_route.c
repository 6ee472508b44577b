/* Decides where a request goes, from the configuration alone. A group that a
 * request may not use is an answer here; whether its workers live is not
 * asked. */

#include "etcl_route.h"
#include "etcl_dispatch.h"
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
                          out->target);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        return OK;
    }
    out->member = etcl_groups_find(group);
    if (!out->member) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0121: no WSGIDaemonProcess defines the group "
                      "\"%s\" that %s is to run in",
                      group, out->target);
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
int etcl_route_allow(request_rec *r, const char *group)
{
    const etcl_setting_t *allowed = &etcl_config_dir(r)->restrict_process;
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
                  "ETCL0125: %s is to run in %s%s, which WSGIRestrictProcess "
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
        !strcmp(member->only_script, out->target)) {
        return "";
    }
    return etcl_expand_group(r, "%{RESOURCE}");
}

/* A group in a jail sees the script by its path in there. */
static int enter_jail(request_rec *r, etcl_route_t *out)
{
    const char *jail = out->member ? out->member->group.options.chroot : NULL;

    out->script = out->target;
    if (!jail) {
        return OK;
    }
    out->script = etcl_groups_path(out->member, out->target);
    if (!out->script) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0123: the script %s is not below %s, the chroot= "
                      "of group %s",
                      out->target, jail, out->member->group.name);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

int etcl_route_enter(request_rec *r, const char *group, etcl_route_t *out)
{
    int status = find_member(r, group, out);

    if (status == OK) {
        status = etcl_owner_check(r, out->member, out->target);
    }
    return status == OK ? enter_jail(r, out) : status;
}

const etcl_aside_t *etcl_route_handler(const request_rec *r)
{
    const etcl_setting_t *all = &etcl_config_dir(r)->handler_script;

    if (!all->stated || !r->handler) {
        return NULL;
    }
    return apr_hash_get((apr_hash_t *)all->value, r->handler,
                        APR_HASH_KEY_STRING);
}

/* The options of a WSGIHandlerScript say more than where it stands. */
static void prefer(etcl_choice_t *choice, const etcl_aside_t *aside)
{
    if (aside->process_group.stated) {
        choice->process_group = aside->process_group.text;
    }
    if (aside->application_group.stated) {
        choice->application_group = aside->application_group.text;
    }
}

static const char *callable_of(request_rec *r, const etcl_alias_t *alias,
                               const char *value)
{
    if (value == ETCL_DISPATCH_KEPT && alias && alias->callable_object.stated) {
        return alias->callable_object.text;
    }
    if (value == ETCL_DISPATCH_KEPT) {
        value =
            text_of(NULL, &etcl_config_dir(r)->callable_object, "application");
    }
    return etcl_expand_callable(r, value);
}

static int choose(request_rec *r, const etcl_alias_t *alias,
                  const etcl_aside_t *handler, etcl_choice_t *out)
{
    const etcl_dir_t *dir = etcl_config_dir(r);
    int status;

    *out = (etcl_choice_t){
        .process_group = text_of(alias ? &alias->process_group : NULL,
                                 &dir->process_group, ""),
        .application_group = text_of(alias ? &alias->application_group : NULL,
                                     &dir->application_group, NULL),
        .callable = ETCL_DISPATCH_KEPT,
    };
    status = etcl_dispatch_ask(r, out);
    if (status == OK && handler) {
        prefer(out, handler);
    }
    return status;
}

int etcl_route_find(request_rec *r, etcl_route_t *out)
{
    const etcl_hit_t *hit = etcl_alias_hit(r);
    const etcl_alias_t *alias = hit ? hit->alias : NULL;
    const etcl_aside_t *handler = etcl_route_handler(r);
    const etcl_dir_t *dir = etcl_config_dir(r);
    const etcl_setting_t *pass = alias ? &alias->pass_authorization : NULL;
    etcl_choice_t choice;
    const char *group;
    int status = choose(r, alias, handler, &choice);

    if (status != OK) {
        return status;
    }
    *out = (etcl_route_t){ .target = handler ? handler->script : r->filename,
                           .is_handler = handler != NULL };
    group = etcl_expand_group(r, choice.process_group);
    status = etcl_route_allow(r, group);
    if (status == OK) {
        status = etcl_route_enter(r, group, out);
    }
    if (status != OK) {
        return status;
    }
    group = choice.application_group;
    out->app_group =
        group ? etcl_expand_group(r, group) : default_app_group(r, out);
    out->callable =
        handler ? "handle_request" : callable_of(r, alias, choice.callable);
    pass = handler ? &handler->pass_authorization : pass;
    out->pass_authorization = flag_of(pass, &dir->pass_authorization, -1);
    out->reload = flag_of(NULL, &dir->script_reloading, 1);
    return OK;
}

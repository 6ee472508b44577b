/* Finds where a script beside the application runs, and asks it there. What
 * the verdict means is for who asked. */

#include "etcl_question.h"
#include "etcl_expand.h"
#include "etcl_inside.h"
#include "etcl_remote.h"

/* A .htaccess may choose only where the administrator lets requests go. */
static int may_choose(request_rec *r, const char *group)
{
    const etcl_dir_t *dir = etcl_config_dir(r);
    const etcl_setting_t *usual = &dir->process_group;

    if (dir->restrict_process.stated) {
        return etcl_route_allow(r, group) == OK;
    }
    if (usual->stated && !strcmp(etcl_expand_group(r, usual->text), group)) {
        return 1;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "ETCL0181: a .htaccess names process-group=%s, which is "
                  "neither the WSGIProcessGroup of this place nor in a "
                  "WSGIRestrictProcess of it",
                  group);
    return 0;
}

static const char *group_of(request_rec *r, const etcl_aside_t *aside)
{
    const etcl_setting_t *usual = &etcl_config_dir(r)->process_group;
    const int is_restricted = etcl_config_flag(
        &etcl_config_server(r->server)->main.restrict_embedded, 0);
    const char *group = aside->process_group.text;

    if (!group && is_restricted && usual->stated) {
        group = usual->text;
    }
    group = group ? etcl_expand_group(r, group) : "";
    if (!*group && is_restricted) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0180: %s is to run in Apache's own processes, "
                      "which WSGIRestrictEmbedded forbids: say "
                      "process-group=name where the script is named",
                      aside->script);
        return NULL;
    }
    return group;
}

static int find_route(request_rec *r, const etcl_aside_t *aside,
                      etcl_route_t *out)
{
    const char *group = group_of(r, aside);
    const char *app_group = aside->application_group.text;

    if (!group || (aside->is_htaccess && aside->process_group.stated &&
                   !may_choose(r, group))) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    *out = (etcl_route_t){ .target = aside->script, .callable = "" };
    out->app_group = app_group ? etcl_expand_fixed(r, app_group) : "";
    out->reload = etcl_config_flag(&etcl_config_dir(r)->script_reloading, 1);
    return etcl_route_enter(r, group, out);
}

int etcl_question_ask(request_rec *r, const etcl_aside_t *aside,
                      etcl_question_t *question)
{
    etcl_body_t no_body = { .r = r, .ended = 1 };
    etcl_route_t route;
    int status = find_route(r, aside, &route);

    question->status = 0;
    if (status != OK) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    route.question = question;
    status = route.member ? etcl_remote_answer(r, &route, &no_body)
                          : etcl_inside_answer(r, &route, &no_body);
    if (status != OK || !question->status) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return question->status;
}

const etcl_aside_t *etcl_question_script(const etcl_setting_t *setting)
{
    return setting->stated ? setting->value : NULL;
}

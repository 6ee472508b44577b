/* Checks a request in the order in which mod_wsgi does, then lets the right
 * exchange answer it. The response is not written here. */

#include "etcl_handler.h"
#include "etcl_inside.h"
#include "etcl_remote.h"

static int is_script(const request_rec *r)
{
    return r->handler && (!strcmp(r->handler, "wsgi-script") ||
                          !strcmp(r->handler, "application/x-httpd-wsgi"));
}

/* An alias grants what elsewhere needs Options +ExecCGI. */
static int check_permission(request_rec *r)
{
    if (etcl_alias_hit(r) || (ap_allow_options(r) & OPT_EXECCGI)) {
        return OK;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "ETCL0100: %s may not be run: Options +ExecCGI is off in "
                  "its directory",
                  r->filename);
    return HTTP_FORBIDDEN;
}

static int check_script(request_rec *r)
{
    if (r->finfo.filetype == APR_NOFILE) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0101: there is no script %s", r->filename);
        return HTTP_NOT_FOUND;
    }
    if (r->finfo.filetype == APR_DIR) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0102: %s is a directory, not a script", r->filename);
        return HTTP_FORBIDDEN;
    }
    if (r->used_path_info == AP_REQ_REJECT_PATH_INFO && r->path_info &&
        *r->path_info) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0103: AcceptPathInfo is Off, and %s was asked for "
                      "with %s behind it",
                      r->filename, r->path_info);
        return HTTP_NOT_FOUND;
    }
    return OK;
}

static int answer(request_rec *r, const etcl_route_t *route, etcl_body_t *body)
{
    int status = route->member ? etcl_remote_answer(r, route, body)
                               : etcl_inside_answer(r, route, body);

    etcl_body_settle(body);
    return status;
}

int etcl_handler_answer(request_rec *r)
{
    etcl_route_t route;
    etcl_body_t body;
    int status = OK;

    if (r->uri[0] == '*') {
        return DECLINED;
    }
    /* With a WSGIHandlerScript the resource is none, and need not exist. */
    if (!etcl_route_handler(r)) {
        if (!is_script(r)) {
            return DECLINED;
        }
        status = check_permission(r);
        if (status == OK) {
            status = check_script(r);
        }
    }
    if (status == OK) {
        status = etcl_body_begin(&body, r);
    }
    if (status == OK) {
        status = etcl_route_find(r, &route);
    }
    return status == OK ? answer(r, &route, &body) : status;
}

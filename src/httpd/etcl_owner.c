/* Keeps a group from running a script that somebody else wrote: a protection
 * on machines where many may put files. Looks at the files at each request,
 * and only where an option asks for it. */

#include "etcl_owner.h"

#include <apr_file_info.h>
#include <apr_user.h>

#define OTHERS_WRITE APR_FPROT_WWRITE
#define ANYBODY_WRITE (APR_FPROT_WWRITE | APR_FPROT_GWRITE)

static const char *judge_user(const apr_finfo_t *info, const char *user,
                              apr_pool_t *pool)
{
    apr_uid_t uid;
    apr_gid_t gid;

    if (apr_uid_get(&uid, &gid, user, pool)) {
        return "there is no such account";
    }
    if (info->user != uid) {
        return "it belongs to somebody else";
    }
    return info->protection & ANYBODY_WRITE ? "others may write it" : NULL;
}

static const char *judge_group(const apr_finfo_t *info, const char *group,
                               apr_pool_t *pool)
{
    apr_gid_t gid;

    if (apr_gid_get(&gid, group, pool)) {
        return "there is no such account";
    }
    if (info->group != gid) {
        return "it belongs to another group";
    }
    return info->protection & OTHERS_WRITE ? "everybody may write it" : NULL;
}

static int check_path(request_rec *r, const etcl_member_t *member,
                      const char *path)
{
    const char *user = member->group.options.script_user;
    const char *group = member->group.options.script_group;
    const char *wrong = "it cannot be looked at";
    apr_finfo_t info;

    if (!apr_stat(&info, path, APR_FINFO_OWNER | APR_FINFO_PROT, r->pool)) {
        wrong = user ? judge_user(&info, user, r->pool)
                     : judge_group(&info, group, r->pool);
    }
    if (!wrong) {
        return OK;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "ETCL0124: %s is not what %s=%s of group %s wants: %s", path,
                  user ? "script-user" : "script-group", user ? user : group,
                  member->group.name, wrong);
    return HTTP_FORBIDDEN;
}

int etcl_owner_check(request_rec *r, const etcl_member_t *member,
                     const char *script)
{
    int status;

    if (!member || (!member->group.options.script_user &&
                    !member->group.options.script_group)) {
        return OK;
    }
    status = check_path(r, member, script);
    return status != OK
               ? status
               : check_path(r, member, ap_make_dirstr_parent(r->pool, script));
}

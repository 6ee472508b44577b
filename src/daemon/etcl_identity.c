/* Drops root. A kernel may refuse any of these calls (EAGAIN at a limit of
 * processes made mod_wsgi serve as root: CVE-2014-0240), so each result is
 * checked, and then what the kernel believes is asked for. */

#include "etcl_identity.h"
#include "etcl_journal.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static apr_status_t fail(const etcl_group_t *group, const char *what)
{
    etcl_journal_say(ETCL_LOG_CRIT,
                     "ETCL0222: group %s cannot become uid %" APR_INT64_T_FMT
                     ", gid %" APR_INT64_T_FMT ": %s: %s",
                     group->name, group->uid, group->gid, what,
                     strerror(errno));
    return APR_EGENERAL;
}

static apr_status_t refuse_root(const etcl_group_t *group)
{
    etcl_journal_say(ETCL_LOG_CRIT,
                     "ETCL0223: group %s would run as root; give "
                     "WSGIDaemonProcess a user= that is not root",
                     group->name);
    return APR_EGENERAL;
}

static apr_status_t set_groups(const etcl_group_t *group)
{
    apr_size_t count = (apr_size_t)group->gid_count, i;
    gid_t *gids = calloc(count ? count : 1, sizeof(*gids));
    int failed;

    if (!gids) {
        return fail(group, "calloc");
    }
    for (i = 0; i < count; i++) {
        gids[i] = (gid_t)group->gids[i];
    }
    failed = setgroups(count, gids);
    free(gids);
    return failed ? fail(group, "setgroups") : APR_SUCCESS;
}

static int holds(const etcl_group_t *group, gid_t gid)
{
    int i;

    for (i = 0; i < group->gid_count; i++) {
        if ((gid_t)group->gids[i] == gid) {
            return 1;
        }
    }
    return 0;
}

/* As many groups as were asked for, and no other. */
static apr_status_t verify_groups(const etcl_group_t *group)
{
    int i, right, count = getgroups(0, NULL);
    gid_t *gids = calloc(count > 0 ? (apr_size_t)count : 1, sizeof(*gids));

    if (!gids || count < 0 || getgroups(count, gids) != count) {
        free(gids);
        return fail(group, "getgroups");
    }
    right = count == group->gid_count;
    for (i = 0; i < count; i++) {
        right = right && holds(group, gids[i]);
    }
    free(gids);
    errno = EPERM;
    return right ? APR_SUCCESS : fail(group, "the groups are others");
}

static apr_status_t verify_ids(const etcl_group_t *group)
{
    uid_t uid = (uid_t)group->uid, real_uid, effective_uid, saved_uid;
    gid_t gid = (gid_t)group->gid, real_gid, effective_gid, saved_gid;

    if (getresuid(&real_uid, &effective_uid, &saved_uid) ||
        getresgid(&real_gid, &effective_gid, &saved_gid)) {
        return fail(group, "getresuid");
    }
    errno = EPERM;
    if (real_uid != uid || effective_uid != uid || saved_uid != uid) {
        return fail(group, "the user is another");
    }
    if (real_gid != gid || effective_gid != gid || saved_gid != gid) {
        return fail(group, "the group is another");
    }
    return APR_SUCCESS;
}

static apr_status_t verify_no_return(const etcl_group_t *group)
{
    if (!setuid(0) || !seteuid(0) || !setresuid(0, 0, 0)) {
        errno = EPERM;
        return fail(group, "root can be regained");
    }
    return APR_SUCCESS;
}

static apr_status_t become(const etcl_group_t *group)
{
    uid_t uid = (uid_t)group->uid;
    gid_t gid = (gid_t)group->gid;
    apr_status_t rv = set_groups(group);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (setresgid(gid, gid, gid)) {
        return fail(group, "setresgid");
    }
    if (setresuid(uid, uid, uid)) {
        return fail(group, "setresuid");
    }
    rv = verify_groups(group);
    if (rv == APR_SUCCESS) {
        rv = verify_ids(group);
    }
    return rv == APR_SUCCESS ? verify_no_return(group) : rv;
}

/* Apache was not started as root: everything runs as its user. */
static apr_status_t stay(const etcl_group_t *group)
{
    return !getuid() || !geteuid() ? refuse_root(group) : APR_SUCCESS;
}

apr_status_t etcl_identity_take(const etcl_group_t *group)
{
    apr_status_t rv;

    if (group->uid < 0) {
        rv = stay(group);
    } else if (!group->uid || group->gid < 0) {
        rv = refuse_root(group);
    } else {
        rv = become(group);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        return fail(group, "PR_SET_NO_NEW_PRIVS");
    }
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? fail(group, "PR_SET_DUMPABLE")
                                              : APR_SUCCESS;
}

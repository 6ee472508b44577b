/* Turns names of users and groups into numbers, in the Apache parent, so that
 * a daemon looks nothing up. Changing the identity is the daemon's. */

#include "etcl_account.h"
#include "etcl_httpd.h"
#include "etcl_text.h"

#include <unixd.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* "#1000" or a name; the entry of passwd when there is one. */
static const char *find_user(const char *text, apr_pool_t *pool,
                             apr_int64_t *uid, const struct passwd **entry)
{
    if (*text == '#') {
        if (etcl_text_int(etcl_span(text + 1), uid) || *uid < 0) {
            return apr_psprintf(pool, "%s is not the number of a user", text);
        }
        *entry = getpwuid((uid_t)*uid);
        return NULL;
    }
    *entry = getpwnam(text);
    if (!*entry) {
        return apr_psprintf(pool,
                            "there is no user %s: create it, or name "
                            "another one",
                            text);
    }
    *uid = (apr_int64_t)(*entry)->pw_uid;
    return NULL;
}

static const char *find_group(const char *text, apr_pool_t *pool,
                              apr_int64_t *gid)
{
    const struct group *entry;

    if (*text == '#') {
        if (etcl_text_int(etcl_span(text + 1), gid) || *gid < 0) {
            return apr_psprintf(pool, "%s is not the number of a group", text);
        }
        return NULL;
    }
    entry = getgrnam(text);
    if (!entry) {
        return apr_psprintf(pool,
                            "there is no group %s: create it, or name "
                            "another one",
                            text);
    }
    *gid = (apr_int64_t)entry->gr_gid;
    return NULL;
}

static int order_gids(const void *a_, const void *b_)
{
    const apr_int64_t *a = a_, *b = b_;

    return (*a > *b) - (*a < *b);
}

static void keep_gids(etcl_group_t *group, apr_array_header_t *gids)
{
    apr_int64_t *list = (apr_int64_t *)(void *)gids->elts;
    int from, to = 0;

    qsort(list, (size_t)gids->nelts, sizeof *list, order_gids);
    for (from = 0; from < gids->nelts; ++from) {
        if (!to || list[to - 1] != list[from]) {
            list[to++] = list[from];
        }
    }
    group->gids = list;
    group->gid_count = to;
}

/* supplementary-groups=a,b: exactly these and the group itself. */
static const char *named_gids(etcl_group_t *group, apr_pool_t *pool,
                              apr_array_header_t *gids)
{
    char *rest, *name;
    const char *wrong;

    name = apr_strtok(apr_pstrdup(pool, group->options.supplementary_groups),
                      ",", &rest);
    for (; name; name = apr_strtok(NULL, ",", &rest)) {
        if (gids->nelts >= ETCL_GROUP_GIDS_MAX ||
            gids->nelts >= sysconf(_SC_NGROUPS_MAX)) {
            return "supplementary-groups= names too many groups";
        }
        wrong = find_group(name, pool, apr_array_push(gids));
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

static void groups_of_user(const etcl_group_t *group, apr_pool_t *pool,
                           apr_array_header_t *gids)
{
    int count = 64, i;
    gid_t *list;

    if (!group->user_name) {
        return;
    }
    do {
        list = apr_palloc(pool, sizeof(gid_t) * (size_t)count);
        i = count;
        if (getgrouplist(group->user_name, (gid_t)group->gid, list, &i) >= 0) {
            count = i;
            break;
        }
        count *= 4;
    } while (count <= ETCL_GROUP_GIDS_MAX);
    for (i = 0; i < count && count <= ETCL_GROUP_GIDS_MAX; ++i) {
        *(apr_int64_t *)apr_array_push(gids) = (apr_int64_t)list[i];
    }
}

static const char *resolve_gids(etcl_group_t *group, apr_pool_t *pool)
{
    apr_array_header_t *gids = apr_array_make(pool, 8, sizeof(apr_int64_t));
    const char *wrong = NULL;

    *(apr_int64_t *)apr_array_push(gids) = group->gid;
    if (group->options.supplementary_groups) {
        wrong = named_gids(group, pool, gids);
    } else {
        groups_of_user(group, pool, gids);
    }
    keep_gids(group, gids);
    return wrong;
}

static const char *apache_user(apr_pool_t *pool)
{
    if (ap_unixd_config.user_id == (uid_t)-1) {
        return "#0";
    }
    return apr_psprintf(pool, "#%ld", (long)ap_unixd_config.user_id);
}

static void keep_account(etcl_group_t *group, const struct passwd *entry,
                         apr_pool_t *pool)
{
    if (entry) {
        group->user_name = apr_pstrdup(pool, entry->pw_name);
        group->user_home = apr_pstrdup(pool, entry->pw_dir);
    }
    group->work_dir = group->options.home;
    if (!group->work_dir && group->uid != -1 &&
        group->uid != (apr_int64_t)ap_unixd_config.user_id) {
        group->work_dir = group->user_home;
    }
}

/* Apache was not started as root: everything runs as who started it. */
static const char *stay_as_we_are(etcl_group_t *group, apr_pool_t *pool)
{
    group->uid = group->gid = -1;
    group->gids = NULL;
    group->gid_count = 0;
    group->peer_uid = (apr_int64_t)geteuid();
    keep_account(group, getpwuid(geteuid()), pool);
    if (group->options.chroot) {
        return "chroot= needs Apache to be started as root";
    }
    return NULL;
}

/* Whom script-user= or script-group= name must exist; who it is, is looked
 * up when a script is. */
static const char *check_owners(const etcl_group_t *group, apr_pool_t *pool)
{
    const etcl_group_options_t *options = &group->options;
    const struct passwd *entry;
    apr_int64_t id;

    if (options->script_user) {
        return find_user(options->script_user, pool, &id, &entry);
    }
    return options->script_group ? find_group(options->script_group, pool, &id)
                                 : NULL;
}

const char *etcl_account_resolve(etcl_group_t *group, apr_pool_t *pool)
{
    const char *user = group->options.user;
    const char *wrong = check_owners(group, pool);
    const struct passwd *entry = NULL;

    if (wrong) {
        return wrong;
    }
    if (geteuid()) {
        return stay_as_we_are(group, pool);
    }
    wrong =
        find_user(user ? user : apache_user(pool), pool, &group->uid, &entry);
    if (wrong) {
        return wrong;
    }
    keep_account(group, entry, pool);
    group->gid = (apr_int64_t)ap_unixd_config.group_id;
    if (group->options.group) {
        wrong = find_group(group->options.group, pool, &group->gid);
    }
    if (wrong) {
        return wrong;
    }
    if (!group->uid) {
        return "applications never run as root: name another account with "
               "user= or with httpd's directive User";
    }
    group->peer_uid = etcl_account_socket_owner(group);
    if (group->peer_uid < 0) {
        return apr_psprintf(pool, "there is no user %s (socket-user=)",
                            group->options.socket_user);
    }
    return resolve_gids(group, pool);
}

apr_int64_t etcl_account_socket_owner(const etcl_group_t *group)
{
    const char *name = group->options.socket_user;
    const struct passwd *entry;
    apr_int64_t uid = -1;

    if (geteuid()) {
        return (apr_int64_t)geteuid();
    }
    if (!name) {
        return (apr_int64_t)ap_unixd_config.user_id;
    }
    if (*name == '#') {
        return etcl_text_int(etcl_span(name + 1), &uid) ? -1 : uid;
    }
    entry = getpwnam(name);
    return entry ? (apr_int64_t)entry->pw_uid : -1;
}

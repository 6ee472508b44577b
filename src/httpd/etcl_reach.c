/* Answers "why can my application not be read" before it is asked: walks a
 * path from the root and finds the first component that blocks. */

#include "etcl_reach.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int has_gid(const etcl_group_t *group, gid_t gid)
{
    int i;

    for (i = 0; i < group->gid_count; ++i) {
        if (group->gids[i] == (apr_int64_t)gid) {
            return 1;
        }
    }
    return 0;
}

/* `bit` is 4 to read, 1 to enter. */
static int may(const etcl_group_t *group, const char *path,
               const struct stat *info, unsigned int bit)
{
    if (group->uid == -1) {
        return !faccessat(AT_FDCWD, path, (int)bit, AT_EACCESS);
    }
    if (group->uid == (apr_int64_t)info->st_uid) {
        return (info->st_mode >> 6 & bit) != 0;
    }
    if (has_gid(group, info->st_gid)) {
        return (info->st_mode >> 3 & bit) != 0;
    }
    return (info->st_mode & bit) != 0;
}

static int is_selinux_enforcing(void)
{
    int fd = open("/sys/fs/selinux/enforce", O_RDONLY | O_CLOEXEC);
    char said = '0';

    if (fd < 0) {
        return 0;
    }
    if (read(fd, &said, 1) != 1) {
        said = '0';
    }
    close(fd);
    return said == '1';
}

static const char *say(const etcl_group_t *group, const char *part,
                       const struct stat *info, const char *what,
                       apr_pool_t *pool)
{
    const char *user = group->user_name;

    if (!user) {
        user = apr_psprintf(pool, "#%" APR_INT64_T_FMT, group->uid);
    }
    return apr_psprintf(
        pool, "user %s may not %s %s (mode %04o, owner %u:%u)%s", user, what,
        part, (unsigned int)info->st_mode & 07777, info->st_uid, info->st_gid,
        is_selinux_enforcing()
            ? "; SELinux is enforcing too, see `ausearch -m avc`"
            : "");
}

static const char *judge(const etcl_group_t *group, const char *part,
                         int is_last, apr_pool_t *pool, int *missing)
{
    struct stat info;

    if (stat(part, &info)) {
        *missing = 1;
        return apr_psprintf(pool, "%s does not exist", part);
    }
    if (S_ISDIR(info.st_mode) && !may(group, part, &info, 1)) {
        return say(group, part, &info, "enter", pool);
    }
    if (is_last && !may(group, part, &info, 4)) {
        return say(group, part, &info, "read", pool);
    }
    return NULL;
}

const char *etcl_reach_blocked(const etcl_group_t *group, const char *path,
                               apr_pool_t *pool, int *missing)
{
    const char *end = path, *wrong = NULL;

    *missing = 0;
    while (!wrong && *end) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        wrong = judge(group, apr_pstrndup(pool, path, (apr_size_t)(end - path)),
                      !end[strspn(end, "/")], pool, missing);
        end += end[strspn(end, "/")] ? 0 : strlen(end);
    }
    return wrong;
}

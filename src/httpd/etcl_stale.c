/* Tidies the folder of sockets when Apache starts: a parent that was killed
 * with -9, or httpd -X, which ends on the spot, cannot do it. A pid that is
 * not seen here may live in another container that shares the folder: the
 * socket itself says whether somebody has it. */

#include "etcl_stale.h"

#include "etcl_link.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The pid in "<base>.<pid>.<generation>.<group>.<slot>.sock"; 0: another
 * file. */
static pid_t pid_of(const char *name, const char *base)
{
    size_t len = strlen(base), all = strlen(name);
    char *end;
    long pid;

    if (strncmp(name, base, len) || name[len] != '.' || all < len + 5 ||
        strcmp(name + all - 5, ".sock")) {
        return 0;
    }
    pid = strtol(name + len + 1, &end, 10);
    return *end == '.' && pid > 0 ? (pid_t)pid : 0;
}

void etcl_stale_remove(const char *prefix, apr_pool_t *pool)
{
    const char *slash = strrchr(prefix, '/');
    apr_finfo_t entry;
    const char *folder;
    apr_dir_t *dir;
    pid_t pid;

    if (!slash) {
        return;
    }
    folder = apr_pstrmemdup(pool, prefix, (apr_size_t)(slash - prefix));
    if (apr_dir_open(&dir, folder, pool)) {
        return;
    }
    while (!apr_dir_read(&entry, APR_FINFO_NAME, dir)) {
        pid = pid_of(entry.name, slash + 1);
        if (pid && kill(pid, 0) && errno == ESRCH) {
            etcl_link_remove_stale(
                apr_pstrcat(pool, folder, "/", entry.name, NULL));
        }
    }
    apr_dir_close(dir);
}

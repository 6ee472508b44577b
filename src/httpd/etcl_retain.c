/* Keeps a generation's descriptors and sockets while no code of this module is
 * there to do so. What it is kept for is etcl_parent.c's. */

#include "etcl_retain.h"

#include <apr_portable.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* Counts changes of what a life holds that leave its size as it was. */
#define LAYOUT 5

typedef apr_status_t (*cleanup_t)(void *);

static etcl_retain_t *known;

/* Other modules fork without exec (mod_cgid's daemon does): what they hold of
 * an old lifeline would keep its group for as long as they live. What has no
 * supervisor is about to get one, which this process may become. */
static void let_old_go(void)
{
    etcl_live_t *live;

    for (live = known->lives; live; live = live->next) {
        if (live->is_old) {
            etcl_live_release(live);
        }
        if (live->is_old && live->proc.pid > 0) {
            etcl_live_close(live);
        }
    }
}

/* A newer module that is loaded at a restart must not find older data. What
 * it does not find ends by itself, as when the module is not loaded again. */
static etcl_retain_t *find_data(void)
{
    etcl_retain_t *found;
    char name[96];

    apr_snprintf(name, sizeof name, "mod_etcl %s lives %d %d %d", ETCL_VERSION,
                 LAYOUT, (int)sizeof(etcl_live_t), (int)sizeof(etcl_retain_t));
    found = ap_retained_data_get(name);
    return found ? found
                 : ap_retained_data_create(apr_pstrdup(ap_pglobal, name),
                                           sizeof *found);
}

etcl_retain_t *etcl_retain_get(void)
{
    if (!known) {
        known = find_data();
        pthread_atfork(NULL, NULL, let_old_go);
    }
    return known;
}

/* APR's own clean-up closes it. */
static void leave_fd(int *fd, apr_pool_t *plog)
{
    apr_file_t *file;

    if (*fd >= 0) {
        apr_os_pipe_put_ex(&file, fd, 1, plog);
    }
}

static void take_fd(int *fd)
{
    if (*fd >= 0) {
        *fd = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    }
}

void etcl_retain_leave(etcl_live_t *live, apr_pool_t *plog)
{
    int *fd, i, slot;

    leave_fd(&live->alive_fd, plog);
    for (i = 0; (fd = etcl_live_fd(live, i)); ++i) {
        leave_fd(fd, plog);
    }
    for (slot = 0; slot < live->slots; ++slot) {
        apr_pool_cleanup_register(plog, live->paths[slot], (cleanup_t)unlink,
                                  apr_pool_cleanup_null);
    }
}

void etcl_retain_take(etcl_live_t *live, apr_pool_t *plog)
{
    int *fd, i, slot;

    take_fd(&live->alive_fd);
    for (i = 0; (fd = etcl_live_fd(live, i)); ++i) {
        take_fd(fd);
    }
    for (slot = 0; slot < live->slots; ++slot) {
        apr_pool_cleanup_kill(plog, live->paths[slot], (cleanup_t)unlink);
    }
}

/* The beginning and the end of an Apache child. Requests are etcl_remote.c's.
 * A child knows groups by inheritance from the parent: mapped memory, paths,
 * secrets, and the write end of its own generation's lifelines; none of a
 * service's, to which it sends nothing. */

#include "etcl_child.h"
#include "etcl_links.h"
#include "etcl_parent.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A child whose parent was killed would serve on for ever, and its groups
 * with it. A child of the event MPM does not end by SIGTERM alone. */
static void end_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != etcl_parent_pid()) {
        raise(SIGKILL);
    }
}

static void take_seat(etcl_live_t *live, server_rec *server)
{
    apr_status_t rv =
        etcl_board_join(live->board, (apr_uint32_t)getpid(), &live->seat);

    live->links = rv ? NULL : etcl_links_create(live->slots);
    if (!live->links) {
        live->seat = -1;
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, server,
                     "ETCL0275: no seat is free on the board of group %s: "
                     "this process cannot send requests to it",
                     live->name);
    }
}

void etcl_child_init(apr_pool_t *pchild, server_rec *server)
{
    const int is_alone = etcl_parent_is_here();
    etcl_live_t *live;

    (void)pchild;
    if (!etcl_parent_lives()) {
        return;
    }
    if (!is_alone) {
        end_with_parent();
    }
    for (live = etcl_parent_lives(); live; live = live->next) {
        take_seat(live, server);
        if (!is_alone) {
            etcl_live_close(live);
        }
        if (!is_alone && (live->is_old || live->is_service)) {
            etcl_live_release(live);
        }
    }
}

void etcl_child_ended(server_rec *server, pid_t pid, ap_generation_t gen,
                      int slot, mpm_child_status state)
{
    etcl_live_t *live;

    (void)server;
    (void)gen;
    (void)slot;
    if (state != MPM_CHILD_EXITED && state != MPM_CHILD_LOST_SLOT) {
        return;
    }
    for (live = etcl_parent_lives(); live; live = live->next) {
        etcl_board_bury(live->board, (apr_uint32_t)pid);
    }
}

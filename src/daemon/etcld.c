/* The daemon program of a process group, started by mod_etcl with exec: a
 * supervisor, which forks the workers. The steps below are the order that
 * counts: nothing of the group is touched before it is its own user. */

#include "etcl_environment.h"
#include "etcl_handover.h"
#include "etcl_identity.h"
#include "etcl_journal.h"
#include "etcl_engine.h"
#include "etcl_signals.h"
#include "etcl_supervisor.h"

#include <apr_general.h>

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The kernel tells the supervisor when the Apache parent dies, by whatever
 * cause. It may have died before it was asked to. */
static int follow_parent(pid_t parent)
{
    return !prctl(PR_SET_PDEATHSIG, SIGTERM) && getppid() == parent;
}

static int become_group(etcl_handover_t *handover, apr_pool_t *pool)
{
    const etcl_group_t *group = &handover->group;

    if (etcl_handover_take(pool, handover) != APR_SUCCESS) {
        return ETCL_EXIT_FATAL;
    }
    etcl_journal_open(ETCL_FD_LOG, group->log_level);
    if (group->options.chroot) {
        etcl_engine_open(group);
    }
    if (etcl_environment_enter(group) != APR_SUCCESS ||
        etcl_identity_take(group) != APR_SUCCESS) {
        return ETCL_EXIT_FATAL;
    }
    if (etcl_environment_settle(group, pool) != APR_SUCCESS) {
        return ETCL_EXIT_RETRY;
    }
    return ETCL_EXIT_DONE;
}

int main(void)
{
    pid_t parent = getppid();
    etcl_handover_t handover;
    apr_pool_t *pool;
    int status;

    etcl_signals_block();
    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return ETCL_EXIT_RETRY;
    }
    status = become_group(&handover, pool);
    if (status != ETCL_EXIT_DONE) {
        return status;
    }
    return follow_parent(parent) ? etcl_supervisor_run(&handover)
                                 : ETCL_EXIT_DONE;
}

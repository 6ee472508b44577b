/* Makes and closes what connects two processes. It starts no process, and
 * reads nothing of what one says. */

#include "etcl_member.h"
#include "etcl_clock.h"

#include <sys/socket.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

void etcl_ends_close(etcl_ends_t *ends)
{
    close_fd(&ends->control_fd);
    close_fd(&ends->out_fd);
    close_fd(&ends->err_fd);
    close_fd(&ends->log_fd);
    close_fd(&ends->ledger_fd);
}

int etcl_member_open(etcl_member_t *member, etcl_ends_t *ends)
{
    int pair[2], yes = 1;

    *ends = (etcl_ends_t){ -1, -1, -1, -1, -1 };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        return 0;
    }
    member->control_fd = pair[0];
    ends->control_fd = pair[1];
    setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
    member->out = etcl_output_create(ETCL_LOG_NOTICE, &ends->out_fd);
    member->err = etcl_output_create(ETCL_LOG_ERR, &ends->err_fd);
    member->log = etcl_output_journal(&ends->log_fd);
    member->ledger = etcl_ledger_create(&ends->ledger_fd);
    return member->out && member->err && member->log;
}

void etcl_member_name(etcl_member_t *member, pid_t pid)
{
    member->pid = pid;
    member->forked_us = etcl_clock_us();
    if (member->out) {
        member->out->pid = pid;
    }
    if (member->err) {
        member->err->pid = pid;
    }
}

void etcl_member_hang_up(etcl_member_t *member)
{
    close_fd(&member->control_fd);
}

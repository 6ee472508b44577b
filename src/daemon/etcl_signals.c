/* Tells what a signal to a supervisor means, and who sent it. It does nothing
 * about it, and knows none of the signals of workers. */

#include "etcl_signals.h"
#include "etcl_journal.h"
#include "etcl_sample.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void fill(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGHUP);
}

void etcl_signals_block(void)
{
    sigset_t set;
    int number;

    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    for (number = 1; number < NSIG; number++) {
        signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
    }
    fill(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

int etcl_signals_open(void)
{
    sigset_t set;

    fill(&set);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Apache's parent, as a rule; but anybody of the group's user can. */
static void tell(const char *group, const struct signalfd_siginfo *info)
{
    char from[ETCL_SAMPLE_SENDER_MAX];
    int renews = info->ssi_signo == SIGUSR1;

    etcl_sample_sender((pid_t)info->ssi_pid, info->ssi_uid, from);
    etcl_journal_say(renews ? ETCL_LOG_NOTICE : ETCL_LOG_INFO,
                     "ETCL0238: group %s %s: SIG%s, sent by %s", group,
                     renews ? "replaces its workers" : "is told to end",
                     sigabbrev_np((int)info->ssi_signo), from);
}

etcl_signals_what_t etcl_signals_next(int fd, const char *group)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != sizeof(info)) {
        return ETCL_SIGNALS_NONE;
    }
    switch (info.ssi_signo) {
    case SIGTERM:
    case SIGINT:
        tell(group, &info);
        return ETCL_SIGNALS_END;
    case SIGUSR1:
        tell(group, &info);
        return ETCL_SIGNALS_RENEW;
    default:
        return ETCL_SIGNALS_OTHER;
    }
}

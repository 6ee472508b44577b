/* The last handler of a signal that ends a worker. What of Python is to be
 * told is the runtime's, whose handlers come before this one. */

#include "etcl_crash.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

static void on_crash(int number)
{
    struct rlimit core;

    if (!getrlimit(RLIMIT_CORE, &core) && core.rlim_cur > 0) {
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    }
    signal(number, SIG_DFL);
    raise(number);
}

void etcl_crash_prepare(void)
{
    struct sigaction action = { .sa_flags = SA_NODEFER };
    unsigned int i;

    action.sa_handler = on_crash;
    sigemptyset(&action.sa_mask);
    for (i = 0; i < sizeof(fatal) / sizeof(*fatal); i++) {
        sigaction(fatal[i], &action, NULL);
    }
}

/* Signal handlers do no more than write to an eventfd: an application's own
 * programs are started with no signal blocked and no handler of ours, as they
 * expect. What a signal means is etcl_heart.c's. */

#include "etcl_caught.h"
#include "etcl_guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

static pid_t pid;
static int wake_fd;

/* Those that have come, and who sent the latest of each. */
static struct {
    atomic_int came;
    atomic_int pid;
    atomic_int uid;
} caught[NSIG];

/* A child that the application forked shares the eventfd, but not the order:
 * it gets the signal's own meaning, so that terminate() ends it. */
static int is_ours(int number)
{
    if (getpid() == pid) {
        return 1;
    }
    signal(number, SIG_DFL);
    raise(number);
    return 0;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    if (is_ours(number)) {
        atomic_store(&caught[number].pid, info->si_pid);
        atomic_store(&caught[number].uid, (int)info->si_uid);
        atomic_store(&caught[number].came, 1);
        etcl_caught_wake();
    }
    errno = saved;
}

/* The kernel repeats it each second; nothing is waited for. */
static void on_cpu_spent(int number, siginfo_t *info, void *context)
{
    if (is_ours(number)) {
        etcl_guard_cpu_spent();
    }
}

static void on_nothing(int number, siginfo_t *info, void *context)
{
}

/* What is there already the application has set, in a template. */
static void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = { .sa_flags = SA_RESTART | SA_SIGINFO }, old;

    if (!sigaction(number, NULL, &old) && old.sa_handler != SIG_DFL &&
        old.sa_sigaction != on_nothing) {
        return;
    }
    action.sa_sigaction = handler;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void unblock(void)
{
    sigset_t none;

    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

void etcl_caught_prepare(void)
{
    handle(SIGUSR1, on_nothing);
    handle(SIGUSR2, on_nothing);
    handle(SIGHUP, on_nothing);
    unblock();
}

int etcl_caught_open(void)
{
    pid = getpid();
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0) {
        return -1;
    }
    handle(SIGTERM, on_signal);
    handle(SIGINT, on_signal);
    handle(SIGUSR1, on_signal);
    handle(SIGUSR2, on_signal);
    handle(SIGHUP, on_signal);
    handle(SIGXCPU, on_cpu_spent);
    unblock();
    return wake_fd;
}

void etcl_caught_wake(void)
{
    uint64_t one = 1;

    if (write(wake_fd, &one, sizeof(one)) < 0) {
        return; /* full: it is awake already */
    }
}

int etcl_caught_begin(void)
{
    uint64_t count;

    return read(wake_fd, &count, sizeof(count)) > 0;
}

int etcl_caught_take(int number, char from[ETCL_SAMPLE_SENDER_MAX])
{
    if (!atomic_exchange(&caught[number].came, 0)) {
        return 0;
    }
    etcl_sample_sender(atomic_load(&caught[number].pid),
                       (uid_t)atomic_load(&caught[number].uid), from);
    return 1;
}

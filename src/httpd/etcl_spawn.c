/* Fork and exec of a supervisor. Nothing of Apache goes with it: descriptors
 * other than those it is meant to have are closed, signals are reset, and it
 * is a process group of its own, which a signal to Apache's does not reach. */

#include "etcl_spawn.h"
#include "etcl_clock.h"
#include "etcl_daemon.h"
#include "etcl_logline.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void reset_signals(void)
{
    sigset_t none;
    int number;

    for (number = 1; number < NSIG; ++number) {
        signal(number, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(int first)
{
    long fd, last;

    if (!syscall(SYS_close_range, (unsigned int)first, ~0u, 0)) {
        return;
    }
    last = sysconf(_SC_OPEN_MAX);
    for (fd = first; fd < last; ++fd) {
        close((int)fd);
    }
}

/* First all to numbers above those that are meant, then down to these: no
 * step closes what a later one needs. */
static int place_fds(const etcl_live_t *live)
{
    const int count = 4 + live->slots, base = ETCL_FD_LISTEN + live->slots;
    int *from = calloc((size_t)count, sizeof *from);
    int i, fd;

    if (!from) {
        return -1;
    }
    from[0] = live->log_fd;
    from[1] = live->options_fd;
    from[2] = live->roster_fd;
    from[3] = live->watch_fd;
    for (i = 0; i < live->slots; ++i) {
        from[4 + i] = live->listen_fds[i];
    }
    for (i = 0; i < count; ++i) {
        from[i] = fcntl(from[i], F_DUPFD, base);
        if (from[i] < 0) {
            return -1;
        }
    }
    for (i = 0; i < count; ++i) {
        if (dup2(from[i], ETCL_FD_LOG + i) < 0) {
            return -1;
        }
    }
    fd = open("/dev/null", O_RDWR);
    if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0) {
        return -1;
    }
    close_from(base);
    return 0;
}

static void pause_us(apr_int64_t us)
{
    struct timespec left = { us / APR_USEC_PER_SEC,
                             us % APR_USEC_PER_SEC * 1000 };

    int rest = us > 0;

    while (rest) {
        rest = nanosleep(&left, &left) && errno == EINTR;
    }
}

/* In the forked child; does not return. Not a session of its own: where time
 * is shared out by session (autogroup), on a busy machine, a child of Apache
 * and the worker it waits for would have to wait for each other's turn. */
static void become_supervisor(const etcl_live_t *live, apr_int64_t delay_us)
{
    char *const argv[] = { live->title, NULL };

    setpgid(0, 0);
    reset_signals();
    if (place_fds(live)) {
        _exit(ETCL_EXIT_RETRY);
    }
    pause_us(delay_us);
    execve(live->program, argv, environ);
    etcl_logline_printf(ETCL_FD_LOG, ETCL_LOG_CRIT,
                        "ETCL0270: group %s: %s cannot be started (error %d):"
                        " run `make install` again",
                        live->name, live->program, errno);
    _exit(ETCL_EXIT_RETRY);
}

apr_status_t etcl_spawn_supervisor(etcl_live_t *live, apr_int64_t delay_us)
{
    pid_t pid = fork();

    if (pid < 0) {
        return errno;
    }
    if (!pid) {
        become_supervisor(live, delay_us);
    }
    live->proc = (apr_proc_t){ .pid = pid };
    live->started_us = etcl_clock_us() + delay_us;
    return APR_SUCCESS;
}

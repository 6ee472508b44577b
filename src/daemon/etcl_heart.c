/* The monitor of a worker. Signal handlers do no more than write to an
 * eventfd: an application's own programs are started with no signal blocked
 * and no handler of ours, as they expect. */

#include "etcl_heart.h"
#include "etcl_clock.h"
#include "etcl_guard.h"
#include "etcl_journal.h"
#include "etcl_mark.h"
#include "etcl_policy.h"
#include "etcl_probe.h"
#include "etcl_sample.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BEAT_US 500000
#define STACK_SIZE 262144

static struct {
    const etcl_worker_t *worker;
    pid_t pid;
    int control_fd; /* -1: the supervisor has gone */
    etcl_mark_t control;
    int wake_fd;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    etcl_service_t *service; /* NULL: not serving yet */
    pthread_t script;        /* with `has_script`: runs a service */
    int has_script;
    int told_script;
    int ordered;
    etcl_order_t order;
    apr_int64_t end_us; /* the process is ended then; 0: not yet known */
} heart = { .lock = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER };

/* Signals that have come, by number: SIGTERM and SIGINT, SIGUSR1, and those
 * that the application may hear of. */
static atomic_int came[NSIG];

/* Who sent the latest of each; for a line in the log. */
static struct {
    atomic_int pid;
    atomic_int uid;
} sender[NSIG];

/* A child that the application forked shares the eventfd, but not the order:
 * it gets the signal's own meaning, so that terminate() ends it. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    apr_uint64_t one = 1;
    int saved = errno;

    if (getpid() != heart.pid) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    atomic_store(&sender[number].pid, info->si_pid);
    atomic_store(&sender[number].uid, (int)info->si_uid);
    atomic_store(&came[number], 1);
    if (write(heart.wake_fd, &one, sizeof(one)) < 0) {
        errno = saved; /* full: it is awake already */
    }
    errno = saved;
}

/* The kernel repeats it each second; nothing is waited for. */
static void on_cpu_spent(int number, siginfo_t *info, void *context)
{
    if (getpid() != heart.pid) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    etcl_guard_cpu_spent();
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

static void unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

void etcl_heart_prepare(void)
{
    handle(SIGUSR1, on_nothing);
    handle(SIGUSR2, on_nothing);
    handle(SIGHUP, on_nothing);
    unblock_signals();
}

static void open_signals(void)
{
    handle(SIGTERM, on_signal);
    handle(SIGINT, on_signal);
    handle(SIGUSR1, on_signal);
    handle(SIGUSR2, on_signal);
    handle(SIGHUP, on_signal);
    handle(SIGXCPU, on_cpu_spent);
    unblock_signals();
}

/* A service has no calls to finish, and all of its time to end. */
static void end_script(const etcl_order_t *order)
{
    if (!heart.told_script) {
        heart.told_script = 1;
        heart.end_us = etcl_clock_us() + order->stop_us;
        pthread_kill(heart.script, SIGTERM);
    }
}

/* Of two orders the more urgent holds. A worker that does not serve yet has
 * nothing to finish: it may be stuck in an import, with the GIL. */
static void give_order(const etcl_order_t *order)
{
    apr_int64_t end_us = order->calls_until_us + order->stop_us;

    pthread_mutex_lock(&heart.lock);
    if (!heart.service && !heart.has_script) {
        _exit(0);
    }
    if (heart.has_script) {
        end_script(order);
    }
    if (!heart.ordered || order->calls_until_us < heart.order.calls_until_us) {
        heart.order = *order;
    }
    if (!heart.has_script && (!heart.end_us || end_us < heart.end_us)) {
        heart.end_us = end_us;
    }
    heart.ordered = 1;
    pthread_cond_broadcast(&heart.changed);
    pthread_mutex_unlock(&heart.lock);
}

/* As long as the group's options give, when nobody says otherwise. */
static void end_by_itself(etcl_why_t why, int hurry)
{
    const etcl_group_options_t *options = &heart.worker->group->options;
    etcl_policy_grace_t grace = etcl_policy_limits(
        options->graceful_timeout, options->shutdown_timeout, hurry);

    etcl_roster_set_state(heart.worker->roster, heart.worker->slot,
                          ETCL_SLOT_RETIRING);
    give_order(
        &(etcl_order_t){ .why = why,
                         .calls_until_us = etcl_clock_us() + grace.calls_us,
                         .stop_us = grace.stop_us });
}

/* Nobody reads the pipes behind descriptors 1 and 2 any more: what the
 * application prints in the requests that it finishes must not fail. */
static void mute(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        dup2(fd, 1);
        dup2(fd, 2);
        close(fd);
    }
}

void etcl_heart_robbed(void)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0294: worker %d of group %s (pid %ld) ends and is "
                     "replaced: the application has closed descriptors that "
                     "are not its own (os.closerange() or the like)",
                     heart.worker->slot, heart.worker->group->name,
                     (long)heart.pid);
    _exit(1);
}

/* The supervisor died. Its successor starts new workers; this one finishes
 * what it holds, and says nothing more in the roster. */
static void outlive_supervisor(void)
{
    etcl_journal_say(ETCL_LOG_WARNING,
                     "ETCL0247: the supervisor of group %s has gone; worker "
                     "%d (pid %ld) finishes its requests and ends",
                     heart.worker->group->name, heart.worker->slot,
                     (long)heart.pid);
    heart.control_fd = -1;
    mute();
    end_by_itself(ETCL_WHY_SHUTDOWN, 0);
}

static void take_control(void)
{
    char buf[ETCL_NOTE_MAX];
    etcl_note_t note;
    apr_status_t rv;

    if (!etcl_mark_holds(&heart.control)) {
        etcl_heart_robbed();
    }
    rv = etcl_note_recv(heart.control_fd, buf, &note);
    if (rv == APR_EOF) {
        outlive_supervisor();
    } else if (rv == APR_SUCCESS && note.kind == ETCL_NOTE_RETIRE) {
        give_order(&(etcl_order_t){
            .why = note.number < ETCL_WHY_COUNT ? (etcl_why_t)note.number
                                                : ETCL_WHY_SHUTDOWN,
            .calls_until_us = etcl_clock_us() + note.a_us,
            .stop_us = note.b_us });
    }
}

/* Set once, by the main thread. */
static etcl_service_t *serving(int *ending)
{
    etcl_service_t *service;

    pthread_mutex_lock(&heart.lock);
    service = heart.service;
    *ending = heart.ordered;
    pthread_mutex_unlock(&heart.lock);
    return service;
}

static void tell_signal(int number, const char *what)
{
    char from[ETCL_SAMPLE_SENDER_MAX];

    etcl_sample_sender(atomic_load(&sender[number].pid),
                       (uid_t)atomic_load(&sender[number].uid), from);
    etcl_journal_say(ETCL_LOG_NOTICE,
                     "ETCL0262: worker %d of group %s (pid %ld) got SIG%s: "
                     "%s; it was sent by %s",
                     heart.worker->slot, heart.worker->group->name,
                     (long)heart.pid, sigabbrev_np(number), what, from);
}

static void ask_successor(etcl_why_t why)
{
    etcl_note_send(heart.control_fd,
                   &(etcl_note_t){ .kind = ETCL_NOTE_REPLACE, .number = why });
}

/* The supervisor starts another worker while this one still ends. */
static void leave(etcl_why_t why, int hurry)
{
    etcl_note_send(heart.control_fd,
                   &(etcl_note_t){ .kind = ETCL_NOTE_LEAVING, .number = why });
    end_by_itself(why, hurry);
}

static void take_end(int number)
{
    if (atomic_exchange(&came[number], 0)) {
        tell_signal(number, "it ends within shutdown-timeout");
        leave(ETCL_WHY_SHUTDOWN, 1);
    }
}

/* What the application may have subscribed to. */
static void take_event(int number)
{
    int ending;

    if (atomic_exchange(&came[number], 0)) {
        tell_signal(number, "subscribers in the application are told");
        if (serving(&ending)) {
            etcl_probe_signal(number);
        }
    }
}

static void take_signals(void)
{
    apr_uint64_t count;

    if (read(heart.wake_fd, &count, sizeof(count)) < 0) {
        return;
    }
    if (atomic_exchange(&came[SIGUSR1], 0)) {
        tell_signal(SIGUSR1, "it is replaced, and finishes its requests");
        ask_successor(heart.worker->group->options.eviction_timeout
                          ? ETCL_WHY_EVICTION
                          : ETCL_WHY_GRACEFUL);
    }
    take_event(SIGHUP);
    take_event(SIGUSR2);
    take_end(SIGTERM);
    take_end(SIGINT);
}

static apr_int64_t deadline(void)
{
    apr_int64_t end_us;

    pthread_mutex_lock(&heart.lock);
    end_us = heart.end_us;
    pthread_mutex_unlock(&heart.lock);
    return end_us;
}

static void end_in_time(apr_int64_t now_us)
{
    apr_int64_t end_us = deadline();

    if (end_us && now_us >= end_us) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0248: worker %d of group %s (pid %ld) did not "
                         "stop within its time; it is ended without the rest "
                         "of its shutdown",
                         heart.worker->slot, heart.worker->group->name,
                         (long)heart.pid);
        _exit(0);
    }
}

static const char *describe(etcl_why_t why)
{
    static const char *const words[ETCL_WHY_COUNT] = {
        [ETCL_WHY_REQUESTS] = "it has answered maximum-requests",
        [ETCL_WHY_AGE] = "its restart-interval is over",
        [ETCL_WHY_INACTIVITY] = "it was idle for inactivity-timeout",
        [ETCL_WHY_REQUEST] = "a request took longer than request-timeout",
        [ETCL_WHY_STARTUP] = "no script loaded within startup-timeout",
        [ETCL_WHY_DEADLOCK] = "Python is stuck for deadlock-timeout",
        [ETCL_WHY_CPU] = "it has used cpu-time-limit",
    };

    return words[why] ? words[why] : etcl_note_why(why);
}

static void tell_renewal(etcl_why_t why)
{
    etcl_journal_say(ETCL_LOG_INFO,
                     "ETCL0263: worker %d of group %s (pid %ld) is replaced: "
                     "%s",
                     heart.worker->slot, heart.worker->group->name,
                     (long)heart.pid, describe(why));
}

static void tell_end(etcl_why_t why)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0264: worker %d of group %s (pid %ld) ends and is "
                     "replaced: %s",
                     heart.worker->slot, heart.worker->group->name,
                     (long)heart.pid, describe(why));
}

/* Nobody can finish anything in a Python that cannot be entered. */
static void end_at_once(const etcl_service_t *service, etcl_why_t why)
{
    tell_end(why);
    leave(why, 1);
    if (why == ETCL_WHY_DEADLOCK) {
        etcl_guard_cut(0);
    }
    service->runtime->dump(NULL);
    if (why == ETCL_WHY_DEADLOCK) {
        _exit(0);
    }
}

/* Returns when to look again; 0: at the next beat. */
static apr_int64_t watch_limits(apr_int64_t now_us)
{
    int ending;
    const etcl_service_t *service = serving(&ending);
    etcl_due_t due;

    if (!service) {
        return 0;
    }
    due = etcl_guard_look(ending, now_us);
    switch (due.what) {
    case ETCL_DUE_RENEW:
        tell_renewal(due.why);
        ask_successor(due.why);
        return now_us;
    case ETCL_DUE_END:
        end_at_once(service, due.why);
        return now_us;
    default:
        return due.until_us;
    }
}

static void beat(apr_int64_t now_us)
{
    int ending;
    etcl_service_t *service = serving(&ending);

    if (heart.control_fd >= 0 && !etcl_mark_holds(&heart.control)) {
        etcl_heart_robbed();
    }
    if (heart.control_fd >= 0) {
        etcl_roster_beat(heart.worker->roster, heart.worker->slot, now_us);
    }
    if (service) {
        etcl_park_sweep(&service->park, now_us);
    }
}

static int wait_ms(apr_int64_t next_us, apr_int64_t now_us)
{
    apr_int64_t end_us = deadline();

    if (end_us && end_us < next_us) {
        next_us = end_us;
    }
    return next_us > now_us ? (int)((next_us - now_us) / 1000) + 1 : 0;
}

static void *run_heart(void *unused)
{
    struct pollfd polls[2];
    apr_int64_t now_us = etcl_clock_us(), beat_us = now_us, due_us;

    for (;;) {
        if (now_us >= beat_us) {
            beat(now_us);
            beat_us = now_us + BEAT_US;
        }
        end_in_time(now_us);
        due_us = watch_limits(now_us);
        if (!due_us || due_us > beat_us) {
            due_us = beat_us;
        }
        polls[0] = (struct pollfd){ .fd = heart.control_fd, .events = POLLIN };
        polls[1] = (struct pollfd){ .fd = heart.wake_fd, .events = POLLIN };
        if (poll(polls, 2, wait_ms(due_us, now_us)) > 0) {
            if (polls[0].revents) {
                take_control();
            }
            if (polls[1].revents) {
                take_signals();
            }
        }
        now_us = etcl_clock_us();
    }
    return unused;
}

apr_status_t etcl_heart_start(const etcl_worker_t *worker)
{
    pthread_attr_t attr;
    pthread_t thread;
    apr_status_t rv;

    heart.worker = worker;
    heart.pid = getpid();
    heart.control_fd = worker->control_fd;
    heart.control = etcl_mark_take(worker->control_fd);
    heart.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (heart.wake_fd < 0) {
        return errno;
    }
    open_signals();
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    rv = pthread_create(&thread, &attr, run_heart, NULL);
    pthread_attr_destroy(&attr);
    return rv;
}

void etcl_heart_serve(etcl_service_t *service)
{
    pthread_mutex_lock(&heart.lock);
    etcl_guard_start(service, etcl_clock_us());
    heart.service = service;
    pthread_mutex_unlock(&heart.lock);
}

void etcl_heart_service(void)
{
    pthread_mutex_lock(&heart.lock);
    heart.script = pthread_self();
    heart.has_script = 1;
    pthread_mutex_unlock(&heart.lock);
}

void etcl_heart_wake(void)
{
    apr_uint64_t one = 1;

    if (write(heart.wake_fd, &one, sizeof(one)) < 0) {
        return; /* full: it is awake already */
    }
}

void etcl_heart_wait(void)
{
    pthread_mutex_lock(&heart.lock);
    while (!heart.ordered) {
        pthread_cond_wait(&heart.changed, &heart.lock);
    }
    pthread_mutex_unlock(&heart.lock);
}

etcl_order_t etcl_heart_order(void)
{
    etcl_order_t order;

    pthread_mutex_lock(&heart.lock);
    order = heart.order;
    pthread_mutex_unlock(&heart.lock);
    return order;
}

/* When no calls were left to wait for, their time is Python's as well, up to
 * what shutdown-timeout gives it. */
void etcl_heart_stopping(void)
{
    const etcl_group_options_t *options = &heart.worker->group->options;
    etcl_policy_grace_t full = etcl_policy_limits(options->graceful_timeout,
                                                  options->shutdown_timeout, 0);
    apr_int64_t now_us = etcl_clock_us(), least_us, most_us;

    pthread_mutex_lock(&heart.lock);
    least_us = now_us + heart.order.stop_us;
    most_us = heart.order.calls_until_us + heart.order.stop_us;
    if (!heart.ordered || most_us > now_us + full.stop_us) {
        most_us = now_us + full.stop_us;
    }
    if (!heart.told_script) {
        heart.end_us = most_us > least_us ? most_us : least_us;
    }
    pthread_mutex_unlock(&heart.lock);
}

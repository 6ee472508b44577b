/* The monitor of a worker: a loop that hears, looks and says what is to happen.
 * Signals come from etcl_caught.c, limits from etcl_guard.c, and how long an
 * end may take is kept in etcl_ending.c. */

#include "etcl_heart.h"
#include "etcl_caught.h"
#include "etcl_clock.h"
#include "etcl_ending.h"
#include "etcl_guard.h"
#include "etcl_journal.h"
#include "etcl_mark.h"
#include "etcl_probe.h"
#include "etcl_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define BEAT_US 500000

static struct {
    const etcl_worker_t *worker;
    pid_t pid;
    int control_fd; /* -1: the supervisor has gone */
    etcl_mark_t control;
    int wake_fd;
    _Atomic(etcl_service_t *) service; /* set once; NULL: not serving yet */
} heart;

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

/* Without an order of the supervisor. */
static void retire(etcl_why_t why, int hurry)
{
    etcl_roster_set_state(heart.worker->roster, heart.worker->slot,
                          ETCL_SLOT_RETIRING);
    etcl_ending_begin(why, hurry);
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
    retire(ETCL_WHY_SHUTDOWN, 0);
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
        etcl_ending_give(&(etcl_ending_t){
            .why = note.number < ETCL_WHY_COUNT ? (etcl_why_t)note.number
                                                : ETCL_WHY_SHUTDOWN,
            .calls_until_us = etcl_clock_us() + note.a_us,
            .stop_us = note.b_us });
    }
}

static void tell_signal(int number, const char *what, const char *from)
{
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
    retire(why, hurry);
}

static void take_end(int number)
{
    char from[ETCL_SAMPLE_SENDER_MAX];

    if (etcl_caught_take(number, from)) {
        tell_signal(number, "it ends within shutdown-timeout", from);
        leave(ETCL_WHY_SHUTDOWN, 1);
    }
}

/* What the application may have subscribed to. */
static void take_event(int number)
{
    char from[ETCL_SAMPLE_SENDER_MAX];

    if (etcl_caught_take(number, from)) {
        tell_signal(number, "subscribers in the application are told", from);
        if (atomic_load(&heart.service)) {
            etcl_probe_signal(number);
        }
    }
}

static void take_eviction(void)
{
    char from[ETCL_SAMPLE_SENDER_MAX];

    if (etcl_caught_take(SIGUSR1, from)) {
        tell_signal(SIGUSR1, "it is replaced, and finishes its requests", from);
        ask_successor(heart.worker->group->options.eviction_timeout
                          ? ETCL_WHY_EVICTION
                          : ETCL_WHY_GRACEFUL);
    }
}

static void take_signals(void)
{
    if (!etcl_caught_begin()) {
        return;
    }
    take_eviction();
    take_event(SIGHUP);
    take_event(SIGUSR2);
    take_end(SIGTERM);
    take_end(SIGINT);
}

static void end_in_time(apr_int64_t now_us)
{
    apr_int64_t end_us = etcl_ending_until_us();

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
        [ETCL_WHY_DESCRIPTORS] = "it has no descriptor left for a connection",
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
    const etcl_service_t *service = atomic_load(&heart.service);
    etcl_due_t due;

    if (!service) {
        return 0;
    }
    due = etcl_guard_look(etcl_ending_is_given(), now_us);
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
    etcl_service_t *service = atomic_load(&heart.service);

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
    apr_int64_t end_us = etcl_ending_until_us();

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
    heart.worker = worker;
    heart.pid = getpid();
    heart.control_fd = worker->control_fd;
    heart.control = etcl_mark_take(worker->control_fd);
    etcl_ending_open(&worker->group->options);
    heart.wake_fd = etcl_caught_open();
    if (heart.wake_fd < 0) {
        return errno;
    }
    return etcl_thread_start(run_heart, NULL, ETCL_THREAD_SMALL);
}

void etcl_heart_serve(etcl_service_t *service)
{
    etcl_guard_start(service, etcl_clock_us());
    etcl_ending_serve();
    atomic_store(&heart.service, service);
}

void etcl_heart_wake(void)
{
    etcl_caught_wake();
}

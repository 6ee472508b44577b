/* The monitor of a worker. Signal handlers do no more than write to an
 * eventfd: an application's own programs are started with no signal blocked
 * and no handler of ours, as they expect. */

#include "etcl_heart.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_policy.h"

#include <errno.h>
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
    int wake_fd;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    etcl_park_t *park; /* NULL: not serving yet */
    int ordered;
    etcl_order_t order;
    apr_int64_t end_us; /* the process is ended then; 0: not yet known */
} heart = { .lock = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER };

static atomic_int asked_end, asked_replace;

/* A child that the application forked shares the eventfd, but not the order:
 * it gets the signal's own meaning, so that terminate() ends it. */
static void on_signal(int number)
{
    apr_uint64_t one = 1;
    int saved = errno;

    if (getpid() != heart.pid) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    atomic_store(number == SIGUSR1 ? &asked_replace : &asked_end, 1);
    if (write(heart.wake_fd, &one, sizeof(one)) < 0) {
        errno = saved; /* full: it is awake already */
    }
    errno = saved;
}

static void on_other_signal(int number)
{
    if (getpid() != heart.pid) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_flags = SA_RESTART };

    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void open_signals(void)
{
    sigset_t none;

    handle(SIGTERM, on_signal);
    handle(SIGINT, on_signal);
    handle(SIGUSR1, on_signal);
    handle(SIGUSR2, on_other_signal);
    handle(SIGHUP, on_other_signal);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Of two orders the more urgent holds. A worker that does not serve yet has
 * nothing to finish: it may be stuck in an import, with the GIL. */
static void give_order(const etcl_order_t *order)
{
    apr_int64_t end_us = order->calls_until_us + order->stop_us;

    pthread_mutex_lock(&heart.lock);
    if (!heart.park) {
        _exit(0);
    }
    if (!heart.ordered || order->calls_until_us < heart.order.calls_until_us) {
        heart.order = *order;
    }
    if (!heart.end_us || end_us < heart.end_us) {
        heart.end_us = end_us;
    }
    heart.ordered = 1;
    pthread_cond_broadcast(&heart.changed);
    pthread_mutex_unlock(&heart.lock);
}

/* As long as the group's options give, when nobody says otherwise. */
static void end_by_itself(int hurry)
{
    const etcl_group_options_t *options = &heart.worker->group->options;
    etcl_policy_grace_t grace = etcl_policy_limits(
        options->graceful_timeout, options->shutdown_timeout, hurry);

    etcl_roster_set_state(heart.worker->roster, heart.worker->slot,
                          ETCL_SLOT_RETIRING);
    give_order(
        &(etcl_order_t){ .why = ETCL_WHY_SHUTDOWN,
                         .calls_until_us = etcl_clock_us() + grace.calls_us,
                         .stop_us = grace.stop_us });
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
    end_by_itself(0);
}

static void take_control(void)
{
    char buf[ETCL_NOTE_MAX];
    etcl_note_t note;
    apr_status_t rv = etcl_note_recv(heart.control_fd, buf, &note);

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

static void take_signals(void)
{
    apr_uint64_t count;

    if (read(heart.wake_fd, &count, sizeof(count)) < 0) {
        return;
    }
    if (atomic_exchange(&asked_replace, 0)) {
        etcl_note_send(heart.control_fd,
                       &(etcl_note_t){ .kind = ETCL_NOTE_REPLACE });
    }
    if (atomic_exchange(&asked_end, 0)) {
        etcl_note_send(heart.control_fd,
                       &(etcl_note_t){ .kind = ETCL_NOTE_LEAVING });
        end_by_itself(1);
    }
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

static void beat(apr_int64_t now_us)
{
    etcl_park_t *park;

    if (heart.control_fd >= 0) {
        etcl_roster_beat(heart.worker->roster, heart.worker->slot, now_us);
    }
    pthread_mutex_lock(&heart.lock);
    park = heart.park;
    pthread_mutex_unlock(&heart.lock);
    if (park) {
        etcl_park_sweep(park, now_us);
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
    apr_int64_t now_us = etcl_clock_us(), next_us = now_us;

    for (;;) {
        if (now_us >= next_us) {
            beat(now_us);
            next_us = now_us + BEAT_US;
        }
        end_in_time(now_us);
        polls[0] = (struct pollfd){ .fd = heart.control_fd, .events = POLLIN };
        polls[1] = (struct pollfd){ .fd = heart.wake_fd, .events = POLLIN };
        if (poll(polls, 2, wait_ms(next_us, now_us)) > 0) {
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

void etcl_heart_serve(etcl_park_t *park)
{
    pthread_mutex_lock(&heart.lock);
    heart.park = park;
    pthread_mutex_unlock(&heart.lock);
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

void etcl_heart_stopping(apr_int64_t until_us)
{
    pthread_mutex_lock(&heart.lock);
    heart.end_us = until_us;
    pthread_mutex_unlock(&heart.lock);
}

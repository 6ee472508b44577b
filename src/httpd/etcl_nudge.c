/* Wakes the MPM of a restarted Apache by a timer: its signal does nothing but
 * interrupt a sleep. Starts no children itself, and knows none of an MPM's
 * data but the scoreboard. */

#include "etcl_nudge.h"

#include <ap_mpm.h>
#include <errno.h>
#include <httpd.h>
#include <scoreboard.h>
#include <signal.h>
#include <time.h>

/* Ignored where nobody handles it, so that a late one does no harm. */
#define SIGNAL SIGURG
#define EVERY_NS 15000000
#define TIMES 33

static struct {
    timer_t timer;
    struct sigaction before;
    int limit; /* of children */
    ap_generation_t generation;
    volatile sig_atomic_t left; /* how often yet */
} nudge;

static int has_new_child(void)
{
    const process_score *child;
    int i;

    for (i = 0; i < nudge.limit; ++i) {
        child = ap_get_scoreboard_process(i);
        if (child && child->pid && child->generation == nudge.generation) {
            return 1;
        }
    }
    return 0;
}

static void set_timer(long ns)
{
    const struct itimerspec when = { .it_interval.tv_nsec = ns,
                                     .it_value.tv_nsec = ns };

    timer_settime(nudge.timer, 0, &when, NULL);
}

/* In a signal handler: nothing but reading memory and setting a timer. */
static void on_timer(int number)
{
    const int before = errno;

    (void)number;
    nudge.left = nudge.left - 1;
    if (nudge.left <= 0 || has_new_child()) {
        set_timer(0);
    }
    errno = before;
}

/* Before this module, and the handler with it, may be unloaded. A forked child
 * has no timer, and its clean-up is harmless. */
static apr_status_t stop(void *data)
{
    (void)data;
    timer_delete(nudge.timer);
    sigaction(SIGNAL, &nudge.before, NULL);
    return APR_SUCCESS;
}

/* The signal of another module stays its own. */
static int is_taken(void)
{
    return sigaction(SIGNAL, NULL, &nudge.before) ||
           (nudge.before.sa_handler != SIG_DFL &&
            nudge.before.sa_handler != SIG_IGN);
}

void etcl_nudge_start(apr_pool_t *pconf)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGNAL };
    struct sigaction action = { .sa_handler = on_timer,
                                .sa_flags = SA_RESTART };

    if (is_taken() || ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &nudge.limit) ||
        ap_mpm_query(AP_MPMQ_GENERATION, &nudge.generation) ||
        timer_create(CLOCK_MONOTONIC, &event, &nudge.timer)) {
        return;
    }
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGNAL, &action, NULL)) {
        timer_delete(nudge.timer);
        return;
    }
    apr_pool_cleanup_register(pconf, NULL, stop, apr_pool_cleanup_null);
    nudge.left = TIMES;
    set_timer(EVERY_NS);
}

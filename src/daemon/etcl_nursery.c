/* Has workers forked by a template. The worker must be a child of the
 * supervisor, which waits for it: what forks it, a copy of the template, ends
 * at once, and the kernel gives orphans to the nearest subreaper. clone() with
 * CLONE_PARENT would be shorter, but it passes by what libc and Python do
 * around fork(). A supervisor learns of a birth by the worker's first note, or
 * by the end of its control socket. */

#include "etcl_nursery.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_order.h"
#include "etcl_template.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void etcl_nursery_open(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Requests wait for workers that are on their way: those that will come from
 * the template that loads now. */
static void announce(const etcl_crew_t *crew)
{
    const etcl_policy_t *policy = crew->policy;
    int i, live = 0;

    for (i = 0; i < policy->slots; i++) {
        live += policy->slot[i].state == ETCL_WORKER_STARTING ||
                policy->slot[i].state == ETCL_WORKER_READY;
    }
    for (i = 0; i < policy->slots && live < policy->wanted; i++) {
        if (policy->slot[i].state == ETCL_WORKER_NONE) {
            etcl_roster_set_state(crew->handover->roster, i,
                                  ETCL_SLOT_STARTING);
            live++;
        }
    }
}

/* They do not come soon: requests need not wait for them. */
static void recall(const etcl_crew_t *crew, int place, int status)
{
    int killed = WIFSIGNALED(status);
    int detail = killed ? WTERMSIG(status) : WEXITSTATUS(status);
    etcl_last_t last = killed ? ETCL_LAST_SIGNAL : ETCL_LAST_EXIT;
    etcl_roster_slot_t slot;
    int i;

    if (crew->template[place].no_python) {
        last = ETCL_LAST_LOAD;
    }
    for (i = 0; i < crew->policy->slots; i++) {
        if (crew->policy->slot[i].state == ETCL_WORKER_NONE &&
            !etcl_roster_read(crew->handover->roster, i, &slot) &&
            slot.state == ETCL_SLOT_STARTING) {
            etcl_roster_bury(crew->handover->roster, i, last,
                             (apr_uint32_t)detail);
        }
    }
}

static void give_up_load(etcl_crew_t *crew, int place, etcl_ends_t *ends)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0276: group %s cannot start its template: %s; it "
                     "will be tried again",
                     crew->handover->group.name, strerror(errno));
    etcl_ends_close(ends);
    etcl_crew_release(crew, &crew->template[place]);
    etcl_lineage_not_forked(&crew->policy->lineage, etcl_clock_us());
}

void etcl_nursery_load(etcl_crew_t *crew, int place)
{
    etcl_member_t *member = &crew->template[place];
    etcl_ends_t ends;
    pid_t pid;

    pid = etcl_member_open(member, &ends) ? fork() : -1;
    if (pid < 0) {
        give_up_load(crew, place, &ends);
        return;
    }
    if (!pid) {
        etcl_template_run(&(etcl_template_t){ .group = &crew->handover->group,
                                              .roster = crew->handover->roster,
                                              .ends = ends });
    }
    etcl_member_name(member, pid);
    etcl_ends_close(&ends);
    announce(crew);
    etcl_lineage_loading(&crew->policy->lineage, place, etcl_clock_us());
}

void etcl_nursery_drop(etcl_crew_t *crew, int place)
{
    kill(crew->template[place].pid, SIGKILL);
    etcl_lineage_killed(&crew->policy->lineage, place, etcl_clock_us());
}

static apr_status_t order(const etcl_crew_t *crew, int place, int slot,
                          const etcl_ends_t *ends)
{
    etcl_order_fds_t fds = { .control_fd = ends->control_fd,
                             .listen_fd = crew->handover->listen_fd + slot,
                             .out_fd = ends->out_fd,
                             .err_fd = ends->err_fd,
                             .log_fd = ends->log_fd,
                             .ledger_fd = ends->ledger_fd };

    return etcl_order_send(crew->template[place].control_fd, slot, &fds);
}

void etcl_nursery_bear(etcl_crew_t *crew, int place, int slot)
{
    etcl_member_t *member = &crew->member[slot];
    etcl_ends_t ends;
    int given;

    etcl_roster_set_state(crew->handover->roster, slot, ETCL_SLOT_STARTING);
    etcl_policy_ordered(crew->policy, slot, etcl_clock_us());
    given = etcl_member_open(member, &ends) &&
            order(crew, place, slot, &ends) == APR_SUCCESS;
    etcl_ends_close(&ends);
    if (!given) {
        etcl_nursery_lost(crew, slot);
    }
}

static int hear_ready(const etcl_crew_t *crew, int place, int failing)
{
    etcl_heir_t heir = etcl_policy_template_ready(crew->policy, place, failing,
                                                  etcl_clock_us());

    if (heir == ETCL_HEIR_NONE || heir == ETCL_HEIR_USELESS) {
        return heir == ETCL_HEIR_NONE;
    }
    etcl_journal_say(ETCL_LOG_INFO,
                     "ETCL0281: the template of group %s (pid %ld) is ready: "
                     "workers are forked from it",
                     crew->handover->group.name,
                     (long)crew->template[place].pid);
    return 1;
}

int etcl_nursery_hear(etcl_crew_t *crew, int place, const etcl_note_t *note)
{
    switch (note->kind) {
    case ETCL_NOTE_READY:
        return hear_ready(crew, place, (int)(note->number & 0xffff));
    case ETCL_NOTE_REFUSED:
        etcl_policy_template_refused(crew->policy, place);
        return 1;
    case ETCL_NOTE_FAILED:
        crew->template[place].no_python = 1;
        return 1;
    default:
        return 1;
    }
}

void etcl_nursery_born(etcl_crew_t *crew, int slot, pid_t pid)
{
    if (pid <= 0 || crew->member[slot].pid) {
        return;
    }
    etcl_member_name(&crew->member[slot], pid);
    etcl_policy_born(crew->policy, slot, etcl_clock_us());
    etcl_crew_reap(crew);
}

/* A program that an application left running, and that has no parent any
 * more. While a worker is not born its pid is not known: it must not be taken
 * for one of these. */
static void bury_strangers(const etcl_crew_t *crew)
{
    siginfo_t info;
    int i;

    for (;;) {
        for (i = 0; i < crew->policy->slots; i++) {
            if (crew->policy->slot[i].unborn) {
                return;
            }
        }
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ||
            !info.si_pid || etcl_crew_has(crew, info.si_pid)) {
            return;
        }
        waitpid(info.si_pid, NULL, WNOHANG);
    }
}

/* If there is such a process all the same, it ends: nobody is at the other
 * end of its control socket. Strangers that ended meanwhile have waited. */
void etcl_nursery_lost(etcl_crew_t *crew, int slot)
{
    etcl_worker_state_t state = crew->policy->slot[slot].state;

    if (state == ETCL_WORKER_STARTING || state == ETCL_WORKER_KILLED) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0277: worker %d of group %s was not born: its "
                         "template has gone, or could not fork; it will be "
                         "tried again",
                         slot, crew->handover->group.name);
    }
    etcl_crew_release(crew, &crew->member[slot]);
    etcl_roster_set_state(crew->handover->roster, slot, ETCL_SLOT_DEAD);
    etcl_policy_ended(crew->policy, slot, 0, etcl_clock_us());
    bury_strangers(crew);
}

/* The end of one that is to go is no news. */
static void tell_end(const etcl_crew_t *crew, int place, int status)
{
    const etcl_lineage_place_t *self = &crew->policy->lineage.place[place];
    const etcl_member_t *member = &crew->template[place];
    int killed = WIFSIGNALED(status);

    if (self->state == ETCL_TEMPLATE_KILLED || self->unwanted ||
        member->no_python) {
        return;
    }
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0278: the template of group %s (pid %ld) %s: %s %d; "
                     "a new one is loaded, and the workers go on",
                     crew->handover->group.name, (long)member->pid,
                     self->state == ETCL_TEMPLATE_LOADING
                         ? "ended while it loaded the application"
                         : "ended",
                     killed ? "signal" : "exit status",
                     killed ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void tell_back_off(const etcl_crew_t *crew, int before)
{
    const etcl_backoff_t *starts = &crew->policy->lineage.starts;
    int wait_s = etcl_backoff_news(starts, before, etcl_clock_us());

    if (wait_s) {
        etcl_journal_say(ETCL_LOG_ERR,
                         "ETCL0279: group %s: %d templates in a row have "
                         "failed; the next one is started in %d s",
                         crew->handover->group.name, starts->failures, wait_s);
    }
}

static void bury(etcl_crew_t *crew, int place, int status)
{
    etcl_lineage_t *lineage = &crew->policy->lineage;
    int failures = lineage->starts.failures;

    tell_end(crew, place, status);
    etcl_lineage_ended(lineage, place, etcl_clock_us());
    if (etcl_backoff_rests(&lineage->starts, etcl_clock_us())) {
        recall(crew, place, status);
    }
    tell_back_off(crew, failures);
    etcl_crew_release(crew, &crew->template[place]);
}

void etcl_nursery_reap(etcl_crew_t *crew)
{
    int i, status;

    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        pid_t pid = crew->template[i].pid;

        if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
            bury(crew, i, status);
        }
    }
    if (crew->policy->lineage.wanted) {
        bury_strangers(crew);
    }
}

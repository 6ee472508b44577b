/* Does to worker processes what the supervisor decided. With templates it is
 * etcl_nursery.c that starts them. */

#include "etcl_crew.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_nursery.h"
#include "etcl_obituary.h"
#include "etcl_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void etcl_crew_init(etcl_crew_t *crew, const etcl_handover_t *handover,
                    etcl_policy_t *policy)
{
    int i;

    *crew = (etcl_crew_t){ .handover = handover, .policy = policy };
    for (i = 0; i < ETCL_ROSTER_SLOTS_MAX; i++) {
        crew->member[i].control_fd = -1;
    }
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        crew->template[i].control_fd = -1;
    }
    crew->kills[0] = crew->kills[1] = etcl_sample_kills();
}

void etcl_crew_release(etcl_crew_t *crew, etcl_member_t *member)
{
    etcl_member_hang_up(member);
    etcl_ledger_close(member->ledger);
    etcl_relay_drain(&crew->relay, member);
    *member = (etcl_member_t){ .control_fd = -1 };
}

static void be_worker(const etcl_crew_t *crew, int slot,
                      const etcl_ends_t *ends) __attribute__((noreturn));

static void be_worker(const etcl_crew_t *crew, int slot,
                      const etcl_ends_t *ends)
{
    etcl_worker_t worker = { .group = &crew->handover->group,
                             .roster = crew->handover->roster,
                             .slot = slot,
                             .control_fd = ends->control_fd,
                             .listen_fd = crew->handover->listen_fd + slot,
                             .out_fd = ends->out_fd,
                             .err_fd = ends->err_fd,
                             .log_fd = ends->log_fd,
                             .ledger_fd = ends->ledger_fd };

    etcl_worker_run(&worker);
}

static void give_up_fork(etcl_crew_t *crew, int slot, etcl_ends_t *ends)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0230: group %s cannot start worker %d: %s; it will "
                     "be tried again",
                     crew->handover->group.name, slot, strerror(errno));
    etcl_ends_close(ends);
    etcl_crew_release(crew, &crew->member[slot]);
    etcl_roster_set_state(crew->handover->roster, slot, ETCL_SLOT_DEAD);
    etcl_policy_not_forked(crew->policy, etcl_clock_us());
}

void etcl_crew_fork(etcl_crew_t *crew, int slot)
{
    etcl_member_t *member = &crew->member[slot];
    etcl_ends_t ends;
    pid_t pid;

    etcl_roster_set_state(crew->handover->roster, slot, ETCL_SLOT_STARTING);
    if (!etcl_member_open(member, &ends)) {
        give_up_fork(crew, slot, &ends);
        return;
    }
    pid = fork();
    if (pid < 0) {
        give_up_fork(crew, slot, &ends);
        return;
    }
    if (!pid) {
        be_worker(crew, slot, &ends);
    }
    etcl_member_name(member, pid);
    etcl_ends_close(&ends);
    etcl_policy_forked(crew->policy, slot, etcl_clock_us());
}

/* A worker whose application closed its control socket still hears this. */
static void tell_end(const etcl_member_t *member, const etcl_note_t *note)
{
    if (member->control_fd >= 0) {
        etcl_note_send(member->control_fd, note);
    } else if (member->pid > 0) {
        kill(member->pid, SIGTERM);
    }
}

void etcl_crew_retire(etcl_crew_t *crew, int slot)
{
    etcl_member_t *member = &crew->member[slot];
    etcl_why_t why = crew->policy->ending ? ETCL_WHY_SHUTDOWN : member->why;
    const etcl_grace_t *grace =
        etcl_policy_grace(crew->policy, why == ETCL_WHY_EVICTION);

    etcl_roster_set_state(crew->handover->roster, slot, ETCL_SLOT_RETIRING);
    etcl_policy_retiring(crew->policy, slot, grace, etcl_clock_us());
    if (!member->told_us) {
        member->told_us = etcl_clock_us();
    }
    tell_end(member, &(etcl_note_t){ .kind = ETCL_NOTE_RETIRE,
                                     .number = why,
                                     .a_us = grace->calls_us,
                                     .b_us = grace->stop_us });
}

void etcl_crew_kill(etcl_crew_t *crew, int slot)
{
    pid_t pid = crew->member[slot].pid;

    crew->member[slot].stood_still =
        crew->policy->slot[slot].still >= ETCL_POLICY_LOOKS_MAX;
    etcl_policy_killed(crew->policy, slot);
    if (pid > 0) {
        kill(pid, SIGKILL);
    } else {
        etcl_nursery_lost(crew, slot);
    }
}

void etcl_crew_lost(etcl_crew_t *crew, int slot)
{
    if (crew->member[slot].pid > 0) {
        etcl_member_hang_up(&crew->member[slot]);
    } else {
        etcl_nursery_lost(crew, slot);
    }
}

static apr_uint64_t count_served(const etcl_crew_t *crew, int slot)
{
    etcl_roster_slot_t found;

    return etcl_roster_read(crew->handover->roster, slot, &found) == APR_SUCCESS
               ? found.requests
               : 0;
}

static etcl_obituary_t write_up(const etcl_crew_t *crew, int slot)
{
    const etcl_member_t *member = &crew->member[slot];
    etcl_kills_t kills = etcl_sample_kills();

    return (etcl_obituary_t){
        .group = crew->handover->group.name,
        .slot = slot,
        .pid = member->pid,
        .now_us = etcl_clock_us(),
        .forked_us = member->forked_us,
        .told_us = member->told_us,
        .why = crew->policy->ending ? ETCL_WHY_SHUTDOWN : member->why,
        .starting = !crew->policy->slot[slot].since_us,
        .requests = count_served(crew, slot),
        .resident = member->resident,
        .oom = etcl_sample_judge(&crew->kills[0], &kills),
        .ledger = member->ledger,
    };
}

/* The supervisor killed it. */
static void tell_kill(const etcl_crew_t *crew, int slot)
{
    const etcl_policy_slot_t *state = &crew->policy->slot[slot];
    etcl_obituary_t of = write_up(crew, slot);

    if (crew->member[slot].stood_still) {
        etcl_obituary_still(&of, ETCL_POLICY_LOOKS_MAX * ETCL_POLICY_LOOK_US);
    } else if (state->late) {
        etcl_obituary_late(&of, crew->policy->startup_us);
    } else {
        etcl_obituary_overdue(&of);
    }
}

static void tell_death(const etcl_crew_t *crew, int slot, int status)
{
    etcl_obituary_t of = write_up(crew, slot);

    etcl_obituary_died(&of, status);
}

static void tell_end_of(const etcl_crew_t *crew, int slot, int status)
{
    etcl_worker_state_t state = crew->policy->slot[slot].state;
    const char *group = crew->handover->group.name;
    const etcl_member_t *member = &crew->member[slot];

    if (state == ETCL_WORKER_KILLED) {
        tell_kill(crew, slot);
    } else if (state == ETCL_WORKER_RETIRING && !status) {
        etcl_journal_say(ETCL_LOG_INFO,
                         "ETCL0237: worker %d of group %s (pid %ld) has "
                         "finished and ended",
                         slot, group, (long)member->pid);
    } else if (crew->policy->service && state == ETCL_WORKER_READY && !status) {
        etcl_journal_say(ETCL_LOG_INFO,
                         "ETCL0265: the script of service %s (pid %ld) has "
                         "come to its end; it is started again",
                         group, (long)member->pid);
    } else if (!member->no_python) {
        tell_death(crew, slot, status);
    }
}

static void tell_back_off(const etcl_crew_t *crew, int before)
{
    const etcl_backoff_t *starts = &crew->policy->starts;
    int wait_s = etcl_backoff_news(starts, before, etcl_clock_us());

    if (wait_s) {
        etcl_journal_say(ETCL_LOG_ERR,
                         "ETCL0234: group %s: %d starts in a row have failed; "
                         "the next one is in %d s",
                         crew->handover->group.name, starts->failures, wait_s);
    }
}

static void mark_roster(const etcl_crew_t *crew, int slot, int status)
{
    etcl_roster_t *roster = crew->handover->roster;
    etcl_last_t last = WIFSIGNALED(status) ? ETCL_LAST_SIGNAL : ETCL_LAST_EXIT;
    int detail = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);

    if (crew->member[slot].no_python) {
        last = ETCL_LAST_LOAD;
    }
    etcl_roster_bury(roster, slot, last, (apr_uint32_t)detail);
    if (crew->policy->service ||
        crew->policy->slot[slot].state == ETCL_WORKER_RETIRING) {
        etcl_roster_set_state(roster, slot, ETCL_SLOT_EMPTY);
    }
}

/* The last words of a worker stand before the line that says how it died. */
static void bury(etcl_crew_t *crew, int slot, int status)
{
    int failures = crew->policy->starts.failures;
    etcl_member_t *member = &crew->member[slot];

    mark_roster(crew, slot, status);
    etcl_relay_drain(&crew->relay, member);
    tell_end_of(crew, slot, status);
    etcl_policy_ended(crew->policy, slot, count_served(crew, slot) > 0,
                      etcl_clock_us());
    tell_back_off(crew, failures);
    etcl_crew_release(crew, member);
}

#define KILLS_US 2000000
#define YOUNG_US 300000 /* what it has is its supervisor's still */

/* One that has just died keeps what it had, for its obituary. */
static void sample(etcl_member_t *member)
{
    apr_int64_t bytes = etcl_sample_resident(member->pid);

    if (bytes > 0) {
        member->resident = bytes;
    }
}

/* What a hostile template passes off as a worker need not be our child: no
 * signal tells of its end. One that is keeps its pid until it is reaped. */
static int has_vanished(const etcl_member_t *member)
{
    return member->pid > 0 && member->control_fd < 0 && kill(member->pid, 0) &&
           errno == ESRCH;
}

void etcl_crew_look(etcl_crew_t *crew, apr_int64_t now_us)
{
    etcl_member_t *member = crew->member;
    int i;

    for (i = 0; i < crew->policy->slots; i++, member++) {
        if (member->pid > 0 && now_us - member->forked_us > YOUNG_US) {
            sample(member);
        }
        if (has_vanished(member)) {
            bury(crew, i, 0);
        }
    }
    if (now_us - crew->kills_us >= KILLS_US) {
        crew->kills_us = now_us;
        crew->kills[0] = crew->kills[1];
        crew->kills[1] = etcl_sample_kills();
    }
}

void etcl_crew_reap(etcl_crew_t *crew)
{
    int i, status;

    for (i = 0; i < crew->policy->slots; i++) {
        pid_t pid = crew->member[i].pid;

        if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
            bury(crew, i, status);
        }
    }
    etcl_nursery_reap(crew);
}

int etcl_crew_has(const etcl_crew_t *crew, pid_t pid)
{
    int i, found = 0;

    for (i = 0; i < crew->policy->slots; i++) {
        found |= crew->member[i].pid == pid;
    }
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        found |= crew->template[i].pid == pid;
    }
    return found;
}

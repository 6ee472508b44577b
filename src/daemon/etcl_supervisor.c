/* The loop: wait for signals, notes, output and time, and carry out what
 * etcl_policy.c decides. It also answers the listening sockets of slots that
 * no ready worker answers: whoever connects there is sent to another one. */

#include "etcl_supervisor.h"
#include "etcl_clock.h"
#include "etcl_crew.h"
#include "etcl_journal.h"
#include "etcl_nursery.h"
#include "etcl_reload.h"
#include "etcl_rss.h"
#include "etcl_sample.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where a descriptor stands in the poll set; a slot has five places, and so
 * has a template behind them. */
#define AT_SIGNAL 0
#define AT_LIFELINE 1
#define AT_SOURCES 2
#define AT_SLOTS 3
#define PER_SLOT 5
#define AT_LISTEN 0
#define AT_CONTROL 1
#define AT_OUT 2
#define AT_ERR 3
#define AT_LOG 4
#define POLL_MAX                                                               \
    (AT_SLOTS + PER_SLOT * (ETCL_ROSTER_SLOTS_MAX + ETCL_LINEAGE_PLACES) +     \
     ETCL_CREW_ORPHANS)

#define NOTES_MAX 64 /* of one worker in one go */

typedef struct {
    const etcl_handover_t *handover;
    const etcl_group_t *group;
    etcl_policy_t policy;
    etcl_crew_t crew;
    etcl_rss_t rss;
    etcl_reload_t reload;
    int signal_fd;
    int lifeline_fd;     /* -1 once it has ended */
    apr_int64_t look_us; /* when hearts are looked at again */
    struct pollfd polls[POLL_MAX];
} supervisor_t;

static void fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGHUP);
}

void etcl_supervisor_signals(void)
{
    sigset_t set;
    int number;

    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    for (number = 1; number < NSIG; number++) {
        signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
    }
    fill_signals(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void renew_all(supervisor_t *self, etcl_why_t why)
{
    int i;

    for (i = 0; i < self->policy.slots; i++) {
        self->crew.member[i].why = why;
    }
    etcl_policy_renew(&self->policy, -1);
}

/* Workers that are already retiring learn that they have less time now. */
static void end_group(supervisor_t *self, int hurry)
{
    int i, news = hurry && !self->policy.hurried;

    if (!self->policy.ending) {
        etcl_journal_say(ETCL_LOG_INFO, "ETCL0240: group %s ends: %s",
                         self->group->name,
                         hurry ? "it was told to"
                               : "no Apache process can send requests to it "
                                 "any more");
    }
    etcl_policy_end(&self->policy, hurry, etcl_clock_us());
    for (i = 0; news && i < self->policy.slots; i++) {
        if (self->policy.slot[i].state == ETCL_WORKER_RETIRING) {
            etcl_crew_retire(&self->crew, i);
        }
    }
}

/* Apache's parent, as a rule; but anybody of the group's user can. */
static void tell_signal(const supervisor_t *self,
                        const struct signalfd_siginfo *info)
{
    char from[ETCL_SAMPLE_SENDER_MAX];
    int renews = info->ssi_signo == SIGUSR1;

    etcl_sample_sender((pid_t)info->ssi_pid, info->ssi_uid, from);
    etcl_journal_say(renews ? ETCL_LOG_NOTICE : ETCL_LOG_INFO,
                     "ETCL0238: group %s %s: SIG%s, sent by %s",
                     self->group->name,
                     renews ? "replaces its workers" : "is told to end",
                     sigabbrev_np((int)info->ssi_signo), from);
}

static void take_signals(supervisor_t *self)
{
    struct signalfd_siginfo info;

    while (read(self->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
            tell_signal(self, &info);
            end_group(self, 1);
            break;
        case SIGUSR1:
            tell_signal(self, &info);
            renew_all(self, self->group->options.eviction_timeout
                                ? ETCL_WHY_EVICTION
                                : ETCL_WHY_GRACEFUL);
            break;
        default:
            break; /* SIGCHLD: looked at in any case; SIGHUP: no meaning */
        }
    }
    etcl_crew_reap(&self->crew);
}

/* A byte says that the next generation is starting: new code is its business,
 * while this one still serves. */
static void take_lifeline(supervisor_t *self)
{
    char byte;
    ssize_t got = read(self->lifeline_fd, &byte, 1);

    if (got > 0) {
        etcl_reload_stop(&self->reload);
    } else if (!got) {
        close(self->lifeline_fd);
        self->lifeline_fd = -1;
        end_group(self, 0);
    }
}

static void tell_old_stays(const supervisor_t *self)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0239: the new code of group %s does not load; the "
                     "workers that run go on with the old code until a script "
                     "changes again",
                     self->group->name);
}

static void take_ready(supervisor_t *self, int slot, int failing)
{
    etcl_roster_t *roster = self->handover->roster;
    const etcl_group_t *group = self->group;
    int serves =
        etcl_policy_ready(&self->policy, slot, failing, etcl_clock_us());

    if (!serves) {
        tell_old_stays(self);
        return;
    }
    etcl_roster_set_state(roster, slot,
                          group->options.threads ? ETCL_SLOT_READY
                                                 : ETCL_SLOT_EMPTY);
    etcl_journal_say(ETCL_LOG_INFO,
                     "ETCL0236: worker %d of group %s (pid %ld) is ready", slot,
                     group->name, (long)self->crew.member[slot].pid);
    etcl_rss_look(&self->rss, &self->crew, etcl_clock_us());
}

static etcl_why_t why_of(const etcl_note_t *note)
{
    return note->number < ETCL_WHY_COUNT ? (etcl_why_t)note->number
                                         : ETCL_WHY_SHUTDOWN;
}

static void take_note(supervisor_t *self, int slot, const etcl_note_t *note)
{
    etcl_worker_state_t state = self->policy.slot[slot].state;
    int live = state == ETCL_WORKER_STARTING || state == ETCL_WORKER_READY;

    switch (note->kind) {
    case ETCL_NOTE_BORN:
        etcl_nursery_born(&self->crew, slot, note->sender);
        break;
    case ETCL_NOTE_READY:
        if (state == ETCL_WORKER_STARTING) {
            take_ready(self, slot, (int)(note->number & 0xffff));
        }
        break;
    case ETCL_NOTE_LOADED:
    case ETCL_NOTE_KEPT:
        etcl_reload_take(&self->reload, note);
        break;
    case ETCL_NOTE_FAILED:
        self->crew.member[slot].no_python = 1;
        break;
    case ETCL_NOTE_LEAVING:
        if (live) {
            etcl_roster_set_state(self->handover->roster, slot,
                                  ETCL_SLOT_RETIRING);
            self->crew.member[slot].why = why_of(note);
            self->crew.member[slot].told_us = etcl_clock_us();
            etcl_policy_retiring(&self->policy, slot, &self->policy.grace,
                                 etcl_clock_us());
        }
        break;
    case ETCL_NOTE_REPLACE:
        self->crew.member[slot].why = why_of(note);
        etcl_policy_renew(&self->policy, slot);
        break;
    default:
        break;
    }
}

static void take_template_note(supervisor_t *self, int place,
                               const etcl_note_t *note)
{
    if (note->kind == ETCL_NOTE_LOADED) {
        etcl_reload_take(&self->reload, note);
    } else if (!etcl_nursery_hear(&self->crew, place, note)) {
        tell_old_stays(self);
    }
}

/* The next note of a process; APR_EOF: it has closed its socket. */
static apr_status_t take_notes(supervisor_t *self, const etcl_member_t *from,
                               int number,
                               void (*take)(supervisor_t *self, int number,
                                            const etcl_note_t *note))
{
    char buf[ETCL_NOTE_MAX];
    etcl_note_t note;
    apr_status_t rv = APR_SUCCESS;
    int count;

    for (count = 0; count < NOTES_MAX && from->control_fd >= 0; count++) {
        rv = etcl_note_recv(from->control_fd, buf, &note);
        if (rv == APR_EOF || rv == APR_EAGAIN) {
            return rv;
        }
        if (rv == APR_SUCCESS) {
            take(self, number, &note);
        }
    }
    return APR_SUCCESS;
}

/* Somebody leased this slot's worker a moment before it went: the closed
 * connection sends him to another. */
static void turn_away(const supervisor_t *self, int slot)
{
    int fd;

    while ((fd = accept4(self->handover->listen_fd + slot, NULL, NULL,
                         SOCK_CLOEXEC)) >= 0) {
        close(fd);
    }
}

static void pump(etcl_output_t **output)
{
    if (etcl_output_pump(*output, ETCL_FD_LOG) == APR_EOF) {
        etcl_output_destroy(*output, ETCL_FD_LOG);
        *output = NULL;
    }
}

static struct pollfd poll_for(int fd)
{
    return (struct pollfd){ .fd = fd, .events = POLLIN };
}

static int output_fd(const etcl_output_t *output)
{
    return output ? output->fd : -1;
}

static struct pollfd *fill_member(struct pollfd *at,
                                  const etcl_member_t *member, int listen_fd)
{
    *at++ = poll_for(listen_fd);
    *at++ = poll_for(member->control_fd);
    *at++ = poll_for(output_fd(member->out));
    *at++ = poll_for(output_fd(member->err));
    *at++ = poll_for(output_fd(member->log));
    return at;
}

static nfds_t fill_polls(supervisor_t *self)
{
    struct pollfd *at = self->polls;
    int i, ours;

    *at++ = poll_for(self->signal_fd);
    *at++ = poll_for(self->lifeline_fd);
    *at++ = poll_for(etcl_reload_fd(&self->reload));
    for (i = 0; i < self->policy.slots; i++) {
        ours = self->policy.slot[i].state != ETCL_WORKER_READY;
        at = fill_member(at, &self->crew.member[i],
                         ours ? self->handover->listen_fd + i : -1);
    }
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        at = fill_member(at, &self->crew.template[i], -1);
    }
    for (i = 0; i < ETCL_CREW_ORPHANS; i++) {
        *at++ = poll_for(output_fd(self->crew.orphan[i]));
    }
    return (nfds_t)(at - self->polls);
}

static void take_output(etcl_member_t *member, const struct pollfd *polls)
{
    if (polls[AT_LOG].revents && member->log) {
        pump(&member->log);
    }
    if (polls[AT_OUT].revents && member->out) {
        pump(&member->out);
    }
    if (polls[AT_ERR].revents && member->err) {
        pump(&member->err);
    }
}

/* What a worker prints says its pid, which its first note tells. */
static void take_slot(supervisor_t *self, int slot, const struct pollfd *polls)
{
    etcl_member_t *member = &self->crew.member[slot];

    if (polls[AT_LISTEN].revents) {
        turn_away(self, slot);
    }
    if (member->pid) {
        take_output(member, polls);
    }
    if (polls[AT_CONTROL].revents &&
        take_notes(self, member, slot, take_note) == APR_EOF) {
        etcl_crew_lost(&self->crew, slot);
    }
}

/* A template that does not listen is of no use; the end of one that is ending
 * stays what it is. */
static void take_template(supervisor_t *self, int place,
                          const struct pollfd *polls)
{
    etcl_member_t *member = &self->crew.template[place];

    take_output(member, polls);
    if (polls[AT_CONTROL].revents &&
        take_notes(self, member, place, take_template_note) == APR_EOF) {
        etcl_member_hang_up(member);
        kill(member->pid, SIGKILL);
    }
}

/* Notes come before deaths: what a worker said last counts. */
static void take_events(supervisor_t *self)
{
    const struct pollfd *polls = self->polls;
    int i, slots = self->policy.slots;

    for (i = 0; i < slots; i++) {
        take_slot(self, i, polls + AT_SLOTS + i * PER_SLOT);
    }
    polls += AT_SLOTS + slots * PER_SLOT;
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++, polls += PER_SLOT) {
        take_template(self, i, polls);
    }
    for (i = 0; i < ETCL_CREW_ORPHANS; i++) {
        if (polls[i].revents) {
            pump(&self->crew.orphan[i]);
        }
    }
    if (self->polls[AT_LIFELINE].revents) {
        take_lifeline(self);
    }
    if (self->polls[AT_SIGNAL].revents) {
        take_signals(self);
    }
}

static void take_changes(supervisor_t *self)
{
    const char *path = etcl_reload_poll(&self->reload, etcl_clock_us());

    if (path && !self->policy.ending) {
        etcl_journal_say(ETCL_LOG_NOTICE,
                         "ETCL0241: group %s replaces its workers: %s has "
                         "changed",
                         self->group->name, path);
        renew_all(self, ETCL_WHY_SCRIPT);
    }
}

/* Whether to wait for a worker when there is none. And when the old workers of
 * a reload take no more requests, and not before, children learn that the new
 * code is there. */
static void tell_children(const supervisor_t *self)
{
    const apr_int64_t now_us = etcl_clock_us();

    etcl_roster_set_outlook(self->handover->roster,
                            etcl_policy_rests(&self->policy, now_us)
                                ? ETCL_OUTLOOK_RESTING
                                : ETCL_OUTLOOK_COMING,
                            now_us);
    if (self->policy.wait) {
        etcl_reload_publish(&self->reload,
                            etcl_policy_is_settled(&self->policy));
    }
}

/* Act until there is nothing to do but wait; returns the last action. */
static etcl_action_t act(supervisor_t *self)
{
    etcl_action_t action;

    for (;;) {
        action = etcl_policy_next(&self->policy, etcl_clock_us());
        switch (action.what) {
        case ETCL_DO_FORK:
            etcl_crew_fork(&self->crew, action.slot);
            break;
        case ETCL_DO_BEAR:
            etcl_nursery_bear(&self->crew, action.place, action.slot);
            break;
        case ETCL_DO_LOAD:
            etcl_nursery_load(&self->crew, action.place);
            break;
        case ETCL_DO_DROP:
            etcl_nursery_drop(&self->crew, action.place);
            break;
        case ETCL_DO_RETIRE:
            etcl_crew_retire(&self->crew, action.slot);
            break;
        case ETCL_DO_KILL:
            etcl_crew_kill(&self->crew, action.slot);
            break;
        case ETCL_DO_WAIT:
        case ETCL_DO_EXIT:
            return action;
        }
    }
}

/* A worker that was stopped, or that the machine has put aside, cannot say
 * so itself. Its requests wait for it until it goes on or is killed. */
static void look_at_hearts(supervisor_t *self)
{
    apr_int64_t now_us = etcl_clock_us();
    etcl_roster_slot_t slot;
    int i;

    if (now_us < self->look_us) {
        return;
    }
    self->look_us = now_us + ETCL_POLICY_LOOK_US;
    etcl_crew_look(&self->crew, now_us);
    if (now_us >= self->rss.look_us) {
        etcl_rss_look(&self->rss, &self->crew, now_us);
    }
    for (i = 0; !self->policy.service && i < self->policy.slots; i++) {
        if (etcl_roster_read(self->handover->roster, i, &slot) != APR_SUCCESS ||
            !etcl_policy_looked(&self->policy, i, slot.heartbeat_us)) {
            continue;
        }
        self->crew.member[i].why = ETCL_WHY_SHUTDOWN;
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0266: worker %d of group %s (pid %ld) stands "
                         "still: it was stopped, or the machine does not let "
                         "it run; it gets no requests and is replaced",
                         i, self->group->name, (long)self->crew.member[i].pid);
    }
}

/* Milliseconds until `until_us` or the next look at scripts and hearts. */
static int wait_ms(const supervisor_t *self, apr_int64_t until_us)
{
    apr_int64_t look_us = etcl_reload_next_us(&self->reload);
    apr_int64_t left_us;

    if (!look_us || self->look_us < look_us) {
        look_us = self->look_us;
    }
    if (!until_us || look_us < until_us) {
        until_us = look_us;
    }
    left_us = until_us - etcl_clock_us();
    return left_us > 0 ? (int)(left_us / 1000) + 1 : 0;
}

static void supervise(supervisor_t *self)
{
    etcl_action_t action;

    while ((action = act(self)).what != ETCL_DO_EXIT) {
        nfds_t count = fill_polls(self);

        tell_children(self);
        if (poll(self->polls, count, wait_ms(self, action.until_us)) > 0) {
            take_events(self);
        }
        take_changes(self);
        look_at_hearts(self);
    }
    etcl_journal_say(ETCL_LOG_INFO, "ETCL0242: group %s has ended",
                     self->group->name);
}

static apr_status_t open_signals(supervisor_t *self)
{
    sigset_t set;

    fill_signals(&set);
    self->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return self->signal_fd < 0 ? APR_EGENERAL : APR_SUCCESS;
}

static int cannot_run(const etcl_handover_t *handover)
{
    etcl_journal_say(ETCL_LOG_CRIT,
                     "ETCL0243: group %s: no memory or no descriptor for its "
                     "supervisor",
                     handover->group.name);
    return ETCL_EXIT_RETRY;
}

static void prepare(supervisor_t *self, const etcl_handover_t *handover)
{
    const etcl_group_options_t *options = &handover->group.options;

    self->handover = handover;
    self->group = &handover->group;
    self->lifeline_fd = handover->lifeline_fd;
    etcl_policy_init(&self->policy, self->group->slots, options);
    etcl_crew_init(&self->crew, handover, &self->policy);
    if (self->policy.lineage.wanted) {
        etcl_nursery_open();
    }
    etcl_rss_init(&self->rss, options->rss_limit);
    etcl_reload_init(&self->reload, handover);
    etcl_journal_say(ETCL_LOG_INFO,
                     "ETCL0235: group %s starts: %d workers of %d threads, "
                     "uid %ld",
                     self->group->name, (int)options->processes,
                     (int)options->threads, (long)getuid());
}

int etcl_supervisor_run(const etcl_handover_t *handover)
{
    static supervisor_t self;

    if (open_signals(&self) != APR_SUCCESS) {
        return cannot_run(handover);
    }
    prepare(&self, handover);
    supervise(&self);
    return ETCL_EXIT_DONE;
}

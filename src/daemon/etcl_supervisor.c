/* The loop: wait for signals, notes, output and time, and carry out what
 * etcl_policy.c decides. It also answers the listening sockets of slots that
 * no ready worker answers: whoever connects there is sent to another one. */

#include "etcl_supervisor.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_news.h"
#include "etcl_nursery.h"
#include "etcl_polls.h"
#include "etcl_signals.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    const etcl_handover_t *handover;
    const etcl_group_t *group;
    etcl_policy_t policy;
    etcl_crew_t crew;
    etcl_rss_t rss;
    etcl_reload_t reload;
    etcl_news_t news;
    int signal_fd;
    int lifeline_fd;     /* -1 once it has ended */
    apr_int64_t look_us; /* when hearts are looked at again */
    etcl_polls_t polls;
} supervisor_t;

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

static void take_signals(void *data, int unused)
{
    supervisor_t *self = data;
    etcl_signals_what_t what;

    while ((what = etcl_signals_next(self->signal_fd, self->group->name)) !=
           ETCL_SIGNALS_NONE) {
        if (what == ETCL_SIGNALS_END) {
            end_group(self, 1);
        } else if (what == ETCL_SIGNALS_RENEW) {
            renew_all(self, self->group->options.eviction_timeout
                                ? ETCL_WHY_EVICTION
                                : ETCL_WHY_GRACEFUL);
        }
    }
    etcl_crew_reap(&self->crew);
}

/* A byte says that the next generation is starting: new code is its business,
 * while this one still serves. */
static void take_lifeline(void *data, int unused)
{
    supervisor_t *self = data;
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

/* Somebody leased this slot's worker a moment before it went: the closed
 * connection sends him to another. */
static void turn_away(void *data, int slot)
{
    const supervisor_t *self = data;
    int fd;

    while ((fd = accept4(self->handover->listen_fd + slot, NULL, NULL,
                         SOCK_CLOEXEC)) >= 0) {
        close(fd);
    }
}

static void take_worker(void *data, int slot)
{
    const supervisor_t *self = data;

    etcl_news_worker(&self->news, slot);
}

static void take_template(void *data, int place)
{
    const supervisor_t *self = data;

    etcl_news_template(&self->news, place);
}

static void watch(supervisor_t *self, int fd, etcl_polls_take_t take,
                  int number)
{
    etcl_polls_add(&self->polls, fd, (etcl_polls_who_t){ take, self, number });
}

static void watch_member(supervisor_t *self, etcl_member_t *member,
                         etcl_polls_take_t take, int number)
{
    etcl_relay_watch(member, &self->polls);
    watch(self, member->control_fd, take, number);
}

/* What is printed comes before notes, and notes come before deaths: what a
 * worker said last counts. */
static void watch_all(supervisor_t *self)
{
    etcl_crew_t *crew = &self->crew;
    int i;

    etcl_polls_clear(&self->polls);
    for (i = 0; i < self->policy.slots; i++) {
        if (self->policy.slot[i].state != ETCL_WORKER_READY) {
            watch(self, self->handover->listen_fd + i, turn_away, i);
        }
        watch_member(self, &crew->member[i], take_worker, i);
    }
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        watch_member(self, &crew->template[i], take_template, i);
    }
    etcl_relay_watch_orphans(&crew->relay, &self->polls);
    watch(self, self->lifeline_fd, take_lifeline, 0);
    watch(self, self->signal_fd, take_signals, 0);
    watch(self, etcl_reload_fd(&self->reload), NULL, 0);
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
        tell_children(self);
        watch_all(self);
        etcl_polls_wait(&self->polls, wait_ms(self, action.until_us));
        take_changes(self);
        look_at_hearts(self);
    }
    etcl_journal_say(ETCL_LOG_INFO, "ETCL0242: group %s has ended",
                     self->group->name);
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
    self->news = (etcl_news_t){ &self->crew, &self->reload, &self->rss };
    etcl_journal_say(ETCL_LOG_INFO,
                     "ETCL0235: group %s starts: %d workers of %d threads, "
                     "uid %ld",
                     self->group->name, (int)options->processes,
                     (int)options->threads, (long)getuid());
}

int etcl_supervisor_run(const etcl_handover_t *handover)
{
    static supervisor_t self;

    self.signal_fd = etcl_signals_open();
    if (self.signal_fd < 0) {
        return cannot_run(handover);
    }
    prepare(&self, handover);
    supervise(&self);
    return ETCL_EXIT_DONE;
}

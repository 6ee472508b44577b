/* Notes, one by one, into policy, roster and reload. What a worker says is
 * heard only where it makes sense: an application can write notes, too. */

#include "etcl_news.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_nursery.h"

#include <signal.h>

#define NOTES_MAX 64 /* of one process in one go */

static void tell_old_stays(const etcl_news_t *news)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0239: the new code of group %s does not load; the "
                     "workers that run go on with the old code until a script "
                     "changes again",
                     news->crew->handover->group.name);
}

static void take_ready(const etcl_news_t *news, int slot, int failing)
{
    etcl_crew_t *crew = news->crew;
    const etcl_group_t *group = &crew->handover->group;
    int serves =
        etcl_policy_ready(crew->policy, slot, failing, etcl_clock_us());

    if (!serves) {
        tell_old_stays(news);
        return;
    }
    etcl_roster_set_failing(crew->handover->roster, slot, failing);
    etcl_roster_set_state(crew->handover->roster, slot,
                          group->options.threads ? ETCL_SLOT_READY
                                                 : ETCL_SLOT_EMPTY);
    etcl_journal_say(ETCL_LOG_INFO,
                     "ETCL0236: worker %d of group %s (pid %ld) is ready", slot,
                     group->name, (long)crew->member[slot].pid);
    etcl_rss_look(news->rss, crew, etcl_clock_us());
}

static etcl_why_t why_of(const etcl_note_t *note)
{
    return note->number < ETCL_WHY_COUNT ? (etcl_why_t)note->number
                                         : ETCL_WHY_SHUTDOWN;
}

static void take_leaving(etcl_crew_t *crew, int slot, etcl_why_t why)
{
    const apr_int64_t now_us = etcl_clock_us();

    etcl_roster_set_state(crew->handover->roster, slot, ETCL_SLOT_RETIRING);
    crew->member[slot].why = why;
    crew->member[slot].told_us = now_us;
    etcl_policy_retiring(crew->policy, slot, &crew->policy->grace, now_us);
}

static void take_worker(const etcl_news_t *news, int slot,
                        const etcl_note_t *note)
{
    etcl_crew_t *crew = news->crew;
    etcl_worker_state_t state = crew->policy->slot[slot].state;

    switch (note->kind) {
    case ETCL_NOTE_BORN:
        etcl_nursery_born(crew, slot, note->sender);
        break;
    case ETCL_NOTE_READY:
        if (state == ETCL_WORKER_STARTING) {
            take_ready(news, slot, (int)(note->number & 0xffff));
        }
        break;
    case ETCL_NOTE_LOADED:
    case ETCL_NOTE_KEPT:
        etcl_reload_take(news->reload, note);
        break;
    case ETCL_NOTE_FAILED:
        crew->member[slot].no_python = 1;
        break;
    case ETCL_NOTE_LEAVING:
        if (state == ETCL_WORKER_STARTING || state == ETCL_WORKER_READY) {
            take_leaving(crew, slot, why_of(note));
        }
        break;
    case ETCL_NOTE_REPLACE:
        crew->member[slot].why = why_of(note);
        etcl_policy_renew(crew->policy, slot);
        break;
    default:
        break;
    }
}

static void take_template(const etcl_news_t *news, int place,
                          const etcl_note_t *note)
{
    if (note->kind == ETCL_NOTE_LOADED) {
        etcl_reload_take(news->reload, note);
    } else if (!etcl_nursery_hear(news->crew, place, note)) {
        tell_old_stays(news);
    }
}

/* Notes of a process as long as there are any; APR_EOF: it has closed its
 * socket. */
static apr_status_t take_all(const etcl_news_t *news, const etcl_member_t *from,
                             int number,
                             void (*take)(const etcl_news_t *news, int number,
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
            take(news, number, &note);
        }
    }
    return APR_SUCCESS;
}

void etcl_news_worker(const etcl_news_t *news, int slot)
{
    const etcl_member_t *from = &news->crew->member[slot];

    if (take_all(news, from, slot, take_worker) == APR_EOF) {
        etcl_crew_lost(news->crew, slot);
    }
}

/* The end of one that is ending stays what it is. */
void etcl_news_template(const etcl_news_t *news, int place)
{
    etcl_member_t *from = &news->crew->template[place];

    if (take_all(news, from, place, take_template) == APR_EOF) {
        etcl_member_hang_up(from);
        kill(from->pid, SIGKILL);
    }
}

/* Decides from the rosters of two generations of a group which one serves.
 * Every process of Apache decides for itself; only the parent lets an old one
 * go (etcl_parent.c), when children have no use for it any more. */

#include "etcl_succession.h"
#include "etcl_clock.h"
#include "etcl_links.h"
#include "etcl_standing.h"

#include <signal.h>

#define PATIENCE_US (60 * (apr_int64_t)APR_USEC_PER_SEC)

static etcl_standing_t standing_of(const etcl_live_t *live,
                                   const etcl_wish_t *wish)
{
    return etcl_standing_of(live->roster, live->slots, wish, etcl_clock_us());
}

static int is_resting(const etcl_live_t *live)
{
    return etcl_roster_outlook(live->roster, etcl_clock_us()) ==
           ETCL_OUTLOOK_RESTING;
}

/* Whoever sees it first says it, for all processes of Apache. Before the new
 * workers are ready nothing is wrong, unless their starts fail. */
static void tell_kept(const etcl_live_t *live, const etcl_standing_t *mine)
{
    if ((!mine->ready && !is_resting(live)) ||
        __atomic_load_n(&live->burst->kept, __ATOMIC_RELAXED) ||
        __atomic_exchange_n(&live->burst->kept, 1, __ATOMIC_RELAXED)) {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                 "ETCL0202: the code of group %s does not load since Apache "
                 "was restarted; the workers of before go on with what they "
                 "have loaded until it does",
                 live->name);
}

/* Idle links to workers that have gone. */
static void clear_links(etcl_live_t *old)
{
    const etcl_standing_t theirs = standing_of(old, NULL);

    if (!theirs.ready &&
        __atomic_exchange_n(&old->is_lent, 0, __ATOMIC_RELAXED)) {
        etcl_links_clear(old->links);
    }
}

static etcl_live_t *choose(etcl_live_t *live, const etcl_live_t *asked,
                           const etcl_wish_t *wish)
{
    etcl_live_t *old = live->previous;
    etcl_standing_t mine, theirs;

    if (!old || old->seat < 0) {
        return live;
    }
    mine = standing_of(live, NULL);
    if (etcl_standing_is_whole(&mine)) {
        if (__atomic_load_n(&old->is_lent, __ATOMIC_RELAXED)) {
            clear_links(old);
        }
        return live;
    }
    theirs = standing_of(old, asked == old ? wish : NULL);
    if (etcl_standing_takes_over(&mine, &theirs)) {
        return live;
    }
    tell_kept(live, &mine);
    __atomic_store_n(&old->is_lent, 1, __ATOMIC_RELAXED);
    return old;
}

etcl_live_t *etcl_succession_choose(etcl_live_t *live, const etcl_live_t *asked,
                                    etcl_wish_t *wish)
{
    etcl_live_t *chosen = choose(live, asked, wish);

    if (chosen != asked) {
        wish->avoid_slot = -1;
    }
    return chosen;
}

/* Half of its slots. */
int etcl_succession_is_ready(const etcl_live_t *live)
{
    return standing_of(live, NULL).ready * 2 >= live->slots;
}

static int is_better(const etcl_live_t *a, const etcl_live_t *b)
{
    const int is_ready = etcl_succession_is_ready(a);

    if (is_ready != etcl_succession_is_ready(b)) {
        return is_ready;
    }
    return is_ready && standing_of(a, NULL).most < standing_of(b, NULL).most;
}

etcl_live_t *etcl_succession_best(etcl_live_t *lives, const char *name)
{
    etcl_live_t *live, *found = NULL;

    for (live = lives; live; live = live->next) {
        if (live->is_old && live->alive_fd >= 0 && !strcmp(live->name, name) &&
            (!found || is_better(live, found))) {
            found = live;
        }
    }
    return found;
}

/* What was missing may be there by now, outside of any script, and no request
 * makes the new workers look. Their supervisor is the parent's own child. */
static void try_again(etcl_live_t *old, const etcl_live_t *next,
                      apr_int64_t now_us)
{
    if (!old->retry_us) {
        old->retry_us = now_us + PATIENCE_US;
    }
    if (now_us >= old->retry_us && next->proc.pid > 0) {
        old->retry_us = now_us + PATIENCE_US;
        kill(next->proc.pid, SIGUSR1);
    }
}

/* While the old one serves better there is no limit. When it does not serve at
 * the moment, its workers may be on their way: its supervisor is given some
 * time, and so is that of the new one. */
int etcl_succession_is_over(etcl_live_t *old, const etcl_live_t *next)
{
    const apr_int64_t now_us = etcl_clock_us();
    etcl_standing_t mine, theirs;

    if (!next) {
        return 1;
    }
    mine = standing_of(next, NULL);
    if (etcl_standing_is_whole(&mine) && mine.ready * 2 >= next->slots) {
        return 1;
    }
    theirs = standing_of(old, NULL);
    if (!etcl_standing_takes_over(&mine, &theirs)) {
        tell_kept(next, &mine);
        if (mine.ready) {
            try_again(old, next, now_us);
        }
        old->handover_us = now_us + PATIENCE_US;
        return 0;
    }
    if (now_us > old->handover_us) {
        return 1;
    }
    return mine.ready * 2 >= next->slots &&
           (theirs.ready ||
            etcl_roster_outlook(old->roster, now_us) != ETCL_OUTLOOK_COMING);
}

void etcl_succession_end(const etcl_live_t *old, const etcl_live_t *next)
{
    etcl_standing_t mine;

    if (!next || next->previous != old ||
        !__atomic_exchange_n(&next->burst->kept, 0, __ATOMIC_RELAXED)) {
        return;
    }
    mine = standing_of(next, NULL);
    if (etcl_standing_is_whole(&mine)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, ap_server_conf,
                     "ETCL0203: the code of group %s loads again; the workers "
                     "of before the restart end",
                     next->name);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                 "ETCL0204: the workers of before the restart of group %s "
                 "serve no more, and its new code does not load: requests "
                 "are answered by what has loaded of it",
                 next->name);
}

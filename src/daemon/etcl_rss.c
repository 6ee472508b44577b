/* Sizes of workers against rss-limit=. Who replaces them, and how many at a
 * time, is etcl_policy.c's. */

#include "etcl_rss.h"
#include "etcl_journal.h"
#include "etcl_sample.h"

#define MIB (1024 * 1024)

void etcl_rss_init(etcl_rss_t *rss, apr_int64_t limit)
{
    *rss = (etcl_rss_t){ .limit = limit };
}

etcl_rss_verdict_t etcl_rss_judge(etcl_rss_t *rss, int slot,
                                  apr_int64_t since_us, apr_int64_t bytes,
                                  apr_int64_t now_us)
{
    etcl_rss_fresh_t *fresh = &rss->fresh[slot];
    apr_int64_t limit = rss->limit;

    if (fresh->since_us != since_us) {
        *fresh = (etcl_rss_fresh_t){ since_us, bytes };
    }
    if (fresh->bytes > limit) {
        limit = fresh->bytes + fresh->bytes / 4;
        if (!rss->told) {
            rss->told = 1;
            return ETCL_RSS_LOW;
        }
    }
    return bytes > limit && now_us - since_us >= ETCL_RSS_AGE_US
               ? ETCL_RSS_GROWN
               : ETCL_RSS_FITS;
}

static void tell_unknown(etcl_rss_t *rss, const char *group)
{
    if (!rss->told) {
        rss->told = 1;
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0288: group %s: the sizes of its workers cannot "
                         "be read from /proc, so rss-limit= has no effect",
                         group);
    }
}

static void tell_low(const etcl_rss_t *rss, const char *group,
                     apr_int64_t bytes)
{
    etcl_journal_say(ETCL_LOG_WARNING,
                     "ETCL0287: group %s: with its code loaded a worker has "
                     "%.1f MB in memory, which is above rss-limit=, %.1f MB: "
                     "raise it; until then workers are replaced when they "
                     "have grown by a quarter",
                     group, (double)bytes / MIB, (double)rss->limit / MIB);
}

static void replace(const etcl_rss_t *rss, etcl_crew_t *crew, int slot,
                    apr_int64_t bytes)
{
    etcl_member_t *member = &crew->member[slot];

    etcl_journal_say(ETCL_LOG_NOTICE,
                     "ETCL0286: worker %d of group %s (pid %ld) is replaced: "
                     "it has %.1f MB in memory, %.1f MB at its start; "
                     "rss-limit= is %.1f MB",
                     slot, crew->handover->group.name, (long)member->pid,
                     (double)bytes / MIB, (double)rss->fresh[slot].bytes / MIB,
                     (double)rss->limit / MIB);
    member->why = ETCL_WHY_RSS;
    etcl_policy_renew(crew->policy, slot);
}

static void look_at(etcl_rss_t *rss, etcl_crew_t *crew, int slot,
                    apr_int64_t now_us)
{
    const char *group = crew->handover->group.name;
    apr_int64_t since_us = crew->policy->slot[slot].since_us;
    apr_int64_t bytes = etcl_sample_resident(crew->member[slot].pid);

    if (bytes < 0) {
        tell_unknown(rss, group);
    }
    if (bytes <= 0) {
        return;
    }
    switch (etcl_rss_judge(rss, slot, since_us, bytes, now_us)) {
    case ETCL_RSS_LOW:
        tell_low(rss, group, bytes);
        break;
    case ETCL_RSS_GROWN:
        replace(rss, crew, slot, bytes);
        break;
    case ETCL_RSS_FITS:
        break;
    }
}

void etcl_rss_look(etcl_rss_t *rss, etcl_crew_t *crew, apr_int64_t now_us)
{
    const etcl_policy_slot_t *slot = crew->policy->slot;
    int i;

    rss->look_us = now_us + ETCL_RSS_LOOK_US;
    for (i = 0; rss->limit && i < crew->policy->slots; i++) {
        if (slot[i].state == ETCL_WORKER_READY && !slot[i].stale) {
            look_at(rss, crew, i, now_us);
        }
    }
}

/* The workers of a supervisor as processes: forked, told, and buried. */

#ifndef ETCL_CREW_H
#define ETCL_CREW_H

#include "etcl_handover.h"
#include "etcl_member.h"
#include "etcl_policy.h"
#include "etcl_relay.h"
#include "etcl_sample.h"

typedef struct {
    const etcl_handover_t *handover;
    etcl_policy_t *policy;
    etcl_member_t member[ETCL_ROSTER_SLOTS_MAX];
    etcl_member_t template[ETCL_LINEAGE_PLACES]; /* etcl_nursery.c */
    etcl_relay_t relay;
    /* Two looks at the kernel's counters, so that there is always one from
     * well before a death. */
    etcl_kills_t kills[2];
    apr_int64_t kills_us; /* of the later one */
} etcl_crew_t;

void etcl_crew_init(etcl_crew_t *crew, const etcl_handover_t *handover,
                    etcl_policy_t *policy);

/** Fork a worker for a free slot; failure is logged and backed off. */
void etcl_crew_fork(etcl_crew_t *crew, int slot);

/** Tell a worker to finish and end, within policy's present limits. */
void etcl_crew_retire(etcl_crew_t *crew, int slot);

void etcl_crew_kill(etcl_crew_t *crew, int slot);

/** Now and then: see how much memory workers have, and whether one has ended
 *  that is nobody's child here. */
void etcl_crew_look(etcl_crew_t *crew, apr_int64_t now_us);

/** The worker has closed its end of the control socket. One that was ordered
 *  from a template and never spoke does not come. */
void etcl_crew_lost(etcl_crew_t *crew, int slot);

/** Bury all that have ended: roster, policy and a line in the log. */
void etcl_crew_reap(etcl_crew_t *crew);

/** Close what belongs to a process that is no more; its place is free. */
void etcl_crew_release(etcl_crew_t *crew, etcl_member_t *member);

/** Whether this is one of its processes. */
int etcl_crew_has(const etcl_crew_t *crew, pid_t pid);

#endif

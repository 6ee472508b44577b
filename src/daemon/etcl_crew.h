/* The workers of a supervisor as processes: forked, told, and buried. */

#ifndef ETCL_CREW_H
#define ETCL_CREW_H

#include "etcl_handover.h"
#include "etcl_ledger.h"
#include "etcl_note.h"
#include "etcl_output.h"
#include "etcl_policy.h"
#include "etcl_sample.h"

#include <sys/types.h>

#define ETCL_CREW_ORPHANS 64 /* pipes that outlive their worker */

typedef struct {
    pid_t pid;          /* 0: the slot is free */
    int control_fd;     /* or -1 */
    int stood_still;    /* it was killed because its heart did */
    int no_python;      /* it reported that Python does not start */
    etcl_why_t why;     /* it is to be replaced; the reason */
    etcl_output_t *out; /* what it prints; or NULL */
    etcl_output_t *err;
    etcl_output_t *log;          /* its journal */
    const etcl_ledger_t *ledger; /* what it works on; or NULL */
    apr_int64_t forked_us;
    apr_int64_t told_us;  /* when it began to end; 0 */
    apr_int64_t resident; /* bytes of memory, at the last look; 0 */
} etcl_member_t;

typedef struct {
    const etcl_handover_t *handover;
    etcl_policy_t *policy;
    etcl_member_t member[ETCL_ROSTER_SLOTS_MAX];
    /* A program that an application left running may still print. */
    etcl_output_t *orphan[ETCL_CREW_ORPHANS];
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

/** Now and then: see how much memory workers have. */
void etcl_crew_look(etcl_crew_t *crew, apr_int64_t now_us);

/** The worker has closed its end of the control socket. */
void etcl_crew_lost(etcl_crew_t *crew, int slot);

/** Bury all workers that have ended: roster, policy and a line in the log. */
void etcl_crew_reap(etcl_crew_t *crew);

#endif

/* What a supervisor does next, as a pure function of its workers and the
 * time. Replace first, then retire: a worker that is to be replaced goes only
 * when the new one is ready. The loop in etcl_supervisor.c carries it out. */

#ifndef ETCL_POLICY_H
#define ETCL_POLICY_H

#include "etcl_backoff.h"
#include "etcl_grace.h"
#include "etcl_group.h"
#include "etcl_lineage.h"
#include "etcl_roster.h"

/* A worker that ends sooner than this after it became ready, and answered
 * nothing, did not start well. So many in a row are put up with: one request
 * that kills its worker is no reason to let others wait. */
#define ETCL_POLICY_SHORT_US 200000
#define ETCL_POLICY_SHORT_MAX 5

/* A service that ends sooner has not done its work. */
#define ETCL_POLICY_SERVICE_US 1000000

/* A ready worker whose heart stands still at so many looks in a row, each
 * ETCL_POLICY_LOOK_US after the other, is stopped or swapped out. */
#define ETCL_POLICY_LOOK_US 500000
#define ETCL_POLICY_LOOKS 6

/* At so many it is killed, once it has a successor: what it holds can then be
 * asked of another worker. So is one that is not ready yet: its heart beats
 * before it loads anything. */
#define ETCL_POLICY_LOOKS_MAX 20

/* A template forks in milliseconds. One that takes longer stands still. */
#define ETCL_POLICY_BIRTH_US 5000000

/* Code that did not load may have wanted something that was not there for a
 * moment. Workers that are missing all the same are tried again so often. */
#define ETCL_POLICY_RETRY_US 60000000

/* What a retiring worker has beyond its own limits before it is killed. */
#define ETCL_POLICY_SLACK_US 500000

typedef enum {
    ETCL_WORKER_NONE = 0, /* the slot is free */
    ETCL_WORKER_STARTING, /* forked, not ready */
    ETCL_WORKER_READY,
    ETCL_WORKER_RETIRING, /* told to finish and end */
    ETCL_WORKER_KILLED    /* waiting for the kernel */
} etcl_worker_state_t;

typedef struct {
    etcl_worker_state_t state;
    apr_int64_t since_us; /* when it became ready; 0 not yet */
    apr_int64_t until_us; /* STARTING, RETIRING: when it is killed; 0 never */
    int stale;            /* to be replaced */
    int outdated;         /* stale because its code has changed */
    int unwanted;         /* loads fewer scripts than those it would replace */
    int failing;          /* scripts that it could not load */
    int unborn;           /* a template was told to fork it */
    int late;             /* it was killed because it did not become ready */
    apr_int64_t beat_us;  /* its heartbeat at the last look */
    int still;            /* looks in a row at which it was the same */
} etcl_policy_slot_t;

typedef struct {
    int slots;
    int wanted;             /* workers that are to serve */
    int service;            /* they run scripts, not requests */
    int wait;               /* requests wait for new code: reload=wait */
    apr_int64_t startup_us; /* to become ready; 0 no limit */
    etcl_grace_t grace;     /* of a planned end */
    etcl_grace_t evict;     /* of one by SIGUSR1 */
    etcl_grace_t hurry;     /* when Apache stops */
    int ending;             /* no worker is wanted any more */
    int hurried;            /* and those that end have little time */
    int refused;            /* new code did not load: keep the old */
    apr_int64_t retry_us;   /* REFUSED: for want of workers, try again */
    etcl_backoff_t starts;  /* that fail are backed off */
    int short_lived;        /* workers that did not start well, in a row */
    etcl_lineage_t lineage; /* templates, with preload=on */
    etcl_policy_slot_t slot[ETCL_ROSTER_SLOTS_MAX];
} etcl_policy_t;

typedef enum {
    ETCL_DO_WAIT,   /* until `until_us`; 0: until something happens */
    ETCL_DO_FORK,   /* start a worker in `slot` */
    ETCL_DO_BEAR,   /* have the template of `place` fork one for `slot` */
    ETCL_DO_LOAD,   /* start a template in `place` */
    ETCL_DO_DROP,   /* end the template of `place` */
    ETCL_DO_RETIRE, /* tell the worker of `slot` to finish and end */
    ETCL_DO_KILL,
    ETCL_DO_EXIT /* the group has ended */
} etcl_do_t;

typedef struct {
    etcl_do_t what;
    int slot;
    apr_int64_t until_us;
    int place; /* of a template */
} etcl_action_t;

/** A group without workers. */
void etcl_policy_init(etcl_policy_t *policy, int slots,
                      const etcl_group_options_t *options);

/** The next action. Asked again and again until it is to wait or to exit. */
etcl_action_t etcl_policy_next(const etcl_policy_t *policy, apr_int64_t now_us);

/** How long a worker that is told to end now has; `evicted`: by SIGUSR1. */
const etcl_grace_t *etcl_policy_grace(const etcl_policy_t *policy, int evicted);

/* What happened. */

void etcl_policy_forked(etcl_policy_t *policy, int slot, apr_int64_t now_us);
/** The same by a template: it is not known yet whether there is a process. */
void etcl_policy_ordered(etcl_policy_t *policy, int slot, apr_int64_t now_us);
void etcl_policy_born(etcl_policy_t *policy, int slot, apr_int64_t now_us);
void etcl_policy_not_forked(etcl_policy_t *policy, apr_int64_t now_us);

/**
 * A worker reports ready; `failing` of its scripts did not load.
 *
 * Returns  1  it serves
 *          0  others load more than it does: they stay, and it goes
 */
int etcl_policy_ready(etcl_policy_t *policy, int slot, int failing,
                      apr_int64_t now_us);

/** A template is ready; `failing` of its scripts did not load. */
etcl_heir_t etcl_policy_template_ready(etcl_policy_t *policy, int place,
                                       int failing, apr_int64_t now_us);

/** A template cannot be forked: workers load by themselves. */
void etcl_policy_template_refused(etcl_policy_t *policy, int place);

/** It was told to end within `grace`, or ends by itself. */
void etcl_policy_retiring(etcl_policy_t *policy, int slot,
                          const etcl_grace_t *grace, apr_int64_t now_us);

/**
 * A look at a worker's heartbeat, ETCL_POLICY_LOOK_US after the last one.
 *
 * Returns  1  it stands still, which is news: the worker is to be replaced
 */
int etcl_policy_looked(etcl_policy_t *policy, int slot, apr_int64_t beat_us);

void etcl_policy_killed(etcl_policy_t *policy, int slot);

/** It has ended; `served`: it had answered calls. The slot is free. */
void etcl_policy_ended(etcl_policy_t *policy, int slot, int served,
                       apr_int64_t now_us);

/** Whether those who serve have the newest code, or the newest that loads. */
int etcl_policy_is_settled(const etcl_policy_t *policy);

/** Whether starts have failed and a pause is being made. */
int etcl_policy_rests(const etcl_policy_t *policy, apr_int64_t now_us);

/** One worker, or with slot -1 every worker because its code has changed, is
 *  to be replaced. */
void etcl_policy_renew(etcl_policy_t *policy, int slot);

/** The group is to end, with `hurry` soon. */
void etcl_policy_end(etcl_policy_t *policy, int hurry, apr_int64_t now_us);

#endif

/* The decisions of a supervisor. Nothing here forks, kills or looks at a
 * clock; the tables of tests/unit/test_policy.c say what is wanted. */

#include "etcl_policy.h"

#define SECOND_US APR_INT64_C(1000000)
#define NO_LIMIT_US (60 * SECOND_US)

/* What the decisions are made from. */
typedef struct {
    int starting;  /* with new code */
    int ready;     /* serving, old and new */
    int stale;     /* of these: to be replaced */
    int outdated;  /* of these: their code has changed */
    int alive;     /* anything that has not ended */
    int free_slot; /* or -1 */
} tally_t;

etcl_policy_grace_t etcl_policy_limits(apr_int64_t graceful,
                                       apr_int64_t shutdown, int hurry)
{
    apr_int64_t stop_us = shutdown ? shutdown * SECOND_US : NO_LIMIT_US;
    apr_int64_t last_us = stop_us < 2 * SECOND_US ? stop_us / 2 : SECOND_US;

    if (hurry) {
        return (etcl_policy_grace_t){ stop_us - last_us, last_us };
    }
    return (etcl_policy_grace_t){ graceful ? graceful * SECOND_US : stop_us,
                                  stop_us };
}

void etcl_policy_init(etcl_policy_t *policy, int slots,
                      const etcl_group_options_t *options)
{
    apr_int64_t graceful = options->graceful_timeout;
    apr_int64_t shutdown = options->shutdown_timeout;
    apr_int64_t evict = options->eviction_timeout;

    *policy = (etcl_policy_t){
        .slots = slots,
        .wanted = (int)options->processes,
        .service = !options->threads,
        .wait = (int)options->reload,
        .startup_us = options->startup_timeout * SECOND_US,
        .grace = etcl_policy_limits(graceful, shutdown, 0),
        .evict = etcl_policy_limits(evict ? evict : graceful, shutdown, 0),
        .hurry = etcl_policy_limits(graceful, shutdown, 1),
    };
    etcl_lineage_init(&policy->lineage, options);
}

const etcl_policy_grace_t *etcl_policy_grace(const etcl_policy_t *policy,
                                             int evicted)
{
    if (policy->hurried) {
        return &policy->hurry;
    }
    return evicted ? &policy->evict : &policy->grace;
}

static tally_t count_workers(const etcl_policy_t *policy)
{
    tally_t tally = { .free_slot = -1 };
    const etcl_policy_slot_t *slot;
    int i;

    for (i = policy->slots - 1; i >= 0; i--) {
        slot = &policy->slot[i];
        tally.alive += slot->state != ETCL_WORKER_NONE;
        tally.starting += slot->state == ETCL_WORKER_STARTING;
        tally.ready += slot->state == ETCL_WORKER_READY;
        tally.stale += slot->state == ETCL_WORKER_READY && slot->stale;
        tally.outdated += slot->state == ETCL_WORKER_READY && slot->outdated;
        if (slot->state == ETCL_WORKER_NONE) {
            tally.free_slot = i;
        }
    }
    return tally;
}

static int is_overdue(const etcl_policy_slot_t *slot, apr_int64_t now_us)
{
    return (slot->state == ETCL_WORKER_RETIRING ||
            slot->state == ETCL_WORKER_STARTING) &&
           slot->until_us && now_us >= slot->until_us;
}

/* A worker that is still loading old code is of no use to anybody. */
static int is_useless(const etcl_policy_t *policy,
                      const etcl_policy_slot_t *slot)
{
    int live =
        slot->state == ETCL_WORKER_STARTING || slot->state == ETCL_WORKER_READY;

    return live && (policy->ending || slot->unwanted ||
                    (slot->stale && slot->state == ETCL_WORKER_STARTING));
}

/* The slot of the first worker that must go whatever the others do. */
static int find_useless(const etcl_policy_t *policy)
{
    int i;

    for (i = 0; i < policy->slots; i++) {
        if (is_useless(policy, &policy->slot[i])) {
            return i;
        }
    }
    return -1;
}

static int find_overdue(const etcl_policy_t *policy, apr_int64_t now_us)
{
    int i;

    for (i = 0; i < policy->slots; i++) {
        if (is_overdue(&policy->slot[i], now_us)) {
            return i;
        }
    }
    return -1;
}

static int goes_before(const etcl_policy_slot_t *a, const etcl_policy_slot_t *b)
{
    return a->outdated != b->outdated ? a->outdated : a->since_us < b->since_us;
}

/* Of the workers to be replaced, the one that has served longest; before it
 * those whose code is old. */
static int find_stale(const etcl_policy_t *policy)
{
    const etcl_policy_slot_t *slot;
    int i, found = -1;

    for (i = 0; i < policy->slots; i++) {
        slot = &policy->slot[i];
        if (slot->state == ETCL_WORKER_READY && slot->stale &&
            (found < 0 || goes_before(slot, &policy->slot[found]))) {
            found = i;
        }
    }
    return found;
}

/* Too few workers are filled up at once; those to be replaced get their
 * successors one after the other, so that loading takes no more than one CPU
 * from those who serve. */
static int wants_start(const etcl_policy_t *policy, const tally_t *tally,
                       apr_int64_t now_us)
{
    if (tally->starting + tally->ready < policy->wanted) {
        return !(policy->refused && tally->ready && now_us < policy->retry_us);
    }
    return tally->stale && !policy->refused && !tally->starting &&
           tally->ready <= policy->wanted;
}

static apr_int64_t sooner(apr_int64_t a_us, apr_int64_t b_us)
{
    return !a_us || (b_us && b_us < a_us) ? b_us : a_us;
}

static etcl_action_t wait_for(const etcl_policy_t *policy, apr_int64_t until_us)
{
    int i;

    for (i = 0; i < policy->slots; i++) {
        if (policy->slot[i].state == ETCL_WORKER_RETIRING ||
            policy->slot[i].state == ETCL_WORKER_STARTING) {
            until_us = sooner(until_us, policy->slot[i].until_us);
        }
    }
    return (etcl_action_t){ ETCL_DO_WAIT, -1, until_us, -1 };
}

/* Workers come from the template that is there, or wait for it. */
static etcl_action_t fill_slot(const etcl_policy_t *policy, int slot,
                               apr_int64_t template_us)
{
    int place = policy->lineage.present;

    if (!etcl_lineage_rules(&policy->lineage)) {
        return (etcl_action_t){ ETCL_DO_FORK, slot, 0, -1 };
    }
    return place < 0 ? wait_for(policy, template_us)
                     : (etcl_action_t){ ETCL_DO_BEAR, slot, 0, place };
}

/* Requests that wait for new code get it from the first worker that has it:
 * the old ones all go then, and the number is filled up. */
static int may_retire_together(const etcl_policy_t *policy,
                               const tally_t *tally)
{
    return policy->wait && tally->outdated && tally->ready > tally->outdated;
}

/* What the number of workers asks for. */
static etcl_action_t keep_number(const etcl_policy_t *policy,
                                 const tally_t *tally, apr_int64_t template_us,
                                 apr_int64_t now_us)
{
    if (tally->stale &&
        (tally->ready > policy->wanted || may_retire_together(policy, tally))) {
        return (etcl_action_t){ ETCL_DO_RETIRE, find_stale(policy), 0, -1 };
    }
    if (!wants_start(policy, tally, now_us) || tally->free_slot < 0) {
        return wait_for(policy, template_us);
    }
    if (now_us < policy->not_before_us) {
        return wait_for(policy, sooner(policy->not_before_us, template_us));
    }
    return fill_slot(policy, tally->free_slot, template_us);
}

/* What the workers need, and what templates do for them. */
static etcl_action_t keep_up(const etcl_policy_t *policy, apr_int64_t now_us)
{
    tally_t tally = count_workers(policy);
    etcl_lineage_action_t template = etcl_lineage_next(
        &policy->lineage, policy->ending, tally.ready, now_us);

    if (template.what != ETCL_LINEAGE_REST) {
        return (etcl_action_t){ template.what == ETCL_LINEAGE_LOAD
                                    ? ETCL_DO_LOAD
                                    : ETCL_DO_DROP,
                                -1, 0, template.place };
    }
    if (!policy->ending) {
        return keep_number(policy, &tally, template.until_us, now_us);
    }
    return tally.alive || etcl_lineage_lives(&policy->lineage)
               ? wait_for(policy, 0)
               : (etcl_action_t){ ETCL_DO_EXIT, -1, 0, -1 };
}

etcl_action_t etcl_policy_next(const etcl_policy_t *policy, apr_int64_t now_us)
{
    int slot = find_overdue(policy, now_us);

    if (slot >= 0) {
        return (etcl_action_t){ ETCL_DO_KILL, slot, 0, -1 };
    }
    slot = find_useless(policy);
    if (slot >= 0) {
        return (etcl_action_t){ ETCL_DO_RETIRE, slot, 0, -1 };
    }
    return keep_up(policy, now_us);
}

void etcl_policy_forked(etcl_policy_t *policy, int slot, apr_int64_t now_us)
{
    policy->slot[slot] = (etcl_policy_slot_t){
        .state = ETCL_WORKER_STARTING,
        .until_us = policy->startup_us ? now_us + policy->startup_us : 0,
    };
}

void etcl_policy_ordered(etcl_policy_t *policy, int slot, apr_int64_t now_us)
{
    policy->slot[slot] = (etcl_policy_slot_t){
        .state = ETCL_WORKER_STARTING,
        .unborn = 1,
        .until_us = now_us + ETCL_POLICY_BIRTH_US,
    };
}

/* It may have been told to end meanwhile, within other limits. */
void etcl_policy_born(etcl_policy_t *policy, int slot, apr_int64_t now_us)
{
    etcl_policy_slot_t *self = &policy->slot[slot];

    self->unborn = 0;
    if (self->state == ETCL_WORKER_STARTING) {
        self->until_us = policy->startup_us ? now_us + policy->startup_us : 0;
    }
}

/* A start costs a second of one CPU or so: once in eight does no harm, and
 * what was mended outside of a script is found soon. */
static void back_off(etcl_policy_t *policy, apr_int64_t now_us)
{
    static const int delays[] = { 0, 1, 2, 4, 8 };
    int last = (int)(sizeof(delays) / sizeof(*delays)) - 1;
    int step = policy->failures < last ? policy->failures : last;

    policy->failures++;
    policy->not_before_us = now_us + delays[step] * SECOND_US;
}

void etcl_policy_not_forked(etcl_policy_t *policy, apr_int64_t now_us)
{
    back_off(policy, now_us);
}

/* The fewest scripts that fail in a worker that serves; -1: nobody serves. */
static int best_failing(const etcl_policy_t *policy)
{
    const etcl_policy_slot_t *slot;
    int i, best = -1;

    for (i = 0; i < policy->slots; i++) {
        slot = &policy->slot[i];
        if (slot->state == ETCL_WORKER_READY && !slot->unwanted &&
            (best < 0 || slot->failing < best)) {
            best = slot->failing;
        }
    }
    return best;
}

/* The old workers stay until something changes once more. */
static void keep_old(etcl_policy_t *policy, apr_int64_t now_us)
{
    int i;

    policy->refused = 1;
    policy->retry_us = now_us + ETCL_POLICY_RETRY_US;
    for (i = 0; i < policy->slots; i++) {
        policy->slot[i].stale = 0;
        policy->slot[i].outdated = 0;
    }
}

int etcl_policy_ready(etcl_policy_t *policy, int slot, int failing,
                      apr_int64_t now_us)
{
    etcl_policy_slot_t *self = &policy->slot[slot];
    int best = best_failing(policy);

    if (self->state != ETCL_WORKER_STARTING) {
        return 0;
    }
    self->state = ETCL_WORKER_READY;
    self->since_us = now_us;
    self->failing = failing;
    if (best < 0 || failing <= best) {
        return 1;
    }
    keep_old(policy, now_us);
    self->unwanted = 1;
    return 0;
}

/* Every worker has code that is older than what is there now. */
static void outdate(etcl_policy_t *policy)
{
    int i;

    for (i = 0; i < policy->slots; i++) {
        policy->slot[i].stale = 1;
        policy->slot[i].outdated = 1;
    }
}

int etcl_policy_template_ready(etcl_policy_t *policy, int place, int failing,
                               apr_int64_t now_us)
{
    etcl_heir_t heir = etcl_lineage_ready(&policy->lineage, place, failing,
                                          best_failing(policy), now_us);

    if (heir == ETCL_HEIR_NEW) {
        outdate(policy);
    }
    return heir != ETCL_HEIR_USELESS;
}

void etcl_policy_template_refused(etcl_policy_t *policy, int place)
{
    if (etcl_lineage_refuse(&policy->lineage, place)) {
        outdate(policy);
    }
}

/* Nobody waits for a worker that retires, but for one that starts all do: a
 * successor is not there before it, and no other is tried meanwhile. */
static int is_passing(const etcl_policy_slot_t *slot)
{
    return slot->state == ETCL_WORKER_RETIRING ||
           (slot->state == ETCL_WORKER_STARTING && !slot->unborn);
}

int etcl_policy_looked(etcl_policy_t *policy, int slot, apr_int64_t beat_us)
{
    etcl_policy_slot_t *self = &policy->slot[slot];
    int passes = is_passing(self);

    if ((self->state != ETCL_WORKER_READY && !passes) ||
        self->beat_us != beat_us) {
        self->beat_us = beat_us;
        self->still = 0;
        return 0;
    }
    self->still++;
    if (passes && self->still >= ETCL_POLICY_LOOKS_MAX) {
        self->until_us = 1; /* is over */
    }
    if (passes || self->still != ETCL_POLICY_LOOKS) {
        return 0;
    }
    self->stale = 1;
    return 1;
}

void etcl_policy_retiring(etcl_policy_t *policy, int slot,
                          const etcl_policy_grace_t *grace, apr_int64_t now_us)
{
    policy->slot[slot].state = ETCL_WORKER_RETIRING;
    policy->slot[slot].until_us =
        now_us + grace->calls_us + grace->stop_us + ETCL_POLICY_SLACK_US;
}

void etcl_policy_killed(etcl_policy_t *policy, int slot)
{
    if (policy->slot[slot].unborn) {
        etcl_lineage_give_up(&policy->lineage);
    }
    policy->slot[slot].late = policy->slot[slot].state == ETCL_WORKER_STARTING;
    policy->slot[slot].state = ETCL_WORKER_KILLED;
}

/* Whether a worker that ended unasked counts as one that could not start. */
static int did_not_start(etcl_policy_t *policy, const etcl_policy_slot_t *ended,
                         int served, apr_int64_t now_us)
{
    if (!ended->since_us) {
        return 1;
    }
    if (policy->service) {
        return now_us - ended->since_us < ETCL_POLICY_SERVICE_US;
    }
    if (served || now_us - ended->since_us >= ETCL_POLICY_SHORT_US) {
        policy->short_lived = 0;
        return 0;
    }
    return ++policy->short_lived > ETCL_POLICY_SHORT_MAX;
}

void etcl_policy_ended(etcl_policy_t *policy, int slot, int served,
                       apr_int64_t now_us)
{
    etcl_policy_slot_t ended = policy->slot[slot];

    policy->slot[slot] = (etcl_policy_slot_t){ .state = ETCL_WORKER_NONE };
    if (ended.state != ETCL_WORKER_STARTING &&
        ended.state != ETCL_WORKER_READY && !ended.late) {
        return;
    }
    if (did_not_start(policy, &ended, served, now_us)) {
        back_off(policy, now_us);
    } else {
        policy->failures = 0;
        policy->not_before_us = 0;
    }
}

/* With a template, workers have old code only when its successor is ready. */
static void renew_code(etcl_policy_t *policy)
{
    policy->refused = 0;
    policy->failures = 0;
    policy->short_lived = 0;
    policy->not_before_us = 0;
    etcl_lineage_renew(&policy->lineage);
    if (!etcl_lineage_rules(&policy->lineage)) {
        outdate(policy);
    }
}

void etcl_policy_renew(etcl_policy_t *policy, int slot)
{
    if (slot < 0) {
        renew_code(policy);
    } else {
        policy->slot[slot].stale = 1;
    }
}

/* Code at which workers die is tried again and again, but not waited for. */
int etcl_policy_is_settled(const etcl_policy_t *policy)
{
    const etcl_lineage_t *lineage = &policy->lineage;
    tally_t tally = count_workers(policy);

    if (lineage->renewing && etcl_lineage_rules(lineage)) {
        return lineage->failures > 0;
    }
    return !tally.outdated || policy->failures > 0;
}

int etcl_policy_rests(const etcl_policy_t *policy, apr_int64_t now_us)
{
    return now_us < policy->not_before_us ||
           (etcl_lineage_rules(&policy->lineage) &&
            now_us < policy->lineage.not_before_us);
}

void etcl_policy_end(etcl_policy_t *policy, int hurry, apr_int64_t now_us)
{
    int i;

    policy->ending = 1;
    if (!hurry || policy->hurried) {
        return;
    }
    policy->hurried = 1;
    for (i = 0; i < policy->slots; i++) {
        if (policy->slot[i].state == ETCL_WORKER_RETIRING) {
            etcl_policy_retiring(policy, i, &policy->hurry, now_us);
        }
    }
}

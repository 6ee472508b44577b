/* The decisions of a supervisor. Nothing here forks, kills or looks at a
 * clock; the tables of tests/unit/test_policy.c say what is wanted. */

#include "etcl_policy.h"
#include "etcl_tally.h"

#define SECOND_US APR_INT64_C(1000000)

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
        .grace = etcl_grace_of(graceful, shutdown, 0),
        .evict = etcl_grace_of(evict ? evict : graceful, shutdown, 0),
        .hurry = etcl_grace_of(graceful, shutdown, 1),
    };
    etcl_lineage_init(&policy->lineage, options);
}

const etcl_grace_t *etcl_policy_grace(const etcl_policy_t *policy, int evicted)
{
    if (policy->hurried) {
        return &policy->hurry;
    }
    return evicted ? &policy->evict : &policy->grace;
}

/* Too few workers are filled up at once; those to be replaced get their
 * successors one after the other, so that loading takes no more than one CPU
 * from those who serve. */
static int wants_start(const etcl_policy_t *policy, const etcl_tally_t *tally,
                       apr_int64_t now_us)
{
    if (tally->starting + tally->ready < policy->wanted) {
        return !(policy->refused && tally->ready && now_us < policy->retry_us);
    }
    return tally->stale && !policy->refused && !tally->starting &&
           tally->ready <= policy->wanted;
}

/* Until then, or until a worker's time is over. */
static etcl_action_t wait_for(const etcl_policy_t *policy, apr_int64_t until_us)
{
    return (etcl_action_t){
        ETCL_DO_WAIT, -1,
        etcl_tally_sooner(until_us, etcl_tally_until_us(policy)), -1
    };
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
                               const etcl_tally_t *tally)
{
    return policy->wait && tally->outdated && tally->ready > tally->outdated;
}

/* What the number of workers asks for. */
static etcl_action_t keep_number(const etcl_policy_t *policy,
                                 const etcl_tally_t *tally,
                                 apr_int64_t template_us, apr_int64_t now_us)
{
    if (tally->stale &&
        (tally->ready > policy->wanted || may_retire_together(policy, tally))) {
        return (etcl_action_t){ ETCL_DO_RETIRE, etcl_tally_stale(policy), 0,
                                -1 };
    }
    if (!wants_start(policy, tally, now_us) || tally->free_slot < 0) {
        return wait_for(policy, template_us);
    }
    if (etcl_backoff_rests(&policy->starts, now_us)) {
        return wait_for(policy, etcl_tally_sooner(policy->starts.not_before_us,
                                                  template_us));
    }
    return fill_slot(policy, tally->free_slot, template_us);
}

/* What the workers need, and what templates do for them. */
static etcl_action_t keep_up(const etcl_policy_t *policy, apr_int64_t now_us)
{
    etcl_tally_t tally = etcl_tally_count(policy);
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
    int slot = etcl_tally_overdue(policy, now_us);

    if (slot >= 0) {
        return (etcl_action_t){ ETCL_DO_KILL, slot, 0, -1 };
    }
    slot = etcl_tally_useless(policy);
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

void etcl_policy_not_forked(etcl_policy_t *policy, apr_int64_t now_us)
{
    etcl_backoff_fail(&policy->starts, now_us);
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
    int best = etcl_tally_best(policy);

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

etcl_heir_t etcl_policy_template_ready(etcl_policy_t *policy, int place,
                                       int failing, apr_int64_t now_us)
{
    etcl_heir_t heir = etcl_lineage_ready(&policy->lineage, place, failing,
                                          etcl_tally_best(policy), now_us);

    if (heir == ETCL_HEIR_NEW) {
        outdate(policy);
    }
    return heir;
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
                          const etcl_grace_t *grace, apr_int64_t now_us)
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
        etcl_backoff_fail(&policy->starts, now_us);
    } else {
        etcl_backoff_clear(&policy->starts);
    }
}

/* With a template, workers have old code only when its successor is ready. */
static void renew_code(etcl_policy_t *policy)
{
    policy->refused = 0;
    policy->short_lived = 0;
    etcl_backoff_clear(&policy->starts);
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
    etcl_tally_t tally = etcl_tally_count(policy);

    if (lineage->renewing && etcl_lineage_rules(lineage)) {
        return lineage->starts.failures > 0;
    }
    return !tally.outdated || policy->starts.failures > 0;
}

int etcl_policy_rests(const etcl_policy_t *policy, apr_int64_t now_us)
{
    return etcl_backoff_rests(&policy->starts, now_us) ||
           (etcl_lineage_rules(&policy->lineage) &&
            etcl_backoff_rests(&policy->lineage.starts, now_us));
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

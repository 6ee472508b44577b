/* Decides on templates. A template that is of no use any more is killed: it
 * serves nobody, and a worker that it forked lives on without it. */

#include "etcl_lineage.h"

#define SECOND_US APR_INT64_C(1000000)

void etcl_lineage_init(etcl_lineage_t *lineage,
                       const etcl_group_options_t *options)
{
    *lineage = (etcl_lineage_t){
        .wanted = options->preload && options->threads,
        .present = -1,
        .startup_us = options->startup_timeout * SECOND_US,
    };
}

int etcl_lineage_rules(const etcl_lineage_t *lineage)
{
    return lineage->wanted && !lineage->refused;
}

int etcl_lineage_lives(const etcl_lineage_t *lineage)
{
    int i, lives = 0;

    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        lives |= lineage->place[i].state != ETCL_TEMPLATE_NONE;
    }
    return lives;
}

static int must_go(const etcl_lineage_t *lineage,
                   const etcl_lineage_place_t *place, int ending,
                   apr_int64_t now_us)
{
    if (place->state != ETCL_TEMPLATE_LOADING &&
        place->state != ETCL_TEMPLATE_READY) {
        return 0;
    }
    return ending || place->unwanted || !etcl_lineage_rules(lineage) ||
           (place->until_us && now_us >= place->until_us);
}

/* The one that loads, or -1; `free`: a place for another, or -1. */
static int find_loading(const etcl_lineage_t *lineage, int *free)
{
    int i, loading = -1;

    *free = -1;
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        if (lineage->place[i].state == ETCL_TEMPLATE_LOADING) {
            loading = i;
        } else if (lineage->place[i].state == ETCL_TEMPLATE_NONE) {
            *free = i;
        }
    }
    return loading;
}

etcl_lineage_action_t etcl_lineage_next(const etcl_lineage_t *lineage,
                                        int ending, int serving,
                                        apr_int64_t now_us)
{
    etcl_lineage_action_t rest = { ETCL_LINEAGE_REST, -1, 0 };
    int i, free, loading, wanted;

    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        if (must_go(lineage, &lineage->place[i], ending, now_us)) {
            return (etcl_lineage_action_t){ ETCL_LINEAGE_DROP, i, 0 };
        }
    }
    loading = find_loading(lineage, &free);
    wanted = lineage->renewing ||
             (lineage->present < 0 && !(lineage->held && serving));
    if (loading >= 0) {
        rest.until_us = lineage->place[loading].until_us;
        return rest;
    }
    if (ending || !etcl_lineage_rules(lineage) || !wanted || free < 0) {
        return rest;
    }
    if (etcl_backoff_rests(&lineage->starts, now_us)) {
        rest.until_us = lineage->starts.not_before_us;
        return rest;
    }
    return (etcl_lineage_action_t){ ETCL_LINEAGE_LOAD, free, 0 };
}

void etcl_lineage_loading(etcl_lineage_t *lineage, int place,
                          apr_int64_t now_us)
{
    lineage->place[place] = (etcl_lineage_place_t){
        .state = ETCL_TEMPLATE_LOADING,
        .until_us = lineage->startup_us ? now_us + lineage->startup_us : 0,
    };
}

void etcl_lineage_not_forked(etcl_lineage_t *lineage, apr_int64_t now_us)
{
    etcl_backoff_fail(&lineage->starts, now_us);
}

/* What others say of themselves was on its way while things changed. */
static int is_heir(const etcl_lineage_place_t *place)
{
    return place->state == ETCL_TEMPLATE_LOADING && !place->unwanted;
}

static etcl_heir_t succeed(etcl_lineage_t *lineage, int place)
{
    int renewed = lineage->renewing;

    if (lineage->present >= 0) {
        lineage->place[lineage->present].unwanted = 1;
    }
    lineage->present = place;
    lineage->renewing = lineage->held = 0;
    return renewed ? ETCL_HEIR_NEW : ETCL_HEIR_SAME;
}

etcl_heir_t etcl_lineage_ready(etcl_lineage_t *lineage, int place, int failing,
                               int best, apr_int64_t now_us)
{
    etcl_lineage_place_t *self = &lineage->place[place];

    if (!is_heir(self)) {
        return ETCL_HEIR_NONE;
    }
    self->state = ETCL_TEMPLATE_READY;
    self->since_us = now_us;
    self->until_us = 0;
    self->failing = failing;
    if (best < 0 || failing <= best) {
        return succeed(lineage, place);
    }
    self->unwanted = 1;
    lineage->renewing = 0;
    lineage->held = 1;
    return ETCL_HEIR_USELESS;
}

int etcl_lineage_refuse(etcl_lineage_t *lineage, int place)
{
    int i, renewed = lineage->renewing;

    if (!is_heir(&lineage->place[place])) {
        return 0;
    }
    lineage->refused = 1;
    lineage->renewing = 0;
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        lineage->place[i].unwanted = 1;
    }
    return renewed;
}

void etcl_lineage_give_up(etcl_lineage_t *lineage)
{
    if (lineage->present >= 0) {
        lineage->place[lineage->present].unwanted = 1;
    }
}

void etcl_lineage_killed(etcl_lineage_t *lineage, int place, apr_int64_t now_us)
{
    const etcl_lineage_place_t *self = &lineage->place[place];

    if (self->state == ETCL_TEMPLATE_LOADING && self->until_us &&
        now_us >= self->until_us) {
        etcl_backoff_fail(&lineage->starts, now_us);
    }
    if (lineage->present == place) {
        lineage->present = -1;
    }
    lineage->place[place] =
        (etcl_lineage_place_t){ .state = ETCL_TEMPLATE_KILLED };
}

void etcl_lineage_ended(etcl_lineage_t *lineage, int place, apr_int64_t now_us)
{
    etcl_lineage_place_t ended = lineage->place[place];

    lineage->place[place] =
        (etcl_lineage_place_t){ .state = ETCL_TEMPLATE_NONE };
    if (lineage->present == place) {
        lineage->present = -1;
    }
    if (ended.state == ETCL_TEMPLATE_KILLED || ended.unwanted) {
        return;
    }
    if (ended.state == ETCL_TEMPLATE_LOADING ||
        now_us - ended.since_us < ETCL_LINEAGE_SHORT_US) {
        etcl_backoff_fail(&lineage->starts, now_us);
    } else {
        etcl_backoff_clear(&lineage->starts);
    }
}

void etcl_lineage_renew(etcl_lineage_t *lineage)
{
    int i;

    lineage->refused = lineage->held = 0;
    etcl_backoff_clear(&lineage->starts);
    lineage->renewing = 1;
    for (i = 0; i < ETCL_LINEAGE_PLACES; i++) {
        lineage->place[i].unwanted |=
            lineage->place[i].state == ETCL_TEMPLATE_LOADING;
    }
}

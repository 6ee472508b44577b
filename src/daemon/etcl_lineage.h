/* What becomes of the templates of a group (preload=on), as a pure function:
 * one is there to be forked, and a second one only while it loads new code.
 * Part of the policy; etcl_nursery.c carries it out. */

#ifndef ETCL_LINEAGE_H
#define ETCL_LINEAGE_H

#include "etcl_backoff.h"
#include "etcl_group.h"

#define ETCL_LINEAGE_PLACES 2

/* A template that ends sooner than this did not start well. */
#define ETCL_LINEAGE_SHORT_US 1000000

typedef enum {
    ETCL_TEMPLATE_NONE = 0, /* the place is free */
    ETCL_TEMPLATE_LOADING,
    ETCL_TEMPLATE_READY,
    ETCL_TEMPLATE_KILLED /* waiting for the kernel */
} etcl_template_state_t;

typedef struct {
    etcl_template_state_t state;
    apr_int64_t since_us; /* when it became ready */
    apr_int64_t until_us; /* LOADING: when it is killed; 0 never */
    int failing;          /* scripts that it could not load */
    int unwanted;         /* it is to go */
} etcl_lineage_place_t;

typedef struct {
    int wanted;             /* preload=on */
    int refused;            /* this code cannot be forked */
    int renewing;           /* code has changed: load it anew */
    int held;               /* new code does not load: not once more */
    int present;            /* the place of the one to fork; -1 none */
    apr_int64_t startup_us; /* to become ready; 0 no limit */
    etcl_backoff_t starts;  /* that fail are backed off */
    etcl_lineage_place_t place[ETCL_LINEAGE_PLACES];
} etcl_lineage_t;

typedef enum {
    ETCL_LINEAGE_REST, /* nothing before `until_us`, if that is not 0 */
    ETCL_LINEAGE_LOAD, /* start a template in `place` */
    ETCL_LINEAGE_DROP  /* end the one of `place` */
} etcl_lineage_do_t;

typedef struct {
    etcl_lineage_do_t what;
    int place;
    apr_int64_t until_us;
} etcl_lineage_action_t;

/* What a template that became ready means for the workers. */
typedef enum {
    ETCL_HEIR_NONE,    /* nothing: it was to go when it spoke */
    ETCL_HEIR_USELESS, /* they load more than it does: it goes */
    ETCL_HEIR_SAME,    /* it takes the place of one that ended */
    ETCL_HEIR_NEW      /* it has new code: they are to be replaced */
} etcl_heir_t;

/** No template yet. */
void etcl_lineage_init(etcl_lineage_t *lineage,
                       const etcl_group_options_t *options);

/** Whether workers come from templates, and no other way. */
int etcl_lineage_rules(const etcl_lineage_t *lineage);

/** The next action. `ending`: the group ends; `serving`: workers are ready. */
etcl_lineage_action_t etcl_lineage_next(const etcl_lineage_t *lineage,
                                        int ending, int serving,
                                        apr_int64_t now_us);

/** Whether a template is left, in whatever state. */
int etcl_lineage_lives(const etcl_lineage_t *lineage);

/* What happened. */

void etcl_lineage_loading(etcl_lineage_t *lineage, int place,
                          apr_int64_t now_us);
void etcl_lineage_not_forked(etcl_lineage_t *lineage, apr_int64_t now_us);

/** It is ready; `failing` of its scripts did not load, of the best worker that
 *  serves `best` (-1: none serves). */
etcl_heir_t etcl_lineage_ready(etcl_lineage_t *lineage, int place, int failing,
                               int best, apr_int64_t now_us);

/**
 * It cannot be forked. Until the code changes, workers load by themselves. Of
 * one that is to go that is no news: it speaks of older code.
 *
 * Returns  1  those that serve have older code
 */
int etcl_lineage_refuse(etcl_lineage_t *lineage, int place);

/** The present one does not do what it is told. */
void etcl_lineage_give_up(etcl_lineage_t *lineage);

void etcl_lineage_killed(etcl_lineage_t *lineage, int place,
                         apr_int64_t now_us);
void etcl_lineage_ended(etcl_lineage_t *lineage, int place, apr_int64_t now_us);

/** The code has changed. What serves goes on until the new one is ready. */
void etcl_lineage_renew(etcl_lineage_t *lineage);

#endif

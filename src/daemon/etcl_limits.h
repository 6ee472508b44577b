/* Which limit of a worker is due, as a pure function of what the worker does
 * and the time. Each holds whatever the others are set to. etcl_guard.c
 * collects what the worker does, and carries out what is due. */

#ifndef ETCL_LIMITS_H
#define ETCL_LIMITS_H

#include "etcl_group.h"
#include "etcl_note.h"

/* The limits of a worker. Microseconds; 0 is no limit. */
typedef struct {
    apr_int64_t request_us;
    apr_int64_t interrupt_us; /* 0: a request is not interrupted */
    apr_int64_t deadlock_us;
    apr_int64_t inactivity_us;
    apr_int64_t startup_us;
    apr_int64_t restart_us;
    apr_uint64_t requests; /* maximum-requests of this very worker */
} etcl_limits_t;

/* What a request thread does. */
typedef enum {
    ETCL_STAGE_IDLE = 0,
    ETCL_STAGE_RUNS,        /* it answers a request */
    ETCL_STAGE_INTERRUPTED, /* RequestTimeout was raised in it */
    ETCL_STAGE_LOST         /* it was given up, and runs on */
} etcl_stage_t;

typedef struct {
    etcl_stage_t stage;
    apr_int64_t since_us; /* when this stage began */
} etcl_limits_thread_t;

/* What a worker does. A time of 0 has not come. */
typedef struct {
    apr_int64_t ready_us;   /* since when it serves */
    apr_int64_t entered_us; /* since when somebody waits to enter Python */
    apr_int64_t active_us;  /* when the last request that counts ended */
    apr_int64_t loading_us; /* the first request, and no script has loaded */
    apr_uint64_t requests;  /* answered */
    int cpu_spent;          /* SIGXCPU has come */
    int drained;            /* it has no descriptor for a new link */
    int asked;              /* it has asked for a successor */
    int ending;             /* it was told to end */
    int capacity;           /* threads that it is to have */
    int threads;            /* entries of `thread` */
    const etcl_limits_thread_t *thread;
} etcl_limits_state_t;

typedef enum {
    ETCL_DUE_NOTHING,   /* until `until_us`; 0: until something happens */
    ETCL_DUE_INTERRUPT, /* raise RequestTimeout in `thread` */
    ETCL_DUE_GIVE_UP,   /* answer 504 in place of `thread` */
    ETCL_DUE_RENEW,     /* ask for a successor because of `why` */
    ETCL_DUE_END        /* end at once because of `why` */
} etcl_due_kind_t;

typedef struct {
    etcl_due_kind_t what;
    int thread;
    etcl_why_t why;
    apr_int64_t until_us;
} etcl_due_t;

/**
 * The limits of a group's options, for one worker.
 *
 * dice     any number of the worker's own: maximum-requests is lowered by up
 *          to a tenth, so that workers do not reach it together
 */
etcl_limits_t etcl_limits_of(const etcl_group_options_t *options,
                             apr_uint64_t dice);

/** What is due; the most urgent first. */
etcl_due_t etcl_limits_next(const etcl_limits_t *limits,
                            const etcl_limits_state_t *state,
                            apr_int64_t now_us);

#endif

/* rss-limit=: has workers replaced that have grown too big. The rules are a
 * pure function; the sizes come from etcl_sample.c. */

#ifndef ETCL_RSS_H
#define ETCL_RSS_H

#include "etcl_crew.h"

#define ETCL_RSS_LOOK_US 2000000 /* how often workers are looked at */

/* A worker serves so long before it is replaced for its size, so that a limit
 * that is too low does not keep the machine busy with starting. */
#define ETCL_RSS_AGE_US 5000000

/* One worker, as it was found at the first look after it became ready. */
typedef struct {
    apr_int64_t since_us; /* when it became ready: tells workers apart */
    apr_int64_t bytes;
} etcl_rss_fresh_t;

typedef struct {
    apr_int64_t limit;   /* bytes; 0: none */
    apr_int64_t look_us; /* when to look again */
    int told;            /* what is said once was said */
    etcl_rss_fresh_t fresh[ETCL_ROSTER_SLOTS_MAX];
} etcl_rss_t;

typedef enum {
    ETCL_RSS_FITS,
    ETCL_RSS_LOW, /* the code alone is above the limit; said once */
    ETCL_RSS_GROWN
} etcl_rss_verdict_t;

void etcl_rss_init(etcl_rss_t *rss, apr_int64_t limit);

/**
 * Judge a worker that has been ready since `since_us` and is of `bytes` now.
 *
 * Returns  GROWN  it is above the limit; where the code alone is above it,
 *                 that is a quarter more than the code
 */
etcl_rss_verdict_t etcl_rss_judge(etcl_rss_t *rss, int slot,
                                  apr_int64_t since_us, apr_int64_t bytes,
                                  apr_int64_t now_us);

/** Look at all workers that serve, and have those replaced that have grown
 *  beyond the limit, if there is one. */
void etcl_rss_look(etcl_rss_t *rss, etcl_crew_t *crew, apr_int64_t now_us);

#endif

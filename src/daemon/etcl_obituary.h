/* What a person wants to know of a worker that is gone: how it ended, and
 * what it was doing. One line of the group's log for each. */

#ifndef ETCL_OBITUARY_H
#define ETCL_OBITUARY_H

#include "etcl_ledger.h"
#include "etcl_note.h"
#include "etcl_sample.h"

/* Requests that are named; of others their number is. */
#define ETCL_OBITUARY_NAMED 8

/* Room for what etcl_obituary_facts writes. */
#define ETCL_OBITUARY_MAX 4096

typedef struct {
    const char *group;
    int slot;
    long pid;
    apr_int64_t now_us;
    apr_int64_t forked_us;
    apr_int64_t told_us; /* when it began to end; 0: nobody told it to */
    etcl_why_t why;      /* it was told to end */
    int starting;        /* it never was ready */
    apr_uint64_t requests;
    apr_int64_t resident;        /* bytes, at the last look; 0: not known */
    etcl_killed_t oom;           /* kills that the kernel counted meanwhile */
    const etcl_ledger_t *ledger; /* or NULL */
} etcl_obituary_t;

/** Its age, its work, its memory, the requests it held: "; age 1.0 s, ...".
 *  Returns  the length, below ETCL_OBITUARY_MAX; terminated */
apr_size_t etcl_obituary_facts(const etcl_obituary_t *of,
                               char text[ETCL_OBITUARY_MAX]);

/* The supervisor killed it, because ... */

/** ... it was not ready within `startup_us`. */
void etcl_obituary_late(const etcl_obituary_t *of, apr_int64_t startup_us);

/** ... it stood still for `still_us`, and had a successor or was not ready. */
void etcl_obituary_still(const etcl_obituary_t *of, apr_int64_t still_us);

/** ... it did not end in time. */
void etcl_obituary_overdue(const etcl_obituary_t *of);

/** Nobody ordered its death; `status` is waitpid's. */
void etcl_obituary_died(const etcl_obituary_t *of, int status);

#endif

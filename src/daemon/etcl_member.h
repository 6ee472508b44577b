/* What connects a supervisor with one process of its group: a worker, or the
 * template of workers. */

#ifndef ETCL_MEMBER_H
#define ETCL_MEMBER_H

#include "etcl_ledger.h"
#include "etcl_note.h"
#include "etcl_output.h"

#include <sys/types.h>

typedef struct {
    pid_t pid;          /* 0: there is none, or it is not born yet */
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

/* The far ends, which the process gets; -1 when given away. */
typedef struct {
    int control_fd;
    int out_fd;
    int err_fd;
    int log_fd;
    int ledger_fd; /* -1: it does without */
} etcl_ends_t;

/**
 * Make the socket and the pipes of a process that is to be started. Notes on
 * the socket say which process sent them.
 *
 * Returns  0: no descriptor or no memory; close both sides
 */
int etcl_member_open(etcl_member_t *member, etcl_ends_t *ends);

/** It is a process now: this is its pid. */
void etcl_member_name(etcl_member_t *member, pid_t pid);

void etcl_member_hang_up(etcl_member_t *member);

void etcl_ends_close(etcl_ends_t *ends);

#endif

/* What the kernel knows of a process and of memory, read from /proc and the
 * control group. Any of it may be hidden; then it is "not known". */

#ifndef ETCL_SAMPLE_H
#define ETCL_SAMPLE_H

#include "etcl.h"

#include <sys/types.h>

/* Processes that the kernel has killed for want of memory; -1: not known. */
typedef struct {
    apr_int64_t group;   /* in the control group of this process */
    apr_int64_t machine; /* anywhere */
} etcl_kills_t;

typedef enum {
    ETCL_KILLED_UNKNOWN, /* nothing could be read */
    ETCL_KILLED_NOBODY,
    ETCL_KILLED_HERE, /* one of the control group */
    ETCL_KILLED_SOMEBODY
} etcl_killed_t;

/** Bytes of `pid` that are in memory now; 0: it has ended; -1: not known. A few
 *  microseconds: one small file is read. Any thread. */
apr_int64_t etcl_sample_resident(pid_t pid);

/** The counters of now. Some tens of microseconds. */
etcl_kills_t etcl_sample_kills(void);

/**
 * Who sent a signal: "pid 12 (bash), uid 0"; what a process of pid 0 sent came
 * from the kernel, or from outside of this container.
 */
#define ETCL_SAMPLE_SENDER_MAX 96
void etcl_sample_sender(pid_t pid, uid_t uid, char out[ETCL_SAMPLE_SENDER_MAX]);

/** What has happened between two looks at the counters. */
etcl_killed_t etcl_sample_judge(const etcl_kills_t *before,
                                const etcl_kills_t *after);

/** The number after "name " at the beginning of a line of `text`; -1. */
apr_int64_t etcl_sample_count(etcl_span_t text, const char *name);

/**
 * The file that counts the kills of a control group, by the text of
 * /proc/self/cgroup: of the memory controller of version 1, else of version 2.
 *
 * Returns  1; 0 without `*path`: there is none, or it does not fit
 */
#define ETCL_SAMPLE_PATH_MAX 512
int etcl_sample_path(etcl_span_t cgroups, char path[ETCL_SAMPLE_PATH_MAX]);

#endif

/* What a worker's processes print, as lines of the group's log, and the lines
 * of the worker's own journal, which are written as they are. */

#ifndef ETCL_OUTPUT_H
#define ETCL_OUTPUT_H

#include "etcl_logline.h"

/* Longer lines are written in pieces. */
#define ETCL_OUTPUT_LINE_MAX 6000

typedef struct etcl_output_t {
    int fd;             /* read end of a pipe, non-blocking; owned */
    etcl_level_t level; /* of its lines */
    int is_journal;     /* they are lines of a log already */
    long pid;           /* of the worker */
    apr_size_t len;     /* of the line that is not complete yet */
    char line[ETCL_LOGLINE_MAX];
} etcl_output_t;

/**
 * Make a pipe; *write_fd is the caller's.
 *
 * Returns  the reading side, malloc'ed, or NULL
 */
etcl_output_t *etcl_output_create(etcl_level_t level, int *write_fd);

/** The same for a journal: its lines have a level, a time and a pid. */
etcl_output_t *etcl_output_journal(int *write_fd);

/** Write what is left and free it. NULL is nothing. */
void etcl_output_destroy(etcl_output_t *output, int log_fd);

/**
 * Read what there is, a bounded amount, and write whole lines to `log_fd`.
 *
 * Returns  APR_SUCCESS, APR_EAGAIN (nothing more now), APR_EOF (no process
 *          has the other end any more)
 */
apr_status_t etcl_output_pump(etcl_output_t *output, int log_fd);

#endif

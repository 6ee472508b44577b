/* What a worker's processes print, as lines of the group's log. */

#ifndef ETCL_OUTPUT_H
#define ETCL_OUTPUT_H

#include "etcl.h"

/* Longer lines are written in pieces. */
#define ETCL_OUTPUT_LINE_MAX 6000

typedef struct etcl_output_t {
    int fd;             /* read end of a pipe, non-blocking; owned */
    etcl_level_t level; /* of its lines */
    long pid;           /* of the worker */
    apr_size_t len;     /* of the line that is not complete yet */
    char line[ETCL_OUTPUT_LINE_MAX];
} etcl_output_t;

/**
 * Make a pipe; *write_fd is the caller's.
 *
 * Returns  the reading side, malloc'ed, or NULL
 */
etcl_output_t *etcl_output_create(etcl_level_t level, int *write_fd);

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

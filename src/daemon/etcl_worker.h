/* A worker: one process of a group that runs the application. */

#ifndef ETCL_WORKER_H
#define ETCL_WORKER_H

#include "etcl_group.h"
#include "etcl_roster.h"
#include "etcl_runtime.h"

/* What a worker gets from its supervisor. */
typedef struct {
    const etcl_group_t *group;
    etcl_roster_t *roster;
    int slot;
    int control_fd; /* notes to and from the supervisor */
    int listen_fd;  /* of its slot */
    int out_fd;     /* becomes descriptor 1 */
    int err_fd;     /* becomes descriptor 2 */
    int log_fd;     /* its own log lines */
    int ledger_fd;  /* etcl_ledger.h, or -1 */
} etcl_worker_t;

/**
 * Be a worker until the end of the process. Closes every descriptor that is
 * not named in `worker`.
 *
 * Context  a process just forked from the supervisor; one thread; the
 *          supervisor's signals are blocked
 */
void etcl_worker_run(const etcl_worker_t *worker) __attribute__((noreturn));

/**
 * The same in two steps, for a fork of a template. First everything that
 * comes before Python: journal, roster, heart. `printed`: descriptors 1 and 2
 * are the worker's.
 *
 * Owns     `worker` is borrowed for the life of the process
 * Context  the only thread; on return there is the heart beside it
 */
void etcl_worker_begin(const etcl_worker_t *worker, int printed);

/** Then: serve with what the template has loaded. */
void etcl_worker_serve(const etcl_runtime_t *runtime, int failing,
                       pid_t supervisor) __attribute__((noreturn));

#endif

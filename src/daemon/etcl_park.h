/* Where links wait for their next packet: one epoll set, in which all request
 * threads of a worker wait together. A link that has something to read is
 * owned by the thread that got it until it is given back or dropped. */

#ifndef ETCL_PARK_H
#define ETCL_PARK_H

#include "etcl_group.h"
#include "etcl_link.h"
#include "etcl_window.h"

#include <pthread.h>

/* A link that has not said who it is by then is closed. */
#define ETCL_PARK_GREET_US 10000000

/* Whose turn it is with a link. */
typedef enum {
    ETCL_LINE_IDLE, /* waits in the set */
    ETCL_LINE_BUSY, /* owned by a thread */
    ETCL_LINE_SHUT, /* nothing more is received; what is queued is refused */
    ETCL_LINE_LOST  /* owned by a thread that nobody waits for any more */
} etcl_line_state_t;

/* A link in the park. */
typedef struct etcl_line_t {
    etcl_link_t link;
    etcl_line_state_t state; /* under the park's lock, but for the owner */
    int greeted;             /* its HELLO was good */
    apr_uint32_t serial;     /* of its latest call */
    apr_int64_t since_us;    /* when it was accepted */
    etcl_window_t window;    /* for what is too large for packets */
    struct etcl_line_t *next, *prev;
} etcl_line_t;

typedef struct {
    int epoll_fd;
    int listen_fd;
    const etcl_group_t *group;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t emptied;
    etcl_line_t *lines; /* all of them */
    int count;
    int busy;    /* lines that a thread works on */
    int lost;    /* of `count`: LOST */
    int shut;    /* the worker retires */
    int starved; /* no descriptor was left to accept with */
    int drained; /* and that was the process's own limit, at some time */
} etcl_park_t;

/**
 * Open the set for a listening socket. Links have the buffers and the timeout
 * of the group, which is borrowed for the life of the process.
 *
 * Returns  APR_SUCCESS or errno
 */
apr_status_t etcl_park_open(etcl_park_t *park, int listen_fd,
                            const etcl_group_t *group);

/**
 * Wait for a link that can be read; new ones are accepted in between.
 *
 * Context  any request thread, without any lock; returns only with a link
 * Owns     the link is the caller's until etcl_park_give_back or _drop.
 *          state SHUT: etcl_park_give_back was refused, or the link stood
 *          idle when the worker began to retire
 * Returns  NULL when the application has closed the set
 */
etcl_line_t *etcl_park_wait(etcl_park_t *park);

/**
 * Let a link wait for its next call.
 *
 * Returns  1  it waits
 *          0  the worker retires: the link is SHUT and still the caller's
 */
int etcl_park_give_back(etcl_park_t *park, etcl_line_t *line);

/** Close a link. */
void etcl_park_drop(etcl_park_t *park, etcl_line_t *line);

/**
 * The worker retires: accept nothing more, and let the kernel refuse what is
 * sent on idle links. Each wakes a thread, which answers what was already
 * queued, and drops it.
 */
void etcl_park_shut(etcl_park_t *park);

/** Nobody waits for the thread that owns this link; it still drops it. */
void etcl_park_lose(etcl_park_t *park, etcl_line_t *line);

/** Wait at most `wait_us` for the last link to go, lost ones apart; returns
 *  how many are busy, or -1 when there is no link any more. */
int etcl_park_rest(etcl_park_t *park, apr_int64_t wait_us);

/** Whether this process ever had no descriptor left to accept with. */
int etcl_park_is_drained(etcl_park_t *park);

/** Now and then: close links that never greeted, let windows of idle ones
 *  rest, accept again. */
void etcl_park_sweep(etcl_park_t *park, apr_int64_t now_us);

#endif

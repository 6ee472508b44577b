/* A group that was started: its sockets, shared memory and supervisor in one
 * generation of Apache. The memory is malloc'ed and holds no code pointer, for
 * it outlives a restart, during which this module is unloaded and loaded. */

#ifndef ETCL_LIVE_H
#define ETCL_LIVE_H

#include "etcl_board.h"
#include "etcl_config.h"

#include <apr_thread_proc.h>

typedef struct etcl_links_t etcl_links_t; /* etcl_links.h */

/* Shared by all processes of Apache, so that one of them logs for all: atomic
 * integers. */
typedef struct {
    apr_int64_t refused_us; /* when the latest request was refused */
    int kept; /* it was said that the generation before serves on */
} etcl_burst_t;

struct etcl_live_t {
    etcl_live_t *next;     /* all that there are; newest first */
    etcl_live_t *previous; /* the same group one generation ago, or NULL */
    char *name;
    int generation;
    int is_old;     /* its generation of Apache has ended */
    int is_service; /* nobody sends requests to it: threads=0 */

    /* The supervisor. */
    apr_proc_t proc; /* pid 0: none */
    char *program;   /* path of etcld */
    char *title;     /* argv[0] */
    apr_int64_t started_us;
    apr_int64_t shutdown_us; /* the group's shutdown-timeout */
    int failures;            /* short lives in a row */

    /* Descriptors of the parent, or -1; children close all but `alive_fd`. */
    int alive_fd; /* write end of the lifeline */
    int watch_fd; /* its read end */
    int options_fd;
    int roster_fd;
    int log_fd;
    int slots;
    int *listen_fds;
    char **paths;

    /* Shared memory. */
    void *roster_map;
    apr_size_t roster_size;
    const etcl_roster_t *roster;
    void *board_map;
    apr_size_t board_size;
    etcl_board_t *board;
    etcl_burst_t *burst;

    /* For requests. */
    unsigned char secret[ETCL_GROUP_SECRET];
    uid_t listener_uid; /* who listens: this process */
    apr_int64_t connect_us;
    apr_int64_t queue_us;  /* 0: for ever */
    apr_int64_t reload_us; /* for new code, at most; 0: nobody waits for it */
    apr_int64_t timeout_us;
    int is_buffered; /* small bodies are read before a worker is asked */
    apr_int64_t response_us; /* of one write to the client; 0: Apache's */
    apr_int64_t header_max;  /* bytes of one response header; 0: no limit */
    apr_int64_t flush_max;   /* bytes to the client without a flush; 0 */
    int flush_delay_ms;      /* waited for more before a flush */
    apr_int64_t handover_us; /* old: give up waiting for the new by then */
    apr_int64_t retry_us;    /* old: when the new tries to load again */

    /* Of one Apache child. */
    int seat; /* on the board, or -1 */
    etcl_links_t *links;
    int is_lent; /* old: requests of the next generation were sent to it */
};

/* What is not in the group itself. */
typedef struct {
    const char *prefix; /* of socket paths */
    int generation;
    int index;    /* of the group */
    int children; /* of Apache, at most */
    int log_fd;   /* duplicated */
    const char *program;
} etcl_plan_t;

/**
 * Make everything that a group needs before its supervisor starts.
 *
 * Returns  APR_SUCCESS with *out; an errno with *why: what failed
 * Context  Apache parent
 */
apr_status_t etcl_live_create(etcl_group_t *group, const etcl_plan_t *plan,
                              apr_pool_t *pool, etcl_live_t **out,
                              const char **why);

/** The parent's descriptors but the lifeline's, by number from 0 on; NULL: no
 *  more. Each may be -1. */
int *etcl_live_fd(etcl_live_t *live, int number);

/** Close these: no supervisor is started with them any more. */
void etcl_live_close(etcl_live_t *live);

/** Parent: no supervisor will come, or not soon: requests do not wait for its
 *  workers. The next one takes it back. */
void etcl_live_rest(etcl_live_t *live);

/** Let the lifeline go. */
void etcl_live_release(etcl_live_t *live);

/** Close everything, remove the sockets, free the memory. */
void etcl_live_destroy(etcl_live_t *live);

#endif

/* A stand-in for the Apache parent and its children: starts the etcld that
 * was built beside the test program, with a group of its own in a temporary
 * folder, and speaks the wire to its workers. */

#ifndef RIG_H
#define RIG_H

#include "etcl_group.h"
#include "etcl_link.h"
#include "etcl_roster.h"

#include <sys/types.h>

#define RIG_SLOTS 4
#define RIG_BODY_MAX (4 * 1024 * 1024)

typedef struct {
    char folder[64];
    char script[96]; /* wsgi.py in it */
    char log[96];    /* the group's log */
    etcl_group_t group;
    etcl_roster_t *roster;
    int lifeline_fd; /* write end */
    pid_t pid;       /* of the supervisor */
} rig_t;

/* What came back for a call. */
typedef struct {
    apr_status_t rv; /* of the link: APR_EOF when the worker went */
    int status;      /* of HEAD, or of ABORT; 0 none */
    int refused;
    int ended;   /* END */
    int files;   /* FILE frames */
    int windows; /* WINDOW frames */
    int packets; /* from CALL to END */
    apr_size_t len;
    char body[RIG_BODY_MAX];
} rig_answer_t;

/** Make the folder, with this text as the script; set group options after. */
void rig_open(rig_t *rig, const char *script);

/** Write the script anew, with another time. */
void rig_rewrite(rig_t *rig, const char *script);

/** Start etcld; returns at once. */
void rig_start(rig_t *rig);

/** Wait until `count` slots are in `state`; fails the test after 20 s. */
void rig_wait(rig_t *rig, etcl_slot_state_t state, int count);

/** The first slot in `state`. */
int rig_slot(rig_t *rig, etcl_slot_state_t state);

/** The pid of the worker of a slot. */
pid_t rig_worker(rig_t *rig, int slot);

/** Connect and say hello; APR_EOF: turned away. */
apr_status_t rig_connect(rig_t *rig, int slot, etcl_link_t *link);

/** Send a call with a path and `body_len` bytes that are pulled. */
apr_status_t rig_call(rig_t *rig, etcl_link_t *link, const char *path,
                      apr_int64_t body_len);

/** Send a call in three packets; "abcdef" rides along, in two pieces. */
void rig_call_in_pieces(rig_t *rig, etcl_link_t *link, const char *path);

/** Read the answer, sending body as it is asked for. The window is that of
 *  the link that got one last. */
void rig_read(etcl_link_t *link, apr_int64_t body_len, rig_answer_t *out);

/** Connect to a ready worker, call, read, close; another worker where the call
 *  was not begun, as an Apache child does. */
void rig_ask(rig_t *rig, const char *path, apr_int64_t body_len,
             rig_answer_t *out);

/** Wait for the supervisor to end; its exit status, -1 after `wait_us`. */
int rig_join(rig_t *rig, apr_int64_t wait_us);

/** Whether a process ends within `wait_us`. */
int rig_gone(pid_t pid, apr_int64_t wait_us);

/** How often the log holds `text`. */
int rig_logged(const rig_t *rig, const char *text);

/** End everything and remove the folder. */
void rig_close(rig_t *rig);

#endif

/* The roster: what a daemon group says of its workers. Written by the group,
 * mapped read-only by Apache children. Plain atomic integers; no lock, no
 * pointer, no text. A reader believes nothing: every value is checked when it
 * is read. */

#ifndef ETCL_ROSTER_H
#define ETCL_ROSTER_H

#include "etcl.h"

#define ETCL_ROSTER_SLOTS_MAX 1024
#define ETCL_ROSTER_CODES_MAX 256    /* scripts whose version is known */
#define ETCL_ROSTER_STALL_US 2500000 /* a heartbeat older than this is still */

typedef enum {
    ETCL_SLOT_EMPTY = 0,    /* no worker */
    ETCL_SLOT_STARTING = 1, /* loading; takes no requests yet */
    ETCL_SLOT_READY = 2,
    ETCL_SLOT_RETIRING = 3, /* finishes what it has */
    ETCL_SLOT_DEAD = 4      /* ended; will be filled again */
} etcl_slot_state_t;

/* How the last worker of a slot ended, for messages. */
typedef enum {
    ETCL_LAST_NONE = 0,
    ETCL_LAST_EXIT = 1,   /* `detail` is the exit status */
    ETCL_LAST_SIGNAL = 2, /* `detail` is the signal */
    ETCL_LAST_LOAD = 3    /* the application does not load */
} etcl_last_t;

/* What a group without workers has before it. */
typedef enum {
    ETCL_OUTLOOK_NONE = 0,   /* nothing is known: nobody supervises it now */
    ETCL_OUTLOOK_COMING = 1, /* a worker, or a template, is on its way */
    ETCL_OUTLOOK_RESTING = 2 /* the last ones failed: a pause */
} etcl_outlook_t;

typedef struct etcl_roster_t etcl_roster_t; /* the shared memory */

/* A checked copy of one slot. */
typedef struct {
    etcl_slot_state_t state;
    apr_uint32_t pid;         /* of the worker; for messages only */
    apr_uint32_t incarnation; /* grows with every worker of the slot */
    apr_uint32_t capacity;    /* request threads, 0 .. 65535 */
    apr_int64_t heartbeat_us; /* monotonic: the clock is the machine's */
    apr_uint64_t requests;    /* answered by this worker */
    etcl_last_t last;
    apr_uint32_t last_detail;
    apr_uint32_t failing; /* scripts it could not load, 0 .. 65535 */
} etcl_roster_slot_t;

/**
 * Bytes of shared memory for `slots` workers (1 .. SLOTS_MAX), else 0. It is
 * the same for all: a daemon that changes the count cannot lead a reader
 * outside of its mapping.
 */
apr_size_t etcl_roster_size(int slots);

/** Writer: lay out fresh zeroed memory of etcl_roster_size(slots). */
etcl_roster_t *etcl_roster_init(void *memory, int slots);

/**
 * Either side: use memory of `size` bytes that was laid out before.
 *
 * Returns  NULL when magic, version or slot count do not fit `size`
 */
etcl_roster_t *etcl_roster_open(void *memory, apr_size_t size);

/** The number of slots; a daemon may change it, so never size memory by it
 *  twice. */
int etcl_roster_slots(const etcl_roster_t *roster);

/**
 * Reader: copy one slot.
 *
 * Returns  APR_SUCCESS, or ETCL_EPROTO: slot out of range, or the values are
 *          not possible (then treat it as EMPTY)
 */
apr_status_t etcl_roster_read(const etcl_roster_t *roster, int slot,
                              etcl_roster_slot_t *out);

/**
 * Reader: whether those who serve have this version of a script, and nothing
 * newer is being loaded; both as numbers of etcl_stamp.h. A script that the
 * group does not watch is taken as it is.
 */
int etcl_roster_has_code(const etcl_roster_t *roster, apr_uint64_t script,
                         apr_uint64_t version);

/** Reader: ready, and its heartbeat moved within ETCL_ROSTER_STALL_US. */
int etcl_roster_takes(const etcl_roster_slot_t *slot, apr_int64_t now_us);

/** Reader: COMING counts for ETCL_ROSTER_STALL_US after it was written. */
etcl_outlook_t etcl_roster_outlook(const etcl_roster_t *roster,
                                   apr_int64_t now_us);

/* Writer side; each field is one atomic store. */
void etcl_roster_set_outlook(etcl_roster_t *roster, etcl_outlook_t outlook,
                             apr_int64_t now_us);
void etcl_roster_set_state(etcl_roster_t *roster, int slot,
                           etcl_slot_state_t state);
/** Before it becomes READY: so many of its scripts did not load. */
void etcl_roster_set_failing(etcl_roster_t *roster, int slot, int failing);
/** A new worker: state STARTING, incarnation + 1, counters 0. */
void etcl_roster_begin(etcl_roster_t *roster, int slot, apr_uint32_t pid,
                       apr_uint32_t capacity, apr_int64_t now_us);
void etcl_roster_beat(etcl_roster_t *roster, int slot, apr_int64_t now_us);
void etcl_roster_count(etcl_roster_t *roster, int slot); /* one answered */
/** Writer: those who serve have this version of script `number`, 0 up to
 *  CODES_MAX - 1; version 0: it is not watched. Others are ignored. */
void etcl_roster_set_code(etcl_roster_t *roster, int number,
                          apr_uint64_t script, apr_uint64_t version);
/** Writer: code that is newer is being loaded. */
void etcl_roster_set_changing(etcl_roster_t *roster, int changing);
/** The worker ended; state DEAD. */
void etcl_roster_bury(etcl_roster_t *roster, int slot, etcl_last_t last,
                      apr_uint32_t detail);

#endif

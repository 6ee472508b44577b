/* What a supervisor and a worker tell each other: one packet each on a
 * socket pair. A worker runs an application, so what comes from it is checked
 * like anything from outside; it can hurt nobody but its own group. */

#ifndef ETCL_NOTE_H
#define ETCL_NOTE_H

#include "etcl.h"

#include <sys/types.h>

#define ETCL_NOTE_TEXT_MAX 4096

typedef enum {
    ETCL_NOTE_READY = 1,   /* W: `number` scripts did not load */
    ETCL_NOTE_LOADED = 2,  /* W: script `text`, modified at `a_us` */
    ETCL_NOTE_FAILED = 3,  /* W: Python does not start; the reason is logged */
    ETCL_NOTE_LEAVING = 4, /* W: it ends by itself, for reason `number` */
    ETCL_NOTE_REPLACE = 5, /* W: it wants a successor, for reason `number` */
    ETCL_NOTE_KEPT = 7,    /* W: script `text` is not to be reloaded */
    ETCL_NOTE_BORN = 8,    /* W: the first one; `sender` is its pid */
    ETCL_NOTE_REFUSED = 9, /* template: it cannot be forked */
    ETCL_NOTE_RETIRE = 6   /* S: end, for reason `number`; `a_us` for calls,
                              then `b_us` for Python */
} etcl_note_kind_t;

/* Why a worker ends: what its application is told. */
typedef enum {
    ETCL_WHY_SHUTDOWN = 0,
    ETCL_WHY_SCRIPT = 1,
    ETCL_WHY_GRACEFUL = 2,
    ETCL_WHY_EVICTION = 3,
    ETCL_WHY_REQUESTS = 4,
    ETCL_WHY_AGE = 5,
    ETCL_WHY_INACTIVITY = 6,
    ETCL_WHY_REQUEST = 7,
    ETCL_WHY_STARTUP = 8,
    ETCL_WHY_DEADLOCK = 9,
    ETCL_WHY_CPU = 10,
    ETCL_WHY_RSS = 11,
    ETCL_WHY_DESCRIPTORS = 12,
    ETCL_WHY_COUNT
} etcl_why_t;

typedef struct {
    apr_uint32_t kind;
    apr_uint32_t number;
    apr_int64_t a_us;
    apr_int64_t b_us;
    etcl_span_t text; /* received: inside the buffer of etcl_note_recv */
    pid_t sender;     /* received: as the kernel says, or 0 */
} etcl_note_t;

/** The name of a reason, as process_stopping events have it. */
const char *etcl_note_why(apr_uint32_t why);

/**
 * Send a note without waiting. A peer that has gone is nobody's error here:
 * its end is noticed by receiving.
 */
void etcl_note_send(int fd, const etcl_note_t *note);

/**
 * Receive a note without waiting.
 *
 * Owns     `out->text` lies in `buf`
 * Returns  APR_SUCCESS, APR_EAGAIN, APR_EOF (the peer has gone),
 *          ETCL_EPROTO (not a note; the next may be one)
 */
#define ETCL_NOTE_MAX (24 + ETCL_NOTE_TEXT_MAX)
apr_status_t etcl_note_recv(int fd, char buf[ETCL_NOTE_MAX], etcl_note_t *out);

#endif

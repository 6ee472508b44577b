/* An exchange that records what it is given and plays a client whose body,
 * and whose way of leaving, the test decides. */

#ifndef FAKE_EXCHANGE_H
#define FAKE_EXCHANGE_H

#include "etcl_buffer.h"
#include "etcl_exchange.h"

#include <apr_time.h>

#define FAKE_EVENTS 65536

typedef struct {
    etcl_exchange_t base;
    /* What the test decides. */
    const char *body;       /* of the request */
    apr_size_t body_len;    /* bytes that come */
    apr_size_t piece;       /* at most this many at once; 0: any */
    apr_status_t body_end;  /* APR_EOF, or how the body breaks off */
    apr_int64_t gone_after; /* bytes of answer until write_error; -1 */
    apr_status_t write_error;
    int busy_writes; /* ETCL_WRITE_NOWAIT gives EAGAIN so often */
    apr_status_t begin_error;
    apr_interval_time_t read_us; /* how long a read takes */
    /* What was recorded. */
    etcl_buffer_t sent;         /* the answer's body */
    etcl_buffer_t log;          /* "level text\n" for each entry */
    etcl_buffer_t head;         /* "status reason\nname: value\n..." */
    apr_int64_t content_length; /* of the head */
    apr_size_t body_at;
    int begins;
    int reads;
    int writes; /* that took something */
    int holds;  /* of them with ETCL_WRITE_HOLD */
    int files;
    int inside;                   /* now in a function; for races */
    int races;                    /* two threads were in it at once */
    char events[FAKE_EVENTS + 1]; /* r b w f in their order */
    apr_size_t event_count;
} fake_exchange_t;

void fake_exchange_init(fake_exchange_t *fake);
void fake_exchange_done(fake_exchange_t *fake);

/** Text of a recording, terminated. */
const char *fake_exchange_text(etcl_buffer_t *recording);

#endif

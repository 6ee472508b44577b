/* An exchange: the few functions through which Python reads the body of a
 * call and gives its answer. Implemented over a link (src/daemon), over a
 * request_rec (src/httpd, embedded mode) and by a recording fake (tests). */

#ifndef ETCL_EXCHANGE_H
#define ETCL_EXCHANGE_H

#include "etcl.h"

/* One response header, exactly as the application gave it. */
typedef struct {
    etcl_span_t name;
    etcl_span_t value;
} etcl_header_t;

/* The head of a response. Every field was validated by the sender and is
 * validated again by whoever receives it over a wire. */
typedef struct {
    int status;                   /* 100..999 */
    etcl_span_t reason;           /* may be empty */
    const etcl_header_t *headers; /* in the application's order */
    apr_size_t header_count;
    apr_int64_t content_length; /* of the headers; -1 when not stated */
} etcl_head_t;

/* How bytes are to be written; bits. */
#define ETCL_WRITE_HOLD                                                        \
    0x1u                       /* more follows before the application runs
                                  again: the block may be held back */
#define ETCL_WRITE_NOWAIT 0x2u /* never block: APR_EAGAIN, nothing taken */
#define ETCL_WRITE_LAST                                                        \
    0x4u /* all that was promised: it may wait some milliseconds for the end   \
            of the call, to leave together with that */

typedef struct etcl_exchange_t etcl_exchange_t;

/**
 * What an exchange can do.
 *
 * Context  One thread at a time, the thread of the call. Every function but
 *          `begin`, `write` with ETCL_WRITE_NOWAIT and `log` may block, so
 *          Python calls them without the GIL.
 * Returns  APR_SUCCESS, or of the functions that move bytes:
 *          ETCL_EGONE    the client, or Apache, has gone: stop
 *          APR_TIMEUP    nothing moved within the socket timeout
 *          After an error the exchange accepts nothing but `log`.
 */
typedef struct {
    /**
     * Read from the request body: waits for at least one byte, then takes
     * what there is, at most `max`. With `whole`, waits until `max` bytes or
     * the end of the body are there.
     *
     * Returns  APR_EOF      the body ended where it should; *got is what came
     *                       before, again and again 0 afterwards
     *          ETCL_ESHORT  the client broke off in the middle of the body
     *          ETCL_ESTALL  the client sent nothing for too long
     *          ETCL_ELIMIT  the body is above LimitRequestBody
     */
    apr_status_t (*read)(etcl_exchange_t *x, char *into, apr_size_t max,
                         int whole, apr_size_t *got);

    /** How many bytes `read` can give without waiting. May be NULL. */
    apr_size_t (*ready)(etcl_exchange_t *x);

    /**
     * Give the head; once. It is copied, and leaves with the first bytes, or
     * at the end: an error before that may still become another answer.
     *
     * Returns  ETCL_EINVAL  status or a header is not acceptable
     */
    apr_status_t (*begin)(etcl_exchange_t *x, const etcl_head_t *head);

    /**
     * Send one block of the body. Without ETCL_WRITE_HOLD the block, and
     * whatever was held before, is on its way to the client on return; with
     * ETCL_WRITE_LAST soon afterwards, whatever the application does.
     */
    apr_status_t (*write)(etcl_exchange_t *x, etcl_span_t block,
                          unsigned int how);

    /**
     * Send `len` bytes of a regular file from `offset`.
     *
     * Owns     `fd` stays the caller's; it is duplicated where needed.
     */
    apr_status_t (*send_file)(etcl_exchange_t *x, int fd, apr_int64_t offset,
                              apr_int64_t len);

    /** Whether the client has gone: 1, or 0 when not known to have. */
    int (*gone)(etcl_exchange_t *x);

    /**
     * One log entry of this request: the bytes of `text` are the
     * application's and may hold anything; the receiver escapes them. A
     * '\n' separates the lines of one entry (a traceback): each is written
     * as a line of its own, with its own prefix, nothing in between.
     * Never fails for the caller, and keeps nothing of `text`.
     */
    void (*log)(etcl_exchange_t *x, etcl_level_t level, etcl_span_t text);
} etcl_exchange_ops_t;

struct etcl_exchange_t {
    const etcl_exchange_ops_t *ops; /* first member of every implementation */
};

/* How an answer ended. */
typedef enum {
    ETCL_ANSWER_DONE,   /* complete */
    ETCL_ANSWER_FAILED, /* nothing has left: answer `status` instead */
    ETCL_ANSWER_ABORTED /* bytes have left: the client must see it break off */
} etcl_answer_end_t;

typedef struct {
    etcl_answer_end_t end;
    int status;           /* of ETCL_ANSWER_FAILED: 400, 408, 413, 5xx */
    apr_int64_t sent;     /* bytes of body given to the exchange */
    apr_int64_t promised; /* Content-Length, or -1 */
} etcl_answer_t;

#endif

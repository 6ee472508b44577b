/* The response, into Apache's output filters. Everything that comes in is
 * judged again: whoever sent it is not trusted. */

#ifndef ETCL_EMIT_H
#define ETCL_EMIT_H

#include "etcl_exchange.h"
#include "etcl_httpd.h"
#include "etcl_pour.h"
#include "etcl_question.h"

typedef struct {
    request_rec *r;
    etcl_question_t *question; /* the answer is a verdict; or NULL */
    const char *location;      /* of an internal redirect instead */
    int status;                /* 0, or what Apache answers instead */
    apr_bucket_brigade *bb;    /* not passed on yet */
    apr_int64_t promised;      /* Content-Length, or -1 */
    apr_int64_t taken;         /* bytes of body that were accepted */
    apr_int64_t header_max;    /* bytes of one header; 0: no limit */
    apr_int64_t flush_max;     /* bytes after which a flush is due; 0 */
    apr_int64_t unflushed;     /* bytes since the last flush */
    int has_head;
    int has_passed; /* something has gone to the filters */
    int has_eos;
    int has_bytes;    /* `bb` borrows memory: to be passed soon */
    int is_bodiless;  /* HEAD, 204, 304 */
    int is_replaced;  /* a condition was not met: the body is dropped */
    int is_over;      /* more than promised was given; it is cut */
    int files;        /* that were given */
    etcl_pour_t pour; /* bytes behind `bb` that lie in a window */
} etcl_emit_t;

/** With `question`, nothing goes to the client: the verdict is kept there. */
void etcl_emit_init(etcl_emit_t *emit, request_rec *r,
                    etcl_question_t *question);

/**
 * Take over the head; copied into r->pool. It leaves with the first pass.
 *
 * Returns  APR_SUCCESS, or ETCL_EINVAL with *why, a sentence for the log
 */
apr_status_t etcl_emit_head(etcl_emit_t *emit, const etcl_head_t *head,
                            const char **why);

/** Bytes of the body. They must stay until the next pass. */
void etcl_emit_data(etcl_emit_t *emit, etcl_span_t bytes);

/**
 * What was given so far need not stay: it is copied where that is needed.
 *
 * Returns  APR_SUCCESS, APR_ENOMEM
 */
apr_status_t etcl_emit_keep(etcl_emit_t *emit);

/**
 * A part of a regular file.
 *
 * Owns     takes `fd` over, also when it fails
 * Returns  APR_SUCCESS; ETCL_EPROTO: not a regular file, or the part is not
 *          in it, or one file too many; errno: no descriptor is left
 */
apr_status_t etcl_emit_file(etcl_emit_t *emit, int fd, apr_int64_t offset,
                            apr_int64_t len);

/**
 * Bytes of a window. Nothing may be given behind them before the next pass;
 * until then, or until the end, the window must stay as it is.
 *
 * Returns  APR_SUCCESS, ETCL_EPROTO
 */
apr_status_t etcl_emit_window(etcl_emit_t *emit, const etcl_pour_t *window);

/**
 * Pass on what there is; with `flush`, down to the client.
 *
 * Returns  APR_SUCCESS
 *          ETCL_EGONE  the client has gone
 *          ETCL_EPROTO a window does not hold its bytes any more: break off
 */
apr_status_t etcl_emit_pass(etcl_emit_t *emit, int flush);

/** Whether a flush is due with the next pass (flush_max). */
int etcl_emit_is_due(const etcl_emit_t *emit);

/** Whether all promised bytes are here, and nobody was told that yet. */
int etcl_emit_is_complete(const etcl_emit_t *emit);

/** The answer is complete. Fewer bytes than promised: as etcl_emit_break.
 *  Returns as etcl_emit_pass. */
apr_status_t etcl_emit_end(etcl_emit_t *emit);

/** The same, and a small answer leaves now: it is not httpd's to keep until
 *  the request is done. */
apr_status_t etcl_emit_push(etcl_emit_t *emit);

/** Bytes that are missing at the end; 0 when none are. */
apr_int64_t etcl_emit_missing(const etcl_emit_t *emit);

/** The answer breaks off: the client must see that, whatever the framing. */
void etcl_emit_break(etcl_emit_t *emit);

/** Nothing has left: forget the head, another answer will be given. */
void etcl_emit_undo(etcl_emit_t *emit);

/**
 * WSGIErrorOverride and WSGIInternalRedirect: what the handler returns when
 * the answer came to `status`. Runs the internal redirect: nothing that
 * others may wait for is held then.
 */
int etcl_emit_settle(etcl_emit_t *emit, int status);

#endif

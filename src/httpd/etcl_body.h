/* The request body, read from Apache's input filters. */

#ifndef ETCL_BODY_H
#define ETCL_BODY_H

#include "etcl_intake.h"

typedef struct {
    request_rec *r;
    apr_bucket_brigade *bb;    /* received, not yet taken */
    apr_bucket_brigade *fresh; /* always empty between calls */
    etcl_intake_t *intake;     /* NULL: the body takes httpd's way */
    apr_int64_t len;           /* 0 none, -1 unknown */
    apr_int64_t taken;         /* bytes given away */
    int ended;                 /* everything was received */
    apr_status_t why;          /* 0, or why it broke off: as of _take */
    int status;                /* what the handler returns then: 400, 408 ... */
    int sent;                  /* r->status when httpd had answered; or 0 */
} etcl_body_t;

/**
 * Look what body the request has; reads nothing.
 *
 * Returns  OK, or the status to answer (logged): a length that is none, two
 *          kinds of framing, a coding that is not chunked, more than
 *          LimitRequestBody
 */
int etcl_body_begin(etcl_body_t *body, request_rec *r);

/**
 * Take what there is, at most `max`. With `wait`, at least one byte, the end,
 * or an error; else APR_EAGAIN when nothing has been received.
 *
 * Returns  APR_SUCCESS  *got is not 0
 *          APR_EOF      the body ended where it should
 *          ETCL_ESHORT, ETCL_ESTALL, ETCL_ELIMIT, APR_EAGAIN
 */
apr_status_t etcl_body_take(etcl_body_t *body, char *into, apr_size_t max,
                            int wait, apr_size_t *got);

/**
 * Receive without waiting, and take nothing.
 *
 * Returns  1 when the whole body is here now, and is at most `max` bytes
 */
int etcl_body_look(etcl_body_t *body, apr_size_t max);

/** Receive up to `max` bytes without waiting, if none are here; whether there
 *  are any to take then. */
int etcl_body_is_here(etcl_body_t *body, apr_size_t max);

/** Bytes not yet taken, or -1 when that is not known. */
apr_int64_t etcl_body_rest(const etcl_body_t *body);

/** Give the latest bytes back, to be taken again; they are copied. */
void etcl_body_put_back(etcl_body_t *body, etcl_span_t bytes);

/** At the end: httpd's own answer is what the access log is to name, whatever
 *  the application made of the body that broke off. */
void etcl_body_settle(const etcl_body_t *body);

/** 1 when all was taken, 0 when more is to come or may be. */
int etcl_body_is_done(const etcl_body_t *body);

#endif

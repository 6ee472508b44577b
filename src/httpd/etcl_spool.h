/* Bytes of one answer that a slow client has not taken yet, in order. */

#ifndef ETCL_SPOOL_H
#define ETCL_SPOOL_H

#include "etcl_httpd.h"

/* Of all answers of a child: a hundred clients, 5 MB each. */
#define ETCL_SPOOL_TOTAL ((apr_int64_t)512 * 1024 * 1024)

typedef struct {
    int fd;              /* a memory file, or -1 */
    apr_off_t from, to;  /* what of it is still to be sent */
    apr_int64_t counted; /* bytes, with those that were parted with */
} etcl_spool_t;

/** An empty one; without a file until something is added. What it holds is
 *  given back with the pool, which must be the request's. */
etcl_spool_t *etcl_spool_create(apr_pool_t *pool);

/** Bytes in it; 0 for NULL. */
apr_int64_t etcl_spool_left(const etcl_spool_t *spool);

/**
 * Add bytes at its end.
 *
 * Returns  APR_SUCCESS; ETCL_EFULL: ETCL_SPILL_MAX of this answer, or
 *          ETCL_SPOOL_TOTAL of all; errno. On error nothing was added.
 */
apr_status_t etcl_spool_add(etcl_spool_t *spool, etcl_span_t bytes);

/**
 * Take out the next `*len` bytes, or all that are left. Their memory is the
 * system's again.
 *
 * Returns  APR_SUCCESS with *len; errno
 */
apr_status_t etcl_spool_take(etcl_spool_t *spool, char *into, apr_size_t *len);

/**
 * Append all that is left as one file, and begin anew. It counts until the
 * request ends.
 *
 * Returns  APR_SUCCESS; errno: it is lost, and the answer with it
 */
apr_status_t etcl_spool_part(etcl_spool_t *spool, request_rec *r,
                             apr_bucket_brigade *bb);

/** Forget what is left. */
void etcl_spool_drop(etcl_spool_t *spool);

#endif

/* Bytes that lie in the window of a link, piece by piece into a brigade. */

#ifndef ETCL_POUR_H
#define ETCL_POUR_H

#include "etcl_httpd.h"
#include "etcl_view.h"

/* What the core's output filter takes without keeping a part of it, with room
 * for a head. */
#define ETCL_POUR_PIECE ((apr_size_t)60 * 1024)

typedef struct {
    const etcl_view_t *view; /* borrowed while `left` */
    apr_uint32_t serial;     /* of the call that the bytes belong to */
    apr_size_t at;           /* where the next piece begins */
    apr_size_t left;         /* bytes that are still to be poured */
    char *piece;             /* ETCL_POUR_PIECE bytes, the caller's */
} etcl_pour_t;

/**
 * Append the next piece, which must be passed on before the one after it.
 *
 * Returns  APR_SUCCESS; ETCL_EPROTO: the bytes have gone
 */
apr_status_t etcl_pour_next(etcl_pour_t *pour, request_rec *r,
                            apr_bucket_brigade *bb);

/**
 * Append all that is left, as one file.
 *
 * Returns  APR_SUCCESS; ETCL_EPROTO; errno: there is no memory for a file. On
 *          error nothing was poured.
 */
apr_status_t etcl_pour_all(etcl_pour_t *pour, request_rec *r,
                           apr_bucket_brigade *bb);

#endif

/* What of an answer is too large for packets, gathered until it crosses as a
 * whole: in the window of the link, once in a call; else in memory files. */

#ifndef ETCL_BULK_H
#define ETCL_BULK_H

#include "etcl_frame.h"
#include "etcl_window.h"

/* Where bytes are being gathered. */
typedef enum {
    ETCL_BULK_CLOSED, /* nowhere */
    ETCL_BULK_WINDOW,
    ETCL_BULK_FILE
} etcl_bulk_state_t;

typedef struct {
    etcl_window_t *window; /* of the link; made when it is needed */
    etcl_bulk_state_t state;
    int is_used;       /* the window holds bytes of this call */
    int is_refused;    /* no room for what was wanted: do not ask again */
    int fd;            /* the memory file, or -1 */
    apr_int64_t len;   /* bytes gathered since it was opened */
    apr_int64_t filed; /* bytes of this answer that were put into files */
} etcl_bulk_t;

/** A call begins; what a broken one has left is dropped. `window` stays the
 *  link's. */
void etcl_bulk_begin(etcl_bulk_t *bulk, etcl_window_t *window);

/**
 * Open it for `len` bytes to come.
 *
 * Returns  APR_SUCCESS, ETCL_ELIMIT: send them in packets
 */
apr_status_t etcl_bulk_open(etcl_bulk_t *bulk, apr_int64_t len);

/** Whether it is open and has room for so many bytes more. */
int etcl_bulk_fits(const etcl_bulk_t *bulk, apr_size_t len);

/** Bytes that fit. Does not block for more than it takes to copy them.
 *  APR_SUCCESS; errno: there is no memory, and nothing of it was added. */
apr_status_t etcl_bulk_add(etcl_bulk_t *bulk, etcl_span_t bytes);

/**
 * Say in a frame where the bytes are.
 *
 * Owns     *fd rides with the packet unless it is -1, and is not the
 *          caller's; it lives until the next call of this room
 * Returns  APR_SUCCESS, ETCL_ELIMIT: no room in the packet; errno
 */
apr_status_t etcl_bulk_close(etcl_bulk_t *bulk, etcl_packet_t *out, int *fd);

/** Forget what was gathered and not sent. */
void etcl_bulk_drop(etcl_bulk_t *bulk);

#endif

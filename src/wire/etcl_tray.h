/* Trays: memory that is kept with a link, in which a child lays the bytes of
 * request bodies for the worker. Bytes that would cross in packets are copied
 * twice by the kernel, and every packet wakes the worker. The child makes the
 * tray and writes it; the worker can only read, and the child never does. */

#ifndef ETCL_TRAY_H
#define ETCL_TRAY_H

#include "etcl.h"

#define ETCL_TRAY_LEN ((apr_size_t)256 * 1024)

/* One end's. Zeroed: there is none. */
typedef struct {
    char *ptr; /* ETCL_TRAY_LEN bytes, shared; or NULL */
    int fd;    /* while there is `ptr`: the child's, until the worker has it;
                  else -1 */
} etcl_tray_t;

/**
 * The child's end: make one. Its size is sealed, and that nobody else maps it
 * for writing. All of its memory is there: writing it cannot fail.
 *
 * Owns     `fd` rides with the packet that speaks of the tray first; then
 *          etcl_tray_sent
 * Returns  APR_SUCCESS, errno
 */
apr_status_t etcl_tray_create(etcl_tray_t *tray);

/** The worker has it. */
void etcl_tray_sent(etcl_tray_t *tray);

/**
 * The worker's end: map what came over the link, to be read.
 *
 * Owns     `fd` is closed in any case
 * Returns  APR_SUCCESS; ETCL_EPROTO: there is one already, or this is none;
 *          errno
 */
apr_status_t etcl_tray_accept(etcl_tray_t *tray, int fd);

void etcl_tray_destroy(etcl_tray_t *tray);

#endif

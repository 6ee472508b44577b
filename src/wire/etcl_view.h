/* The child's end of a window (etcl_window.h). What the worker does to the
 * memory behind it must not hurt the child: its size is sealed, and no code of
 * the child reads it where it is mapped. Bytes are copied by the kernel, or
 * the kernel is told where they are when they are sent; either fails as any
 * call of the kernel does. */

#ifndef ETCL_VIEW_H
#define ETCL_VIEW_H

#include "etcl.h"

typedef struct {
    int fd;          /* owned, or -1: the link has no window yet */
    const char *ptr; /* ETCL_WINDOW_SIZE bytes, to be read by the kernel */
} etcl_view_t;

/**
 * Open a view of what came over a link.
 *
 * Owns     takes `fd` over, also when it fails
 * Returns  APR_SUCCESS; ETCL_EPROTO: it is no window; errno
 */
apr_status_t etcl_view_open(etcl_view_t *view, int fd);
void etcl_view_close(etcl_view_t *view);

/**
 * Copy bytes of call `serial`.
 *
 * Returns  APR_SUCCESS: and whatever lay in the window before was that call's
 *          ETCL_EPROTO: it is not that call's, or not any more
 */
apr_status_t etcl_view_read(const etcl_view_t *view, apr_uint32_t serial,
                            apr_size_t at, char *into, apr_size_t len);

#endif

/* Windows: memory that is kept with a link, for bytes that are too many for
 * packets. A fresh memory file for each answer costs three times as much: its
 * pages are made, and given up, every time. The worker makes the window; its
 * other end is etcl_view.h. */

#ifndef ETCL_WINDOW_H
#define ETCL_WINDOW_H

#include "etcl.h"

#include <fcntl.h>

#define ETCL_WINDOW_SIZE ((apr_size_t)2 * 1024 * 1024)
#define ETCL_WINDOWS_MAX 32 /* of a worker */

/* The memory file: the bytes, and a page with the mark, the serial of the call
 * whose bytes they are (native u32); and what can never change about it. */
#define ETCL_WINDOW_FILE (ETCL_WINDOW_SIZE + 4096)
#define ETCL_WINDOW_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* How long the bytes of a call stay, at least, when nothing follows. */
#define ETCL_WINDOW_REST_US 10000000

/* Zeroed: there is none. */
typedef struct {
    char *ptr;            /* ETCL_WINDOW_SIZE bytes, shared; or NULL */
    int fd;               /* owned, while there is `ptr` */
    int is_known;         /* the child has it */
    apr_size_t filled;    /* memory stands behind so many bytes */
    apr_int64_t since_us; /* when it was marked */
} etcl_window_t;

/**
 * Make one: a sparse memory file, whose size is sealed, and a page for the
 * mark behind it. Copies of the process do not have it.
 *
 * Returns  APR_SUCCESS; APR_ENOMEM: this process has ETCL_WINDOWS_MAX; errno
 */
apr_status_t etcl_window_create(etcl_window_t *window);
void etcl_window_destroy(etcl_window_t *window);

/** Put bytes at `at`; they fit. APR_SUCCESS, errno: there is no memory. */
apr_status_t etcl_window_put(etcl_window_t *window, apr_size_t at,
                             etcl_span_t bytes);

/**
 * What lies in it belongs to call `serial` of the link, until the next one.
 */
void etcl_window_mark(etcl_window_t *window, apr_uint32_t serial,
                      apr_int64_t now_us);

/** The link is idle: once ETCL_WINDOW_REST_US have passed, give the memory
 *  back to the system; the window stays. */
void etcl_window_rest(etcl_window_t *window, apr_int64_t now_us);

#endif

/* What stays from one generation to the next, while this module is unloaded.
 *
 * Whether the next configuration will load the module again is not known when
 * one ends. So what the old generation still needs, its lifeline, what a
 * supervisor is started with, and its socket files, is left with httpd's pool
 * for logs, with clean-up functions of APR and libc only: httpd empties that
 * pool after it has read the next configuration, and a module that is there
 * takes its own out before. */

#ifndef ETCL_RETAIN_H
#define ETCL_RETAIN_H

#include "etcl_live.h"

typedef struct {
    int generation;     /* counts configurations that started */
    etcl_live_t *lives; /* newest first */
} etcl_retain_t;

/** The retained data; made at the first call. */
etcl_retain_t *etcl_retain_get(void);

/** Leave a life with `plog`. */
void etcl_retain_leave(etcl_live_t *live, apr_pool_t *plog);

/** Take it back. */
void etcl_retain_take(etcl_live_t *live, apr_pool_t *plog);

#endif

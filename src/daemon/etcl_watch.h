/* Files whose change means new code. */

#ifndef ETCL_WATCH_H
#define ETCL_WATCH_H

#include "etcl_stamp.h"

#define ETCL_WATCH_MAX 4096         /* files; more are not watched */
#define ETCL_WATCH_US 500000        /* how often they are looked at */
#define ETCL_WATCH_SETTLE_US 100000 /* a change must have rested this long */
/* Both, where requests wait for it. */
#define ETCL_WATCH_HASTY_US 20000
#define ETCL_WATCH_HASTY_SETTLE_US 50000
/* Whoever writes a file anew empties it first, and may take his time. */
#define ETCL_WATCH_EMPTY_US 1000000

typedef struct etcl_watch_t etcl_watch_t;

/* One file; borrowed until the watch ends. */
typedef struct {
    const char *path;
    etcl_stamp_t loaded; /* the version that counts as loaded */
    int kept;            /* its changes mean nothing */
} etcl_watch_file_t;

/** Watch nothing yet; `hasty`: look as often as sensible. NULL: no memory. */
etcl_watch_t *etcl_watch_create(int hasty);
void etcl_watch_destroy(etcl_watch_t *watch);

/**
 * Watch a file as well; one that is known is left as it is.
 *
 * Units    `mtime_us` is what was loaded, since the epoch: a file that is
 *          newer by now counts as changed. -1: as it is now. 0: the code
 *          asks to be loaded again; a known file counts as changed.
 */
void etcl_watch_add(etcl_watch_t *watch, etcl_span_t path,
                    apr_int64_t mtime_us);

/** The file is not to be reloaded, whatever happens to it. */
void etcl_watch_keep(etcl_watch_t *watch, etcl_span_t path);

/**
 * Look, when it is time, and say which file has changed. A file that is being
 * written, or is missing in between, is waited for.
 *
 * Returns  its path, or NULL; several changes at once are one
 */
const char *etcl_watch_poll(etcl_watch_t *watch, apr_int64_t now_us);

/** Every file counts as loaded as it is now: one change reloads everything. */
void etcl_watch_accept(etcl_watch_t *watch);

/** The files, in the order in which they were added; a number never changes. */
int etcl_watch_count(const etcl_watch_t *watch);
etcl_watch_file_t etcl_watch_file(const etcl_watch_t *watch, int number);

/** When to look again; 0: nothing is watched. */
apr_int64_t etcl_watch_next_us(const etcl_watch_t *watch);

#endif

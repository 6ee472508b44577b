/* Looks at files' times twice a second: a stat costs less than a microsecond,
 * works on every file system, and sees a replaced folder or symbolic link,
 * which a notification on the old one would not. */

#include "etcl_watch.h"

#include <stdlib.h>

typedef struct {
    char *path;
    etcl_stamp_t loaded;
    etcl_stamp_t seen;    /* the last time */
    apr_int64_t empty_us; /* since when it has nothing in it; 0: it has */
    int kept;             /* its changes mean nothing */
} file_t;

struct etcl_watch_t {
    int count;
    int hasty;
    apr_int64_t next_us;
    file_t files[ETCL_WATCH_MAX];
};

etcl_watch_t *etcl_watch_create(int hasty)
{
    etcl_watch_t *watch = calloc(1, sizeof(*watch));

    if (watch) {
        watch->hasty = hasty;
    }
    return watch;
}

void etcl_watch_destroy(etcl_watch_t *watch)
{
    while (watch && watch->count) {
        free(watch->files[--watch->count].path);
    }
    free(watch);
}

static file_t *find(etcl_watch_t *watch, etcl_span_t path)
{
    int i;

    for (i = 0; i < watch->count; i++) {
        if (etcl_span_is(path, watch->files[i].path)) {
            return &watch->files[i];
        }
    }
    return NULL;
}

void etcl_watch_add(etcl_watch_t *watch, etcl_span_t path, apr_int64_t mtime_us)
{
    file_t *file = find(watch, path);

    if (file && !mtime_us) {
        file->loaded.mtime_ns = 0;
    }
    if (watch->count == ETCL_WATCH_MAX || !path.len || file) {
        return;
    }
    file = &watch->files[watch->count];
    file->path = strndup(path.ptr, path.len);
    if (!file->path) {
        return;
    }
    file->seen = etcl_stamp_of(file->path);
    file->loaded = file->seen;
    if (mtime_us >= 0 && mtime_us != file->seen.mtime_ns / 1000) {
        file->loaded.mtime_ns = mtime_us * 1000;
    }
    watch->count++;
}

void etcl_watch_keep(etcl_watch_t *watch, etcl_span_t path)
{
    file_t *file;

    etcl_watch_add(watch, path, -1);
    file = find(watch, path);
    if (file) {
        file->kept = 1;
    }
}

/* A file without a byte is about to be written. Who means it is believed
 * later. */
static int is_being_written(file_t *file, apr_int64_t now_us)
{
    if (file->seen.size) {
        file->empty_us = 0;
        return 0;
    }
    if (!file->empty_us) {
        file->empty_us = now_us;
    }
    return now_us - file->empty_us < ETCL_WATCH_EMPTY_US;
}

/* Whether the file is another than was loaded, and has rested since it was
 * last looked at. `*moving` is set when it has not. */
static int has_changed(file_t *file, apr_int64_t now_us, int *moving)
{
    etcl_stamp_t now = etcl_stamp_of(file->path);
    int rests = etcl_stamp_same(&now, &file->seen);

    file->seen = now;
    rests &= !is_being_written(file, now_us);
    if (file->kept || now.mtime_ns < 0 ||
        etcl_stamp_same(&now, &file->loaded)) {
        return 0;
    }
    *moving |= !rests;
    return rests;
}

static void accept_all(etcl_watch_t *watch)
{
    int i;

    for (i = 0; i < watch->count; i++) {
        if (watch->files[i].seen.mtime_ns >= 0) {
            watch->files[i].loaded = watch->files[i].seen;
        }
    }
}

/* How long until the next look. */
static apr_int64_t nap_of(const etcl_watch_t *watch, int moving)
{
    if (watch->hasty) {
        return moving ? ETCL_WATCH_HASTY_SETTLE_US : ETCL_WATCH_HASTY_US;
    }
    return moving ? ETCL_WATCH_SETTLE_US : ETCL_WATCH_US;
}

const char *etcl_watch_poll(etcl_watch_t *watch, apr_int64_t now_us)
{
    const char *changed = NULL;
    int i, moving = 0;

    if (now_us < watch->next_us) {
        return NULL;
    }
    for (i = 0; i < watch->count; i++) {
        if (has_changed(&watch->files[i], now_us, &moving)) {
            changed = watch->files[i].path;
        }
    }
    watch->next_us = now_us + nap_of(watch, moving);
    if (moving || !changed) {
        return NULL;
    }
    accept_all(watch);
    return changed;
}

apr_int64_t etcl_watch_next_us(const etcl_watch_t *watch)
{
    return watch->count ? watch->next_us : 0;
}

void etcl_watch_accept(etcl_watch_t *watch)
{
    int i;

    for (i = 0; i < watch->count; i++) {
        watch->files[i].seen = etcl_stamp_of(watch->files[i].path);
    }
    accept_all(watch);
}

etcl_watch_file_t etcl_watch_file(const etcl_watch_t *watch, int number)
{
    const file_t *file = &watch->files[number];

    return (etcl_watch_file_t){ .path = file->path,
                                .loaded = file->loaded,
                                .kept = file->kept };
}

int etcl_watch_count(const etcl_watch_t *watch)
{
    return watch->count;
}

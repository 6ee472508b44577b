/* Versions of files: what tells one from the next, and both the path and the
 * version as a number, for memory that holds no text. */

#ifndef ETCL_STAMP_H
#define ETCL_STAMP_H

#include "etcl.h"

#include <sys/stat.h>

typedef struct {
    apr_int64_t mtime_ns; /* -1: there is no such file, or it is hidden */
    apr_int64_t size;
    apr_uint64_t inode;
} etcl_stamp_t;

/** The version of a file that was looked at already. */
etcl_stamp_t etcl_stamp_from(const struct stat *found);

/** The version that a file has now. One stat; links are followed. */
etcl_stamp_t etcl_stamp_of(const char *path);

int etcl_stamp_same(const etcl_stamp_t *a, const etcl_stamp_t *b);

/** A version as a number; 0 for a file that is not there, and only then. */
apr_uint64_t etcl_stamp_digest(const etcl_stamp_t *stamp);

/** A path as a number, which is never 0. */
apr_uint64_t etcl_stamp_key(etcl_span_t path);

#endif

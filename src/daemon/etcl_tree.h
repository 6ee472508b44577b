/* The Python sources below some folders, as they are at one moment. Hidden
 * names and __pycache__ are left out; links are followed, each folder once. */

#ifndef ETCL_TREE_H
#define ETCL_TREE_H

#include "etcl.h"

#include <apr_tables.h>

/* What is beyond is not watched. */
#define ETCL_TREE_FILES_MAX 16384
#define ETCL_TREE_FOLDERS_MAX 2048

typedef struct {
    const char *path;
    apr_uint64_t digest; /* of its version: etcl_stamp.h */
} etcl_tree_file_t;

typedef struct {
    apr_pool_t *pool;            /* of all that follows */
    apr_array_header_t *files;   /* etcl_tree_file_t, sorted by path */
    apr_array_header_t *folders; /* const char *, each that was read */
    const char *blocked;         /* a folder that cannot be read; or NULL */
    int blocked_errno;           /* why */
    const char *beyond;          /* the first that is not watched; or NULL */
} etcl_tree_t;

/** An empty tree. APR_SUCCESS, or APR_ENOMEM. */
apr_status_t etcl_tree_create(etcl_tree_t *tree);

void etcl_tree_destroy(etcl_tree_t *tree);

/**
 * Look at the folders of `roots`, which have colons between them, anew.
 *
 * Context  some microseconds a file; nothing is opened but folders
 */
void etcl_tree_scan(etcl_tree_t *tree, const char *roots);

/** A file that is new, gone or another version in `b`; NULL: all is equal. */
const char *etcl_tree_differs(const etcl_tree_t *a, const etcl_tree_t *b);

/** Whether a name in a folder is that of a Python source to be looked at. */
int etcl_tree_is_source(const char *name);

/** Whether a folder of that name is left out. */
int etcl_tree_is_hidden(const char *name);

#endif

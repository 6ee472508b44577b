/* Walks folders breadth first, so that what is left out beyond the limits is
 * what lies deepest. When to look, and what follows from a change, is
 * etcl_sources.c's. */

#include "etcl_tree.h"
#include "etcl_stamp.h"

#include <apr_strings.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder to be read. */
typedef struct {
    const char *path;
    int is_root;
} visit_t;

/* What a folder is, whatever link leads to it. */
typedef struct {
    dev_t device;
    ino_t inode;
} identity_t;

typedef struct {
    etcl_tree_t *tree;
    apr_array_header_t *visits; /* visit_t */
    apr_array_header_t *seen;   /* identity_t */
} walk_t;

apr_status_t etcl_tree_create(etcl_tree_t *tree)
{
    *tree = (etcl_tree_t){ .pool = NULL };
    if (apr_pool_create(&tree->pool, NULL) != APR_SUCCESS) {
        return APR_ENOMEM;
    }
    tree->files = apr_array_make(tree->pool, 0, sizeof(etcl_tree_file_t));
    tree->folders = apr_array_make(tree->pool, 0, sizeof(const char *));
    return APR_SUCCESS;
}

void etcl_tree_destroy(etcl_tree_t *tree)
{
    if (tree->pool) {
        apr_pool_destroy(tree->pool);
    }
    tree->pool = NULL;
}

int etcl_tree_is_source(const char *name)
{
    size_t len = strlen(name);

    return name[0] != '.' && len > 3 && !strcmp(name + len - 3, ".py");
}

int etcl_tree_is_hidden(const char *name)
{
    return name[0] == '.' || !strcmp(name, "__pycache__");
}

static void add_visit(walk_t *walk, const char *path, int is_root)
{
    if (walk->visits->nelts >= ETCL_TREE_FOLDERS_MAX) {
        walk->tree->beyond = walk->tree->beyond ? walk->tree->beyond : path;
        return;
    }
    *(visit_t *)apr_array_push(walk->visits) = (visit_t){ path, is_root };
}

static void add_file(walk_t *walk, const char *path, const struct stat *found)
{
    etcl_tree_t *tree = walk->tree;
    const etcl_stamp_t stamp = etcl_stamp_from(found);

    if (tree->files->nelts >= ETCL_TREE_FILES_MAX) {
        tree->beyond = tree->beyond ? tree->beyond : path;
        return;
    }
    *(etcl_tree_file_t *)apr_array_push(tree->files) =
        (etcl_tree_file_t){ path, etcl_stamp_digest(&stamp) };
}

static int is_of_interest(const struct dirent *entry)
{
    return !etcl_tree_is_hidden(entry->d_name) &&
           (entry->d_type == DT_DIR || entry->d_type == DT_LNK ||
            entry->d_type == DT_UNKNOWN || etcl_tree_is_source(entry->d_name));
}

/* An entry that has gone in between is simply gone. */
static void add_entry(walk_t *walk, const char *folder, int fd,
                      const char *name)
{
    apr_pool_t *pool = walk->tree->pool;
    struct stat found;

    if (fstatat(fd, name, &found, 0)) {
        return;
    }
    if (S_ISDIR(found.st_mode)) {
        add_visit(walk, apr_pstrcat(pool, folder, "/", name, NULL), 0);
    } else if (S_ISREG(found.st_mode) && etcl_tree_is_source(name)) {
        add_file(walk, apr_pstrcat(pool, folder, "/", name, NULL), &found);
    }
}

/* Whether this folder is met for the first time. */
static int is_new(walk_t *walk, int fd)
{
    const identity_t *seen;
    struct stat found;
    int i;

    if (fstat(fd, &found)) {
        return 0;
    }
    seen = (const identity_t *)(void *)walk->seen->elts;
    for (i = 0; i < walk->seen->nelts; i++) {
        if (seen[i].inode == found.st_ino && seen[i].device == found.st_dev) {
            return 0;
        }
    }
    *(identity_t *)apr_array_push(walk->seen) =
        (identity_t){ found.st_dev, found.st_ino };
    return 1;
}

static void read_folder(walk_t *walk, const char *path, DIR *folder)
{
    const struct dirent *entry;

    *(const char **)apr_array_push(walk->tree->folders) = path;
    while ((entry = readdir(folder))) {
        if (is_of_interest(entry)) {
            add_entry(walk, path, dirfd(folder), entry->d_name);
        }
    }
}

/* A folder that has gone since its parent was read is nobody's error. */
static void note_blocked(etcl_tree_t *tree, const visit_t *visit, int error)
{
    if (!tree->blocked && (visit->is_root || error != ENOENT)) {
        tree->blocked = visit->path;
        tree->blocked_errno = error;
    }
}

static void visit_folder(walk_t *walk, const visit_t *visit)
{
    int fd = open(visit->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

    if (!folder) {
        note_blocked(walk->tree, visit, errno);
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    if (is_new(walk, fd)) {
        read_folder(walk, visit->path, folder);
    }
    closedir(folder);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const etcl_tree_file_t *)a)->path,
                  ((const etcl_tree_file_t *)b)->path);
}

static void add_roots(walk_t *walk, const char *roots)
{
    char *copy = apr_pstrdup(walk->tree->pool, roots), *rest, *root;

    for (root = apr_strtok(copy, ":", &rest); root;
         root = apr_strtok(NULL, ":", &rest)) {
        add_visit(walk, root, 1);
    }
}

void etcl_tree_scan(etcl_tree_t *tree, const char *roots)
{
    apr_pool_t *pool = tree->pool;
    walk_t walk = { .tree = tree };
    visit_t visit;
    int i;

    apr_pool_clear(pool);
    *tree = (etcl_tree_t){ .pool = pool };
    tree->files = apr_array_make(pool, 256, sizeof(etcl_tree_file_t));
    tree->folders = apr_array_make(pool, 64, sizeof(const char *));
    walk.visits = apr_array_make(pool, 64, sizeof(visit_t));
    walk.seen = apr_array_make(pool, 64, sizeof(identity_t));
    add_roots(&walk, roots);
    for (i = 0; i < walk.visits->nelts; i++) {
        visit = APR_ARRAY_IDX(walk.visits, i, visit_t);
        visit_folder(&walk, &visit);
    }
    qsort(tree->files->elts, (size_t)tree->files->nelts,
          sizeof(etcl_tree_file_t), compare_paths);
}

const char *etcl_tree_differs(const etcl_tree_t *a, const etcl_tree_t *b)
{
    const etcl_tree_file_t *old = (const void *)a->files->elts;
    const etcl_tree_file_t *old_end = old + a->files->nelts;
    const etcl_tree_file_t *new = (const void *)b->files->elts;
    const etcl_tree_file_t *new_end = new + b->files->nelts;
    int order;

    for (; old < old_end && new < new_end; old++, new ++) {
        order = strcmp(old->path, new->path);
        if (order || old->digest != new->digest) {
            return order < 0 ? old->path : new->path;
        }
    }
    if (old < old_end) {
        return old->path;
    }
    return new < new_end ? new->path : NULL;
}

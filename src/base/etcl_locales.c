/* Reads the names of installed locales: a folder for each, and the archive
 * that locale-gen writes. Anything that looks odd is left out. */

#include "etcl_locales.h"

#include <apr_strings.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/usr/lib/locale"
#define ARCHIVE FOLDER "/locale-archive"
#define LIST_MAX 600

/* glibc's locale/locarchive.h: the head of the archive and an entry of its
 * table of names. */
#define ARCHIVE_MAGIC 0xde020109u

typedef struct {
    apr_uint32_t magic;
    apr_uint32_t serial;
    apr_uint32_t names_offset;
    apr_uint32_t names_used;
    apr_uint32_t names_size;
} archive_head_t;

typedef struct {
    apr_uint32_t hash;
    apr_uint32_t name_offset;
    apr_uint32_t record_offset;
} archive_name_t;

static const char *append(apr_pool_t *pool, const char *list, const char *name)
{
    if (strlen(list) > LIST_MAX) {
        return list;
    }
    return apr_pstrcat(pool, list, ", ", name,
                       strlen(list) + strlen(name) + 2 > LIST_MAX ? ", …" : "",
                       NULL);
}

static const char *add_folders(apr_pool_t *pool, const char *list)
{
    DIR *folder = opendir(FOLDER);
    struct dirent *entry;

    if (!folder) {
        return list;
    }
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] != '.' && entry->d_type == DT_DIR) {
            list = append(pool, list, entry->d_name);
        }
    }
    closedir(folder);
    return list;
}

/* The name of an entry, or NULL when it is empty or not inside `map`. */
static const char *get_name(etcl_span_t map, const archive_name_t *entry)
{
    apr_size_t at = entry->name_offset;

    if (!entry->record_offset || at >= map.len ||
        !memchr(map.ptr + at, '\0', map.len - at)) {
        return NULL;
    }
    return map.ptr + at;
}

static const char *add_names(apr_pool_t *pool, const char *list,
                             etcl_span_t map)
{
    archive_head_t head;
    archive_name_t entry;
    const char *name;
    apr_size_t i, at;

    if (map.len < sizeof(head)) {
        return list;
    }
    memcpy(&head, map.ptr, sizeof(head));
    for (i = 0; head.magic == ARCHIVE_MAGIC && i < head.names_size; i++) {
        at = head.names_offset + i * sizeof(entry);
        if (at > map.len - sizeof(entry)) {
            break;
        }
        memcpy(&entry, map.ptr + at, sizeof(entry));
        name = get_name(map, &entry);
        list = name ? append(pool, list, name) : list;
    }
    return list;
}

static const char *add_archive(apr_pool_t *pool, const char *list)
{
    int fd = open(ARCHIVE, O_RDONLY | O_CLOEXEC);
    struct stat found;
    void *bytes;

    if (fd < 0) {
        return list;
    }
    if (!fstat(fd, &found) && found.st_size > 0) {
        bytes =
            mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            list = add_names(pool, list,
                             (etcl_span_t){ bytes, (size_t)found.st_size });
            munmap(bytes, (size_t)found.st_size);
        }
    }
    close(fd);
    return list;
}

const char *etcl_locales_list(apr_pool_t *pool)
{
    return add_archive(pool, add_folders(pool, "C, POSIX"));
}

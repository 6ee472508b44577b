/* Looks at a file's inode and nothing else. Its change time is left out: a
 * chmod is no new code. */

#include "etcl_stamp.h"

/* FNV-1a, 64 bits. */
#define BASIS APR_UINT64_C(14695981039346656037)
#define PRIME APR_UINT64_C(1099511628211)

etcl_stamp_t etcl_stamp_from(const struct stat *found)
{
    return (etcl_stamp_t){
        .mtime_ns = (apr_int64_t)found->st_mtim.tv_sec * 1000000000 +
                    found->st_mtim.tv_nsec,
        .size = found->st_size,
        .inode = found->st_ino,
    };
}

etcl_stamp_t etcl_stamp_of(const char *path)
{
    struct stat found;

    if (stat(path, &found)) {
        return (etcl_stamp_t){ .mtime_ns = -1 };
    }
    return etcl_stamp_from(&found);
}

int etcl_stamp_same(const etcl_stamp_t *a, const etcl_stamp_t *b)
{
    return a->mtime_ns == b->mtime_ns && a->size == b->size &&
           a->inode == b->inode;
}

static apr_uint64_t add_bytes(apr_uint64_t sum, const void *bytes,
                              apr_size_t len)
{
    const unsigned char *at = bytes;

    while (len--) {
        sum = (sum ^ *at++) * PRIME;
    }
    return sum;
}

apr_uint64_t etcl_stamp_digest(const etcl_stamp_t *stamp)
{
    apr_uint64_t sum = BASIS;

    if (stamp->mtime_ns < 0) {
        return 0;
    }
    sum = add_bytes(sum, &stamp->mtime_ns, sizeof(stamp->mtime_ns));
    sum = add_bytes(sum, &stamp->size, sizeof(stamp->size));
    sum = add_bytes(sum, &stamp->inode, sizeof(stamp->inode));
    return sum ? sum : 1;
}

apr_uint64_t etcl_stamp_key(etcl_span_t path)
{
    apr_uint64_t sum = add_bytes(BASIS, path.ptr, path.len);

    return sum ? sum : 1;
}

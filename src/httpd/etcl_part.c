/* Descriptors into file buckets: closed with the request, never mapped. Who
 * may send which file was decided before. */

#include "etcl_part.h"

#include <apr_portable.h>
#include <fcntl.h>
#include <http_core.h>
#include <sys/stat.h>
#include <unistd.h>

int etcl_part_is_memory(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && seals & F_SEAL_WRITE;
}

int etcl_part_is_in(int fd, apr_int64_t offset, apr_int64_t len)
{
    struct stat info;

    return !fstat(fd, &info) && S_ISREG(info.st_mode) && offset >= 0 &&
           len >= 0 && offset <= (apr_int64_t)info.st_size &&
           len <= (apr_int64_t)info.st_size - offset;
}

/* A file in memory may always be sent by the kernel; one on a disk, or on a
 * network, where EnableSendfile says so. */
static int may_sendfile(const request_rec *r, int fd)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    return etcl_part_is_memory(fd) ||
           core->enable_sendfile == ENABLE_SENDFILE_ON;
}

/* What apr_os_file_put() makes is closed by nobody; its duplicate is. */
static apr_status_t own_file(request_rec *r, int fd, apr_file_t **out)
{
    apr_int32_t flags = APR_FOPEN_READ;
    apr_file_t *lent;
    apr_status_t rv;

    if (may_sendfile(r, fd)) {
        flags |= APR_FOPEN_SENDFILE_ENABLED;
    }
    apr_os_file_put(&lent, &fd, flags, r->pool);
    rv = apr_file_dup(out, lent, r->pool);
    close(fd);
    return rv;
}

apr_status_t etcl_part_append(request_rec *r, apr_bucket_brigade *bb, int fd,
                              apr_off_t offset, apr_off_t len)
{
    apr_file_t *file;
    apr_bucket *b;
    apr_status_t rv = own_file(r, fd, &file);

    if (rv) {
        return rv;
    }
    b = apr_brigade_insert_file(bb, file, offset, len, r->pool);
    for (; b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_PREV(b)) {
        if (!APR_BUCKET_IS_FILE(b)) {
            break;
        }
        apr_bucket_file_enable_mmap(b, 0);
    }
    return APR_SUCCESS;
}

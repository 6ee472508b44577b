/* Memory files that are written once, and sealed. Which bytes they hold, and
 * for whom, is the business of both ends of a link. */

#include "etcl_spill.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int etcl_spill_open(void)
{
    return memfd_create("etcl-block", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

apr_status_t etcl_spill_add(int fd, etcl_span_t bytes)
{
    ssize_t written;

    while (bytes.len) {
        written = write(fd, bytes.ptr, bytes.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written ? errno : ENOSPC;
        }
        bytes.ptr += written;
        bytes.len -= (apr_size_t)written;
    }
    return APR_SUCCESS;
}

apr_status_t etcl_spill_seal(int fd)
{
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

    return fcntl(fd, F_ADD_SEALS, seals) ? errno : APR_SUCCESS;
}

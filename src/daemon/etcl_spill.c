/* Makes a memfd of a block and seals it, so that whoever gets it can rely on
 * its size and content. */

#include "etcl_spill.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_all(int fd, etcl_span_t block)
{
    ssize_t written;

    while (block.len) {
        written = write(fd, block.ptr, block.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return 0;
        }
        block.ptr += written;
        block.len -= (apr_size_t)written;
    }
    return 1;
}

int etcl_spill_create(etcl_span_t block)
{
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    int fd = memfd_create("etcl-block", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) {
        return -1;
    }
    if (!write_all(fd, block) || fcntl(fd, F_ADD_SEALS, seals)) {
        close(fd);
        return -1;
    }
    return fd;
}

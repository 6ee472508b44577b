/* A descriptor is known by the inode behind it. Nothing is closed here, and
 * nobody is told. */

#include "etcl_mark.h"

etcl_mark_t etcl_mark_take(int fd)
{
    etcl_mark_t mark = { .fd = -1 };
    struct stat found;

    if (!fstat(fd, &found)) {
        mark = (etcl_mark_t){ fd, found.st_dev, found.st_ino };
    }
    return mark;
}

int etcl_mark_holds(const etcl_mark_t *mark)
{
    struct stat found;

    return mark->fd >= 0 && !fstat(mark->fd, &found) &&
           found.st_dev == mark->device && found.st_ino == mark->inode;
}

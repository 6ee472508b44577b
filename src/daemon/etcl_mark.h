/* Whether a descriptor is still what it was. An application can close any
 * number, as programs do that turn into daemons, and its next file or socket
 * then gets that number. */

#ifndef ETCL_MARK_H
#define ETCL_MARK_H

#include <sys/stat.h>

typedef struct {
    int fd;
    dev_t device;
    ino_t inode;
} etcl_mark_t;

/** Remember what `fd` is: a pipe or a socket; others have no number of their
 *  own. */
etcl_mark_t etcl_mark_take(int fd);

/** 1 while the descriptor is the same. One system call. */
int etcl_mark_holds(const etcl_mark_t *mark);

#endif

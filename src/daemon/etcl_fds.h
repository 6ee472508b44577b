/* The descriptors of a process of a group: its own, and no other. */

#ifndef ETCL_FDS_H
#define ETCL_FDS_H

#include <stddef.h>

/**
 * Let 1 and 2, which the application's programs inherit, be copies of these.
 *
 * Returns  0: errno says why not
 */
int etcl_fds_print(int out_fd, int err_fd);

/** Close all above 2 that are not among these; -1 is none, and `keep` is
 *  put in order. */
void etcl_fds_keep(int *keep, size_t count);

#endif

/* Closes what came along through a fork of the supervisor: other slots'
 * listeners, the lifeline, its own descriptors. A process that held them would
 * keep them alive. */

#include "etcl_fds.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define ABOVE_STANDARD 3

int etcl_fds_print(int out_fd, int err_fd)
{
    return dup2(out_fd, 1) >= 0 && dup2(err_fd, 2) >= 0;
}

static int compare_fds(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void etcl_fds_keep(int *keep, size_t count)
{
    unsigned int from = ABOVE_STANDARD;
    size_t i;

    qsort(keep, count, sizeof(*keep), compare_fds);
    for (i = 0; i < count; i++) {
        if (keep[i] < ABOVE_STANDARD) {
            continue;
        }
        if ((unsigned int)keep[i] > from) {
            close_range(from, (unsigned int)keep[i] - 1, 0);
        }
        from = (unsigned int)keep[i] + 1;
    }
    close_range(from, UINT_MAX, 0);
}

/* What a loop waits for: descriptors, each with what is to be done when there
 * is something to read. Filled anew for every wait. */

#ifndef ETCL_POLLS_H
#define ETCL_POLLS_H

#include <poll.h>

#define ETCL_POLLS_MAX 6144

typedef void (*etcl_polls_take_t)(void *self, int number);

typedef struct {
    etcl_polls_take_t take; /* NULL: it only ends the wait */
    void *self;             /* borrowed */
    int number;
} etcl_polls_who_t;

typedef struct {
    int count;
    struct pollfd fds[ETCL_POLLS_MAX];
    etcl_polls_who_t who[ETCL_POLLS_MAX]; /* of each of `fds` */
} etcl_polls_t;

/** Nothing to wait for. */
void etcl_polls_clear(etcl_polls_t *polls);

/** Wait for `fd`, too; with -1, or when there is no room, it is left out. */
void etcl_polls_add(etcl_polls_t *polls, int fd, etcl_polls_who_t who);

/**
 * Wait until something can be read or `wait_ms` are over, and have it taken,
 * in the order in which it was added.
 *
 * Context  what is taken may close what is to be taken after it: whoever takes
 *          looks whether it is there still
 */
void etcl_polls_wait(etcl_polls_t *polls, int wait_ms);

#endif

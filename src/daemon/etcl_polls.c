/* A poll set whose places need no names. It knows nothing of what is behind a
 * descriptor, and closes none. */

#include "etcl_polls.h"

void etcl_polls_clear(etcl_polls_t *polls)
{
    polls->count = 0;
}

void etcl_polls_add(etcl_polls_t *polls, int fd, etcl_polls_who_t who)
{
    if (fd < 0 || polls->count == ETCL_POLLS_MAX) {
        return;
    }
    polls->fds[polls->count] = (struct pollfd){ .fd = fd, .events = POLLIN };
    polls->who[polls->count] = who;
    polls->count++;
}

void etcl_polls_wait(etcl_polls_t *polls, int wait_ms)
{
    const etcl_polls_who_t *who = polls->who;
    int i;

    if (poll(polls->fds, (nfds_t)polls->count, wait_ms) <= 0) {
        return;
    }
    for (i = 0; i < polls->count; i++, who++) {
        if (polls->fds[i].revents && who->take) {
            who->take(who->self, who->number);
        }
    }
}

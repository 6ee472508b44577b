/* Everything that is done without the GIL. The only room that releases it. */

#ifndef ETCL_OUTSIDE_H
#define ETCL_OUTSIDE_H

#include "etcl_turn.h"

/** Give the GIL back at the end of a request. */
void etcl_outside_leave(void);

/** Lock a mutex; the GIL is released only when it has to wait. */
void etcl_outside_lock(pthread_mutex_t *mutex);

/**
 * Write to a descriptor, all of it.
 *
 * Returns  0, or errno
 */
int etcl_outside_put(int fd, etcl_span_t text);

/*
 * The exchange's functions. Each waits for the guard of the turn, so that an
 * application may use threads.
 *
 * Context  GIL held; released while the function may block.
 * Returns  as in etcl_exchange.h; the first error is kept in turn->broken and
 *          returned again without asking. ETCL_EDENIED: the turn is over.
 */
apr_status_t etcl_outside_read(etcl_turn_t *turn, char *into, apr_size_t max,
                               int whole, apr_size_t *got);
apr_status_t etcl_outside_begin(etcl_turn_t *turn, const etcl_head_t *head);

/**
 * Whether the client has gone, or nothing can reach it any more: 1 or 0; 0
 * too while another thread is inside the exchange and finds out by itself. -1:
 * the turn is over.
 */
int etcl_outside_gone(etcl_turn_t *turn);

/** Tries without blocking, and with the GIL, first. */
apr_status_t etcl_outside_write(etcl_turn_t *turn, etcl_span_t block,
                                unsigned int how);
apr_status_t etcl_outside_send_file(etcl_turn_t *turn, int fd,
                                    apr_int64_t offset, apr_int64_t len);

#endif

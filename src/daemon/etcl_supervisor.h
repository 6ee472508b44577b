/* The supervisor of a group: keeps its workers alive until nobody can send
 * requests any more, or Apache stops. */

#ifndef ETCL_SUPERVISOR_H
#define ETCL_SUPERVISOR_H

#include "etcl_handover.h"

/**
 * Supervise until the end of the group.
 *
 * Context  the group's user; one thread
 * Returns  the exit status (etcl_daemon.h)
 */
int etcl_supervisor_run(const etcl_handover_t *handover);

#endif

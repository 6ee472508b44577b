/* Apache's end of the wire: a request answered by a worker. */

#ifndef ETCL_REMOTE_H
#define ETCL_REMOTE_H

#include "etcl_body.h"
#include "etcl_route.h"

/**
 * Answer a request in its daemon process group.
 *
 * Returns  OK: the response was given, whole or visibly broken off; or the
 *          status to answer, with what happened in the log
 * Context  a request thread; blocks
 */
int etcl_remote_answer(request_rec *r, const etcl_route_t *route,
                       etcl_body_t *body);

#endif

/* A request answered by Python in this Apache process. */

#ifndef ETCL_INSIDE_H
#define ETCL_INSIDE_H

#include "etcl_body.h"
#include "etcl_route.h"

/**
 * Answer a request in embedded mode.
 *
 * Returns  OK: the response was given, whole or visibly broken off; or the
 *          status to answer, with what happened in the log
 * Context  a request thread; blocks
 */
int etcl_inside_answer(request_rec *r, const etcl_route_t *route,
                       etcl_body_t *body);

#endif

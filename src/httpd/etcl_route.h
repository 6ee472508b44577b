/* Which group, interpreter and callable answer a request. */

#ifndef ETCL_ROUTE_H
#define ETCL_ROUTE_H

#include "etcl_alias.h"
#include "etcl_config.h"

typedef struct {
    etcl_member_t *member; /* NULL: embedded */
    const char *app_group; /* "" is the main interpreter */
    const char *callable;
    const char *script;     /* as the group sees it */
    int pass_authorization; /* 1, 0; -1: unless Apache authenticated */
    int reload;
} etcl_route_t;

/**
 * Resolve the route: the option of the alias, then the directory's setting,
 * then the server's, then the default.
 *
 * Owns     texts live in r->pool or in the configuration
 * Returns  OK, or the status to answer: what is wrong was logged
 */
int etcl_route_find(request_rec *r, etcl_route_t *out);

#endif

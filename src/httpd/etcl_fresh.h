/* reload=wait: a request that comes after its script has changed waits for
 * workers that have the new code. */

#ifndef ETCL_FRESH_H
#define ETCL_FRESH_H

#include "etcl_live.h"
#include "etcl_route.h"

/* What a request wants of its group's code. */
typedef struct {
    const char *path;     /* of the script; NULL: any code will do */
    apr_uint64_t script;  /* the same, as in the roster */
    apr_int64_t until_us; /* then any code will do */
} etcl_fresh_t;

/** What a request on this route wants, as it arrives. */
etcl_fresh_t etcl_fresh_wish(const etcl_route_t *route);

/**
 * Whether the workers of `live` have the code that the script holds at this
 * moment, or none is wanted. When the time for it has passed, this says so in
 * the log, and any code will do from then on.
 */
int etcl_fresh_is_served(request_rec *r, const etcl_live_t *live,
                         etcl_fresh_t *fresh);

#endif

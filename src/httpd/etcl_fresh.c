/* Compares the script's file with what a group's supervisor says of it in the
 * roster. The file is looked at each time: it may change while a request
 * waits. */

#include "etcl_fresh.h"
#include "etcl_clock.h"
#include "etcl_stamp.h"

etcl_fresh_t etcl_fresh_wish(const etcl_route_t *route)
{
    const etcl_live_t *live = route->member->live;

    if (!live->reload_us || !route->reload) {
        return (etcl_fresh_t){ .path = NULL };
    }
    return (etcl_fresh_t){ .path = route->target,
                           .script = etcl_stamp_key(etcl_span(route->script)),
                           .until_us = etcl_clock_us() + live->reload_us };
}

int etcl_fresh_is_served(request_rec *r, const etcl_live_t *live,
                         etcl_fresh_t *fresh)
{
    etcl_stamp_t stamp;

    if (!fresh->path) {
        return 1;
    }
    stamp = etcl_stamp_of(fresh->path);
    if (etcl_roster_has_code(live->roster, fresh->script,
                             etcl_stamp_digest(&stamp))) {
        return 1;
    }
    if (etcl_clock_us() < fresh->until_us) {
        return 0;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "ETCL0200: new code of group %s was not ready within %d s; "
                  "%s %s is answered by the code that is there",
                  live->name, (int)(live->reload_us / APR_USEC_PER_SEC),
                  r->method, r->uri);
    fresh->path = NULL;
    return 1;
}

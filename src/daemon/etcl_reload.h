/* What tells a supervisor that there is new code: the scripts that workers
 * load, and the folders of reload-watch=. Tells Apache's children in turn, by
 * way of the roster, which version of each script is served. */

#ifndef ETCL_RELOAD_H
#define ETCL_RELOAD_H

#include "etcl_handover.h"
#include "etcl_note.h"
#include "etcl_sources.h"
#include "etcl_watch.h"

typedef struct {
    etcl_roster_t *roster;
    etcl_watch_t *watch;     /* NULL: scripts are not reloaded */
    etcl_sources_t *sources; /* NULL: no folders are watched */
    const char *script;      /* it has changed; told with the folders */
} etcl_reload_t;

/** Watch from now on what the options of a group say; before its first worker
 *  starts, so that what is there is what workers load. */
void etcl_reload_init(etcl_reload_t *reload, const etcl_handover_t *handover);

/** A worker says LOADED or KEPT. */
void etcl_reload_take(etcl_reload_t *reload, const etcl_note_t *note);

/**
 * Look, where it is time to.
 *
 * Returns  the path of a file that has changed, or NULL; all that has changed
 *          by then is one change
 */
const char *etcl_reload_poll(etcl_reload_t *reload, apr_int64_t now_us);

/** Tell the children; `settled`: etcl_policy_is_settled(). */
void etcl_reload_publish(const etcl_reload_t *reload, int settled);

/** Nothing is reloaded any more: another generation does it. */
void etcl_reload_stop(etcl_reload_t *reload);

/** When to poll again, 0: never; and what can be read when that is sooner. */
apr_int64_t etcl_reload_next_us(const etcl_reload_t *reload);
int etcl_reload_fd(const etcl_reload_t *reload);

#endif

/* reload-watch=: says when Python sources below some folders have changed, and
 * have rested since. The kernel's notices make it quick; a look now and then
 * makes it sure, on network file systems for example. */

#ifndef ETCL_SOURCES_H
#define ETCL_SOURCES_H

#include "etcl.h"

#define ETCL_SOURCES_REST_US 100000  /* no change for so long is a rest */
#define ETCL_SOURCES_MOST_US 2000000 /* a change is not held back longer */
#define ETCL_SOURCES_SURE_US 5000000 /* between looks that nothing asks for */
#define ETCL_SOURCES_LOOK_US 500000  /* the same, without the kernel's help */

typedef struct etcl_sources_t etcl_sources_t;

/**
 * Watch the folders of `roots`, from what is there now.
 *
 * Owns     `roots` and `group`, the name for the log, are borrowed for ever
 * Returns  NULL: no memory
 */
etcl_sources_t *etcl_sources_create(const char *roots, const char *group);
void etcl_sources_destroy(etcl_sources_t *sources);

/**
 * Look, when there is a reason to.
 *
 * Returns  the path of a file that has changed, once for a burst of changes;
 *          valid until the next call; or NULL
 */
const char *etcl_sources_poll(etcl_sources_t *sources, apr_int64_t now_us);

/** A change was seen that poll has not told yet. */
int etcl_sources_is_moving(const etcl_sources_t *sources);

/** What is there now is what is loaded from now on. */
void etcl_sources_accept(etcl_sources_t *sources);

/** When to poll again, and what can be read when that is sooner; -1: none. */
apr_int64_t etcl_sources_next_us(const etcl_sources_t *sources);
int etcl_sources_fd(const etcl_sources_t *sources);

#endif

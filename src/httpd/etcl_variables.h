/* Environment variables of a group: env= and environment-file=. */

#ifndef ETCL_VARIABLES_H
#define ETCL_VARIABLES_H

#include "etcl_group.h"
#include "etcl_httpd.h"

/**
 * Put what environment-file= holds in front of what env= says, which thereby
 * wins. Read by the Apache parent, so that root alone need be able to.
 *
 * Returns  NULL, or what is wrong, with the remedy
 */
const char *etcl_variables_read(etcl_group_t *group, apr_pool_t *pool);

/** The value of an option as it may be shown: of env= only the name. */
const char *etcl_variables_hide(const char *option, const char *value,
                                apr_pool_t *pool);

#endif

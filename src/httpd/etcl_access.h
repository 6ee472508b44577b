/* Whether anybody may ask for a script, as far as that can be read from the
 * configuration. */

#ifndef ETCL_ACCESS_H
#define ETCL_ACCESS_H

#include "etcl_config.h"

/**
 * Look for the rule that denies `path` to everybody, where no other rule could
 * have a say in it.
 *
 * Returns  1 and *where, the line of that `Require all denied`; 0 when there
 *          is none, or when it is not certain
 * Context  configtest: httpd's tree of directives is read
 */
int etcl_access_is_denied(const char *path, apr_pool_t *pool,
                          etcl_place_t *where);

#endif

/* configtest that knows Python. */

#ifndef ETCL_CHECK_H
#define ETCL_CHECK_H

#include "etcl_httpd.h"

/**
 * Hook check_config: what is wrong with groups, scripts, paths and locales,
 * each with file, line, cause and remedy.
 *
 * Returns  OK, or HTTP_INTERNAL_SERVER_ERROR when Apache must not start
 */
int etcl_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *server);

#endif

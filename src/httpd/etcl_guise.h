/* <IfModule mod_wsgi.c> and <IfModule wsgi_module> in configurations that
 * were written for mod_wsgi. */

#ifndef ETCL_GUISE_H
#define ETCL_GUISE_H

#include "etcl_httpd.h"

/**
 * Let httpd know an empty module by mod_wsgi's names, for as long as `pool`
 * lives.
 *
 * Context  while the hooks of this module are registered
 */
void etcl_guise_put_on(apr_pool_t *pool);

/** Whether the real mod_wsgi is loaded. */
int etcl_guise_is_doubled(void);

#endif

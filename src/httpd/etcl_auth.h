/* Authentication and access by Python: the provider "wsgi" of AuthBasicProvider
 * and AuthDigestProvider, "Require wsgi-group", and WSGIAccessScript. */

#ifndef ETCL_AUTH_H
#define ETCL_AUTH_H

#include "etcl_httpd.h"

/** Register the providers; of the module's register_hooks. */
void etcl_auth_offer(apr_pool_t *pool);

/** Hook check_access: WSGIAccessScript. */
int etcl_auth_check_access(request_rec *r);

#endif

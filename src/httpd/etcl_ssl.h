/* What mod_ssl says of a connection, for auth, access and dispatch scripts. */

#ifndef ETCL_SSL_H
#define ETCL_SSL_H

#include "etcl_httpd.h"

/** Whether mod_ssl is in this server. */
int etcl_ssl_is_here(void);

/**
 * The next variable of a TLS connection that has a value, by mod_ssl's name.
 *
 * Shape    begin with *at = 0; the order is fixed
 * Owns     `*value` is in r->pool
 * Returns  the name, static; NULL when there are no more
 */
const char *etcl_ssl_next(request_rec *r, int *at, const char **value);

#endif

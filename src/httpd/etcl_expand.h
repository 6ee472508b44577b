/* The variables %{GLOBAL} %{SERVER} %{HOST} %{RESOURCE} %{ENV:name}. A
 * variable is the whole value; text around it is not looked at, and what is
 * no variable stays as it is. */

#ifndef ETCL_EXPAND_H
#define ETCL_EXPAND_H

#include "etcl_httpd.h"

/** A process group or an application group of a request. */
const char *etcl_expand_group(request_rec *r, const char *value);

/** An application group of a script beside the application: only what does
 *  not depend on the script, %{GLOBAL}, %{SERVER} and %{HOST}. */
const char *etcl_expand_fixed(request_rec *r, const char *value);

/** The name of a callable: only %{ENV:name}; any other variable, and an empty
 *  result, is "application". */
const char *etcl_expand_callable(request_rec *r, const char *value);

/**
 * The same without a request, for what is loaded ahead. `mount` is the script
 * name for %{RESOURCE}, or NULL.
 *
 * Returns  NULL when the value depends on the request
 */
const char *etcl_expand_early(const server_rec *server, const char *value,
                              const char *mount, apr_pool_t *pool);

/** SCRIPT_NAME: the URL without PATH_INFO, duplicate slashes collapsed. */
const char *etcl_expand_script_name(request_rec *r);

#endif

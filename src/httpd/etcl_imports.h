/* Scripts that are loaded when a process starts, before any request. */

#ifndef ETCL_IMPORTS_H
#define ETCL_IMPORTS_H

#include "etcl_config.h"

/** Function of httpd's command record. */
const char *etcl_setters_import_script(cmd_parms *cmd, void *dir,
                                       const char *args);

/**
 * An alias whose two groups are literal is loaded ahead where they say; the
 * process group must be defined above.
 *
 * Returns  NULL, or what is wrong
 */
const char *etcl_imports_alias(cmd_parms *cmd, const etcl_alias_t *alias);

/**
 * Replace the variables of application groups, and look whether each process
 * group may be used from where the directive stands.
 *
 * Returns  how many may not: logged
 */
int etcl_imports_resolve(server_rec *server, apr_pool_t *pool);

/** Put the scripts of a group in front of `list`, etcl_preload_t. */
void etcl_imports_of(const etcl_member_t *member, apr_array_header_t *list);

#endif

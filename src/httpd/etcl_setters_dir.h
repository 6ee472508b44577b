/* Directives of a directory that are more than a text or a flag. */

#ifndef ETCL_SETTERS_DIR_H
#define ETCL_SETTERS_DIR_H

#include "etcl_config.h"

/* Functions of httpd's command records, as in etcl_setters.h. What they make
 * of the arguments is setting.value, but for AUTO. */

/** Off, On or Auto: setting.flag. */
const char *etcl_setters_dir_AUTO(cmd_parms *cmd, void *dir, const char *arg);

/** file [option=value ...]: etcl_aside_t. */
const char *etcl_setters_dir_SCRIPT(cmd_parms *cmd, void *dir,
                                    const char *args);

/** name file [option=value ...]: apr_hash_t of etcl_aside_t; adds up. */
const char *etcl_setters_dir_HANDLER(cmd_parms *cmd, void *dir,
                                     const char *args);

/** Names of headers: apr_array_header_t of const char *, '-' for '_'; adds up
 *  within a section. */
const char *etcl_setters_dir_HEADERS(cmd_parms *cmd, void *dir,
                                     const char *arg);

/** Addresses: apr_array_header_t of etcl_proxy_net_t; adds up likewise. */
const char *etcl_setters_dir_NETS(cmd_parms *cmd, void *dir, const char *arg);

#endif

/* From the text of a directive to the configuration. */

#ifndef ETCL_SETTERS_H
#define ETCL_SETTERS_H

#include "etcl_config.h"

/* Functions of httpd's command records: they return NULL, or what is wrong,
 * to which httpd adds file and line.
 *
 * Context  while the configuration is read; `etcl_setters_dir_*` also while a
 *          request meets a .htaccess file. */

const char *etcl_setters_dir_TEXT(cmd_parms *cmd, void *dir, const char *arg);
const char *etcl_setters_dir_FLAG(cmd_parms *cmd, void *dir, int flag);
const char *etcl_setters_GLOBAL_TEXT(cmd_parms *cmd, void *dir,
                                     const char *arg);
const char *etcl_setters_SERVER_FLAG(cmd_parms *cmd, void *dir, int flag);

const char *etcl_setters_alias(cmd_parms *cmd, void *dir, const char *args);
const char *etcl_setters_alias_match(cmd_parms *cmd, void *dir,
                                     const char *args);
const char *etcl_setters_daemon(cmd_parms *cmd, void *dir, const char *args);

#endif

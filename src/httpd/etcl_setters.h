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
const char *etcl_setters_dir_WORDS(cmd_parms *cmd, void *dir, const char *args);
const char *etcl_setters_GLOBAL_TEXT(cmd_parms *cmd, void *dir,
                                     const char *arg);
const char *etcl_setters_GLOBAL_FLAG(cmd_parms *cmd, void *dir, int flag);
const char *etcl_setters_SERVER_FLAG(cmd_parms *cmd, void *dir, int flag);

const char *etcl_setters_alias(cmd_parms *cmd, void *dir, const char *args);
const char *etcl_setters_alias_match(cmd_parms *cmd, void *dir,
                                     const char *args);
const char *etcl_setters_daemon(cmd_parms *cmd, void *dir, const char *args);

/**
 * Take the next name=value of a line; the value may be in quotes, or all.
 *
 * Returns  NULL, with *name NULL where the line ends; or what is wrong
 */
const char *etcl_setters_option(const cmd_parms *cmd, const char **args,
                                const char **name, const char **value);

/** Where the directive stands. */
etcl_place_t etcl_setters_place(const cmd_parms *cmd);

/** The setting of `dir` that this directive is for. */
etcl_setting_t *etcl_setters_at(void *dir, const cmd_parms *cmd);

/**
 * State a text, which must not be empty. A group is `mention`ed, so that
 * configtest looks for it.
 */
const char *etcl_setters_text(const cmd_parms *cmd, etcl_setting_t *setting,
                              const char *arg);
void etcl_setters_mention(const cmd_parms *cmd, const char *group);

/** The option pass-authorization=. */
const char *etcl_setters_pass(const cmd_parms *cmd, const char *value,
                              etcl_setting_t *out);

#endif

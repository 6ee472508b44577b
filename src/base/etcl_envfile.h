/* Environment variables of a group: `env=NAME=value`, and files in the syntax
 * of systemd's EnvironmentFile=. Pure: reads no file. */

#ifndef ETCL_ENVFILE_H
#define ETCL_ENVFILE_H

#include "etcl.h"

/* Between the variables of a list, which is one text. No value may hold it. */
#define ETCL_ENVFILE_SEP '\x1e'

/**
 * Whether `text` is NAME=value: letters, digits and '_' in the name, no digit
 * first; no ETCL_ENVFILE_SEP in the value.
 */
int etcl_envfile_is_pair(const char *text);

/** Put a pair behind a list, which may be NULL; in `pool`. */
const char *etcl_envfile_add(const char *list, const char *pair,
                             apr_pool_t *pool);

/**
 * Take the next pair out of a list.
 *
 * Owns     *name and *value are copies in `pool`
 * Returns  the rest of the list; NULL when there was no pair
 */
const char *etcl_envfile_next(const char *list, apr_pool_t *pool,
                              const char **name, const char **value);

/**
 * Read the text of a file: NAME=value lines; empty lines and those that begin
 * with '#' or ';' are skipped. A value may stand in single or double quotes,
 * also over several lines; outside single quotes a backslash takes the next
 * byte as it is, and joins lines at the end of one. Blanks around an unquoted
 * value are dropped. Nothing is expanded.
 *
 * Returns  APR_SUCCESS with the list, NULL when it is empty
 *          ETCL_EINVAL; *line is that of the first mistake, from 1
 * Source   systemd.exec(5), EnvironmentFile=
 */
apr_status_t etcl_envfile_parse(etcl_span_t text, apr_pool_t *pool,
                                const char **list, int *line);

#endif

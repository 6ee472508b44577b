/* <WSGIInterpreterOptions>: settings of some interpreters only. */

#ifndef ETCL_RULES_H
#define ETCL_RULES_H

#include "etcl_config.h"

/** Function of httpd's command record: reads the whole section. */
const char *etcl_setters_interpreter_options(cmd_parms *cmd, void *dir,
                                             const char *args);

/**
 * The rules that concern a process group ("" for Apache's children), from
 * the least to the most specific; of equals the later one comes last.
 *
 * Owns     in `pool`, texts in the configuration; NULL when there are none
 */
const etcl_rule_t *etcl_rules_of(const char *process_group, apr_pool_t *pool,
                                 int *count);

#endif

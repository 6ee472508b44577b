/* Directives that tune Python itself, for all processes that run it. */

#ifndef ETCL_TUNING_H
#define ETCL_TUNING_H

#include "etcl_config.h"

/* Functions of httpd's command records, as in etcl_setters.h. */
const char *etcl_tuning_python_optimize(cmd_parms *cmd, void *dir,
                                        const char *arg);
const char *etcl_tuning_python_hash_seed(cmd_parms *cmd, void *dir,
                                         const char *arg);
const char *etcl_tuning_python_warnings(cmd_parms *cmd, void *dir,
                                        const char *arg);
const char *etcl_tuning_switch_interval(cmd_parms *cmd, void *dir,
                                        const char *arg);

/** Seconds above 0; NULL, or what is wrong. */
const char *etcl_tuning_seconds(const cmd_parms *cmd, const char *text,
                                double *out);

/** Fill in what the directives say of Python in an Apache child. */
void etcl_tuning_child(etcl_runtime_config_t *config, apr_pool_t *pool);

/** The same for a daemon process group. */
void etcl_tuning_group(etcl_group_t *group, apr_pool_t *pool);

/** What the application may know of httpd, as the MPM is set up. */
void etcl_tuning_group_mpm(etcl_group_t *group);

/** Of an MPM: AP_MPMQ_*; `unknown` where it has no such thing. */
int etcl_tuning_mpm(int query, int unknown);

#endif

/* Directives that are accepted so that a configuration need not be changed,
 * and have no effect here. */

#ifndef ETCL_OBSOLETE_H
#define ETCL_OBSOLETE_H

#include "etcl_config.h"

/* Functions of httpd's command records, as in etcl_setters.h. */
const char *etcl_tuning_accept_mutex(cmd_parms *cmd, void *dir,
                                     const char *arg);
const char *etcl_tuning_telemetry_service(cmd_parms *cmd, void *dir,
                                          const char *args);
const char *etcl_tuning_telemetry_options(cmd_parms *cmd, void *dir,
                                          const char *args);
const char *etcl_tuning_slow_requests(cmd_parms *cmd, void *dir,
                                      const char *arg);
const char *etcl_setters_dir_REQUEST(cmd_parms *cmd, void *dir, int flag);

/** One line for each kind of them that is there: what it does not do, and
 *  what does that instead. */
void etcl_obsolete_tell(server_rec *server, apr_pool_t *pool);

#endif

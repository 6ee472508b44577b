/* Apache's scoreboard as text, for mod_wsgi.server_metrics(). */

#ifndef ETCL_SCOREBOARD_H
#define ETCL_SCOREBOARD_H

#include "etcl_httpd.h"

/** See etcl_runtime_config_t.scoreboard. */
apr_size_t etcl_scoreboard_write(char *into, apr_size_t max);

#endif

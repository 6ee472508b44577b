/* What an application says during a request, in the log of its host. */

#ifndef ETCL_LOG_H
#define ETCL_LOG_H

#include "etcl_httpd.h"

/** Write a text, one record per line, at `level`, with the request's own
 *  server, client and id. httpd escapes what could forge a line. */
void etcl_log_relay(request_rec *r, etcl_level_t level, etcl_span_t text);

/** The same outside any request, in the log of a server. */
void etcl_log_server(const server_rec *server, etcl_level_t level,
                     etcl_span_t text);

#endif

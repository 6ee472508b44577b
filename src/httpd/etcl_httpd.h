/* What every room of this layer needs of httpd. */

#ifndef ETCL_HTTPD_H
#define ETCL_HTTPD_H

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "etcl.h"

APLOG_USE_MODULE(etcl);

#endif

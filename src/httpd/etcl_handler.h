/* The content handler. */

#ifndef ETCL_HANDLER_H
#define ETCL_HANDLER_H

#include "etcl_httpd.h"

/** Hook handler: requests whose handler is wsgi-script (or, for old
 *  configurations, application/x-httpd-wsgi). */
int etcl_handler_answer(request_rec *r);

#endif

/* WSGIDispatchScript: Python decides where a request goes. */

#ifndef ETCL_DISPATCH_H
#define ETCL_DISPATCH_H

#include "etcl_httpd.h"

/* The callable stays what it was. */
#define ETCL_DISPATCH_KEPT NULL

/* Where a request goes, before variables are replaced. */
typedef struct {
    const char *process_group;
    const char *application_group; /* NULL: the default */
    const char *callable;          /* or ETCL_DISPATCH_KEPT */
} etcl_choice_t;

/**
 * Let the dispatch script of this place, if there is one, change the choice.
 *
 * Returns  OK, or the status to answer: what is wrong was logged
 */
int etcl_dispatch_ask(request_rec *r, etcl_choice_t *choice);

#endif

/* Which group, interpreter and callable answer a request. */

#ifndef ETCL_ROUTE_H
#define ETCL_ROUTE_H

#include "etcl_alias.h"
#include "etcl_config.h"
#include "etcl_question.h"

typedef struct {
    etcl_member_t *member;     /* NULL: embedded */
    etcl_question_t *question; /* instead of the request; or NULL */
    const char *app_group;     /* "" is the main interpreter */
    const char *callable;
    const char *target;     /* the script */
    const char *script;     /* the same as the group sees it */
    int is_handler;         /* it is of a WSGIHandlerScript */
    int pass_authorization; /* 1, 0; -1: unless Apache authenticated */
    int reload;
} etcl_route_t;

/**
 * Resolve the route: the option of the alias, then the directory's setting,
 * then the server's, then the default; what a WSGIDispatchScript says, and
 * the options of a WSGIHandlerScript, come before these.
 *
 * Owns     texts live in r->pool or in the configuration
 * Returns  OK, or the status to answer: what is wrong was logged
 */
int etcl_route_find(request_rec *r, etcl_route_t *out);

/**
 * Enter a group, "" for this process: fills in member and script.
 *
 * Returns  OK, or the status to answer: what is wrong was logged
 */
int etcl_route_enter(request_rec *r, const char *group, etcl_route_t *out);

/** OK when WSGIRestrictProcess lets requests choose this group; else 500, and
 *  it was logged. */
int etcl_route_allow(request_rec *r, const char *group);

/** The script of a WSGIHandlerScript of the request's handler; or NULL. */
const etcl_aside_t *etcl_route_handler(const request_rec *r);

#endif

/* The options script-user and script-group of a group. */

#ifndef ETCL_OWNER_H
#define ETCL_OWNER_H

#include "etcl_config.h"

/**
 * The script and its folder must belong to script-user (and nobody else may
 * write them), or to script-group (and others may not).
 *
 * Returns  OK, also for `member` NULL; HTTP_FORBIDDEN: logged
 */
int etcl_owner_check(request_rec *r, const etcl_member_t *member,
                     const char *script);

#endif

/* What the Apache parent handed over (include/etcl_daemon.h), looked at
 * before anything is believed. */

#ifndef ETCL_HANDOVER_H
#define ETCL_HANDOVER_H

#include "etcl_daemon.h"
#include "etcl_group.h"
#include "etcl_roster.h"

typedef struct {
    etcl_group_t group;
    etcl_roster_t *roster; /* mapped, writable */
    int lifeline_fd;
    int listen_fd; /* of slot 0; those of the others follow */
} etcl_handover_t;

/**
 * Check each descriptor, decode the options, map the roster. Descriptors are
 * close-on-exec afterwards; those of options and roster, and any that was not
 * announced, are closed; 0 and 1 are /dev/null.
 *
 * Owns     texts of the group live in `pool`
 * Returns  APR_SUCCESS, or APR_EGENERAL: it is logged
 */
apr_status_t etcl_handover_take(apr_pool_t *pool, etcl_handover_t *out);

#endif

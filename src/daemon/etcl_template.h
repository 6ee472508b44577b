/* A template: it loads Python and the applications once, and is forked into
 * workers. It answers nothing. */

#ifndef ETCL_TEMPLATE_H
#define ETCL_TEMPLATE_H

#include "etcl_group.h"
#include "etcl_member.h"
#include "etcl_roster.h"

typedef struct {
    const etcl_group_t *group;
    etcl_roster_t *roster;
    etcl_ends_t ends;
} etcl_template_t;

/**
 * Be a template until the end of the process, or in a fork of it a worker.
 *
 * Context  a process just forked from the supervisor; one thread, and it stays
 *          so; the supervisor's signals are blocked
 */
void etcl_template_run(const etcl_template_t *template)
    __attribute__((noreturn));

#endif

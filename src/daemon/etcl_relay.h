/* What the processes of a group print, and the lines of their journals, on
 * their way into the group's log. */

#ifndef ETCL_RELAY_H
#define ETCL_RELAY_H

#include "etcl_member.h"
#include "etcl_polls.h"

#define ETCL_RELAY_ORPHANS 64 /* pipes that outlive their process */

typedef struct {
    /* A program that an application left running may still print. */
    etcl_output_t *orphan[ETCL_RELAY_ORPHANS];
} etcl_relay_t;

/** Wait for what a process prints, and write it. It says its pid: one that is
 *  not born yet is not read. */
void etcl_relay_watch(etcl_member_t *member, etcl_polls_t *polls);

/** The same for pipes whose process has ended. */
void etcl_relay_watch_orphans(etcl_relay_t *relay, etcl_polls_t *polls);

/** A process has ended: write its last words. What others hold of its pipes
 *  is read on; with too many of them the oldest is given up. */
void etcl_relay_drain(etcl_relay_t *relay, etcl_member_t *member);

#endif

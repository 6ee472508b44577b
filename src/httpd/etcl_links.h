/* The kept links of an Apache child to the workers of one group. */

#ifndef ETCL_LINKS_H
#define ETCL_LINKS_H

#include "etcl_board.h"
#include "etcl_link.h"
#include "etcl_live.h"
#include "etcl_message.h"
#include "etcl_view.h"

/* A link and whose it is. */
typedef struct etcl_kept_t {
    etcl_link_t link;
    int slot;
    apr_uint32_t incarnation;
    etcl_view_t view;         /* of the window that came with it */
    struct etcl_kept_t *next; /* of the idle ones of the slot */
} etcl_kept_t;

/** For one child and group; NULL without memory. */
etcl_links_t *etcl_links_create(int slots);

/**
 * A link to the worker that was leased: an idle one, or a new one after HELLO
 * and WELCOME.
 *
 * Owns     *out is the caller's: give_back or drop; `buffer` of
 *          ETCL_PACKET_MAX bytes is used meanwhile
 * Returns  APR_SUCCESS; ETCL_EREFUSED: this worker does not take calls, ask
 *          another; APR_TIMEUP: it did not answer within connect-timeout;
 *          ETCL_EDENIED, ETCL_EPROTO, errno: it is not what it should be
 */
apr_status_t etcl_links_borrow(etcl_live_t *live, const etcl_lease_t *lease,
                               char *buffer, etcl_kept_t **out);

/** The call ended cleanly: keep the link. */
void etcl_links_give_back(etcl_live_t *live, etcl_kept_t *kept);

/** Close all that are idle. Any thread. */
void etcl_links_clear(etcl_links_t *links);

/** Close it. */
void etcl_links_drop(etcl_kept_t *kept);

#endif

/* What a worker gets of the request's body when it asks: in packets, or laid
 * in the tray of the link. */

#ifndef ETCL_FEED_H
#define ETCL_FEED_H

#include "etcl_talk.h"

/**
 * Answer a PULL: all packets that belong to it.
 *
 * Context  talk->desk->out is used; talk->body_sent is set with the end
 * Returns  as etcl_link_send; a body that breaks off is told to the worker
 *          and is no error
 */
apr_status_t etcl_feed_answer(etcl_talk_t *talk, const etcl_pull_t *pull);

#endif

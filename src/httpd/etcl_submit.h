/* The first words of a conversation. */

#ifndef ETCL_SUBMIT_H
#define ETCL_SUBMIT_H

#include "etcl_talk.h"

/**
 * Send the call that lies in the desk, under the link's next serial, and the
 * body behind it, if that is there.
 *
 * Returns  APR_SUCCESS; errno: the worker has not begun it
 */
apr_status_t etcl_submit_call(etcl_talk_t *talk);

#endif

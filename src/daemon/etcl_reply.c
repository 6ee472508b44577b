/* The life of an answer: begun, given block by block in other rooms of the
 * exchange, and ended. A small one leaves as a single packet with HEAD, DATA
 * and END; nothing is allocated for it. */

#include "etcl_reply.h"
#include "etcl_alive.h"
#include "etcl_blocks.h"
#include "etcl_entry.h"
#include "etcl_message.h"
#include "etcl_upload.h"

#include <stdlib.h>

#define HEAD_KEEP 16384 /* memory for a head that stays with the thread */

static apr_status_t begin(etcl_exchange_t *x, const etcl_head_t *head)
{
    etcl_reply_t *reply = (etcl_reply_t *)x;
    apr_status_t rv;

    if (reply->box.broken != APR_SUCCESS) {
        return reply->box.broken;
    }
    if (reply->begun) {
        return ETCL_EINVAL;
    }
    rv = etcl_head_encode(&reply->head, head);
    if (rv != APR_SUCCESS) {
        etcl_buffer_clear(&reply->head, HEAD_KEEP);
        return ETCL_EINVAL;
    }
    reply->begun = reply->head_waits = 1;
    reply->ahead = head->content_length;
    return APR_SUCCESS;
}

apr_status_t etcl_reply_create(etcl_reply_t *reply)
{
    static const etcl_exchange_ops_t ops = {
        .read = etcl_upload_read,
        .ready = etcl_upload_ready,
        .begin = begin,
        .write = etcl_blocks_write,
        .send_file = etcl_blocks_file,
        .gone = etcl_alive_gone,
        .log = etcl_entry_log,
    };

    *reply = (etcl_reply_t){ .base.ops = &ops, .bulk.fd = -1 };
    etcl_buffer_init(&reply->head, ETCL_HEAD_MAX);
    reply->in = malloc(ETCL_UPLOAD_ROOM);
    return reply->in ? etcl_outbox_create(&reply->box) : APR_ENOMEM;
}

void etcl_reply_begin(etcl_reply_t *reply, etcl_link_t *link,
                      etcl_window_t *window, apr_uint32_t serial,
                      etcl_span_t body, int whole)
{
    etcl_buffer_clear(&reply->head, HEAD_KEEP);
    etcl_outbox_begin(&reply->box, link, serial);
    reply->asked = reply->is_gone = 0;
    reply->begun = reply->head_waits = 0;
    reply->ahead = -1;
    etcl_bulk_begin(&reply->bulk, window);
    reply->have = body;
    reply->owed = 0;
    reply->ended = whole ? APR_EOF : APR_SUCCESS;
}

/* When Apache answers in the application's place, nothing of its answer may
 * leave. */
static apr_status_t put_end(etcl_reply_t *reply, const etcl_answer_t *answer)
{
    etcl_answer_t last = *answer;
    apr_status_t rv;

    if (last.end == ETCL_ANSWER_FAILED && reply->box.left) {
        last.end = ETCL_ANSWER_ABORTED;
    }
    if (last.end == ETCL_ANSWER_DONE && !reply->begun) {
        last.end = ETCL_ANSWER_FAILED;
        last.status = 500;
    }
    if (last.end == ETCL_ANSWER_FAILED) {
        etcl_blocks_drop(reply);
    }
    rv = etcl_blocks_close(reply);
    if (rv == APR_SUCCESS) {
        rv = etcl_outbox_room(&reply->box, ETCL_OUTBOX_FIXED);
    }
    return rv == APR_SUCCESS ? etcl_end_encode(&last, &reply->box.out) : rv;
}

apr_status_t etcl_reply_end(etcl_reply_t *reply, const etcl_answer_t *answer)
{
    apr_status_t rv = reply->box.broken;

    etcl_outbox_stay(&reply->box);
    if (rv == APR_SUCCESS) {
        rv = put_end(reply, answer);
    }
    return rv == APR_SUCCESS ? etcl_outbox_send(&reply->box, -1) : rv;
}

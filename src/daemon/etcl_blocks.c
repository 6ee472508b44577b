/* Puts what an application gives into as few packets as may be. A large answer
 * is gathered (etcl_bulk.c): Apache has it as a whole then, and neither a
 * thread of its nor one of ours waits for a slow client. */

#include "etcl_blocks.h"
#include "etcl_message.h"

#include <sys/stat.h>

#define QUICK_COPY 65536 /* bytes that are copied while Python waits */

/* A head that does not fit into one packet goes in pieces, which must follow
 * each other at once. */
static apr_status_t put_long_head(etcl_reply_t *reply, etcl_span_t rest)
{
    apr_status_t rv = etcl_outbox_send(&reply->box, -1);
    etcl_span_t piece;

    etcl_outbox_commit(&reply->box);
    while (rv == APR_SUCCESS && rest.len > ETCL_FRAME_MAX) {
        piece = (etcl_span_t){ rest.ptr, ETCL_FRAME_MAX };
        etcl_packet_add(&reply->box.out, ETCL_FRAME_HEAD_, ETCL_FRAME_MORE,
                        piece);
        rv = etcl_outbox_send(&reply->box, -1);
        rest.ptr += piece.len;
        rest.len -= piece.len;
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_packet_add(&reply->box.out, ETCL_FRAME_HEAD_, 0, rest);
    }
    return rv;
}

/* Put the head in front of the first bytes. */
static apr_status_t put_head(etcl_reply_t *reply)
{
    etcl_span_t head = { reply->head.ptr, reply->head.len };
    apr_status_t rv;

    if (!reply->head_waits) {
        return APR_SUCCESS;
    }
    if (head.len > ETCL_FRAME_MAX) {
        reply->head_waits = 0;
        return put_long_head(reply, head);
    }
    rv = etcl_outbox_room(&reply->box, head.len);
    if (rv == APR_SUCCESS) {
        reply->box.head_at = (apr_ssize_t)reply->box.out.len;
        rv = etcl_packet_add(&reply->box.out, ETCL_FRAME_HEAD_, 0, head);
        reply->head_waits = 0;
    }
    return rv;
}

static apr_status_t add_data(etcl_reply_t *reply, etcl_span_t block)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t room;
    etcl_span_t piece = { block.ptr, 0 };

    while (rv == APR_SUCCESS && block.len) {
        room = etcl_packet_room(&reply->box.out);
        piece.len = block.len < room ? block.len : room;
        if (piece.len) {
            etcl_packet_add(&reply->box.out, ETCL_FRAME_DATA, 0, piece);
        }
        piece.ptr += piece.len;
        block.len -= piece.len;
        if (block.len) {
            rv = etcl_outbox_send(&reply->box, -1);
        }
    }
    return rv;
}

/* What was gathered crosses, behind what the packet holds. */
static apr_status_t send_bulk(etcl_reply_t *reply)
{
    apr_status_t rv = etcl_outbox_room(&reply->box, ETCL_OUTBOX_FIXED);
    int fd = -1;

    if (rv == APR_SUCCESS) {
        rv = etcl_bulk_close(&reply->bulk, &reply->box.out, &fd);
    }
    if (rv == APR_SUCCESS && fd >= 0) {
        rv = etcl_outbox_send(&reply->box, fd);
    }
    etcl_bulk_drop(&reply->bulk);
    return rv;
}

/* Bytes that are sure to come before the application runs again. */
static apr_int64_t count_ahead(const etcl_reply_t *reply, etcl_span_t block,
                               unsigned int how)
{
    const apr_int64_t len = (apr_int64_t)block.len;

    return how & ETCL_WRITE_HOLD && reply->ahead > len ? reply->ahead : len;
}

static int is_small(const etcl_reply_t *reply, apr_int64_t len)
{
    apr_size_t head_len =
        reply->head_waits ? reply->head.len + ETCL_FRAME_HEAD : 0;

    return len + (apr_int64_t)head_len <=
           (apr_int64_t)etcl_packet_room(&reply->box.out);
}

static apr_status_t add_block(etcl_reply_t *reply, etcl_span_t block,
                              unsigned int how)
{
    const apr_int64_t ahead = count_ahead(reply, block, how);
    apr_status_t rv;

    if (etcl_bulk_fits(&reply->bulk, block.len) &&
        etcl_bulk_add(&reply->bulk, block) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    rv = reply->bulk.state ? send_bulk(reply) : APR_SUCCESS;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!is_small(reply, ahead) &&
        etcl_bulk_open(&reply->bulk, ahead) == APR_SUCCESS &&
        etcl_bulk_add(&reply->bulk, block) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    etcl_bulk_drop(&reply->bulk);
    return add_data(reply, block);
}

/* Into memory that is there already. */
static apr_status_t gather_nowait(etcl_reply_t *reply, etcl_span_t block,
                                  unsigned int how)
{
    return how & ETCL_WRITE_HOLD && block.len <= QUICK_COPY &&
                   etcl_bulk_fits(&reply->bulk, block.len) &&
                   etcl_bulk_add(&reply->bulk, block) == APR_SUCCESS
               ? APR_SUCCESS
               : APR_EAGAIN;
}

static int wants_bulk(const etcl_reply_t *reply, etcl_span_t block,
                      unsigned int how)
{
    return !reply->bulk.is_refused &&
           !is_small(reply, count_ahead(reply, block, how));
}

static apr_status_t write_nowait(etcl_reply_t *reply, etcl_span_t block,
                                 unsigned int how)
{
    const apr_size_t was_len = reply->box.out.len;
    const apr_ssize_t was_at = reply->box.head_at;
    const int waited = reply->head_waits;
    apr_status_t rv;

    if (reply->bulk.state) {
        return gather_nowait(reply, block, how);
    }
    if (!is_small(reply, (apr_int64_t)block.len) ||
        wants_bulk(reply, block, how)) {
        return APR_EAGAIN;
    }
    put_head(reply);
    if (block.len) {
        etcl_packet_add(&reply->box.out, ETCL_FRAME_DATA, 0, block);
    }
    if (how & ETCL_WRITE_LAST) {
        etcl_outbox_linger(&reply->box);
        return APR_SUCCESS;
    }
    rv = how & ETCL_WRITE_HOLD ? APR_SUCCESS : etcl_outbox_try(&reply->box);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        reply->box.out.len = was_len;
        reply->box.head_at = was_at;
        reply->head_waits = waited;
    }
    return rv;
}

static apr_status_t write_waiting(etcl_reply_t *reply, etcl_span_t block,
                                  unsigned int how)
{
    apr_status_t rv = put_head(reply);

    if (rv == APR_SUCCESS) {
        rv = add_block(reply, block, how);
    }
    if (rv != APR_SUCCESS || how & ETCL_WRITE_HOLD) {
        return rv;
    }
    rv = reply->bulk.state ? send_bulk(reply) : APR_SUCCESS;
    return rv == APR_SUCCESS ? etcl_outbox_send(&reply->box, -1) : rv;
}

apr_status_t etcl_blocks_write(etcl_exchange_t *x, etcl_span_t block,
                               unsigned int how)
{
    etcl_reply_t *reply = (etcl_reply_t *)x;
    apr_status_t rv;

    etcl_outbox_stay(&reply->box);
    if (reply->box.broken != APR_SUCCESS) {
        return reply->box.broken;
    }
    if (!reply->begun) {
        return ETCL_EINVAL;
    }
    if (!block.len && (how & ETCL_WRITE_HOLD || !reply->box.out.len)) {
        return APR_SUCCESS;
    }
    rv = how & ETCL_WRITE_NOWAIT ? write_nowait(reply, block, how)
                                 : write_waiting(reply, block, how);
    if (rv == APR_SUCCESS) {
        reply->ahead -= (apr_int64_t)block.len;
    }
    return rv;
}

apr_status_t etcl_blocks_close(etcl_reply_t *reply)
{
    apr_status_t rv = put_head(reply);

    return rv == APR_SUCCESS && reply->bulk.state ? send_bulk(reply) : rv;
}

static apr_status_t send_fd(etcl_reply_t *reply, int fd, apr_int64_t offset,
                            apr_int64_t len)
{
    etcl_file_t file = { .offset = offset, .len = len };
    apr_status_t rv = etcl_blocks_close(reply);

    if (rv == APR_SUCCESS) {
        rv = etcl_outbox_room(&reply->box, ETCL_OUTBOX_FIXED);
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_file_encode(&file, &reply->box.out);
    }
    return rv == APR_SUCCESS ? etcl_outbox_send(&reply->box, fd) : rv;
}

apr_status_t etcl_blocks_file(etcl_exchange_t *x, int fd, apr_int64_t offset,
                              apr_int64_t len)
{
    etcl_reply_t *reply = (etcl_reply_t *)x;
    struct stat found;

    etcl_outbox_stay(&reply->box);
    if (reply->box.broken != APR_SUCCESS) {
        return reply->box.broken;
    }
    if (!reply->begun || offset < 0 || len < 0 || fstat(fd, &found) ||
        !S_ISREG(found.st_mode)) {
        return ETCL_EINVAL;
    }
    return send_fd(reply, fd, offset, len);
}

void etcl_blocks_drop(etcl_reply_t *reply)
{
    if (reply->box.head_at >= 0) {
        reply->box.out.len = (apr_size_t)reply->box.head_at;
        reply->box.head_at = -1;
    }
    reply->head_waits = 0;
    etcl_bulk_drop(&reply->bulk);
}

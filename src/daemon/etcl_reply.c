/* Packs an answer into packets. A small one leaves as a single packet with
 * HEAD, DATA and END; nothing is allocated for it. */

#include "etcl_reply.h"
#include "etcl_alive.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_linger.h"
#include "etcl_message.h"
#include "etcl_upload.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_KEEP 16384  /* memory for a head that stays with the thread */
#define LOG_PIECE 16384  /* a longer text is cut into several entries */
#define FIXED_PAYLOAD 64 /* more than any payload of fixed shape */
#define QUICK_COPY 65536 /* bytes that are copied while Python waits */

static etcl_reply_t *self_of(etcl_exchange_t *x)
{
    return (etcl_reply_t *)x;
}

static etcl_span_t held(const etcl_reply_t *reply)
{
    return (etcl_span_t){ reply->out.ptr, reply->out.len };
}

/* Whether HEAD is among the frames that are held. */
static int holds_head(const etcl_reply_t *reply)
{
    return reply->begun && !reply->head_waits && !reply->left;
}

static void forget_held(etcl_reply_t *reply)
{
    reply->left |= holds_head(reply);
    reply->out.len = 0;
}

/* A packet, and what is known of it afterwards, are one step for whoever
 * takes over. */
static apr_status_t send_held(etcl_reply_t *reply, int fd, int nowait)
{
    apr_status_t rv;

    pthread_mutex_lock(&reply->sending);
    rv = etcl_link_send(reply->link, held(reply), fd, nowait);
    if (rv == APR_SUCCESS) {
        forget_held(reply);
    }
    pthread_mutex_unlock(&reply->sending);
    return rv;
}

/* The packet stays as it is until the thread of the call says so, or another
 * one sends it. */
static void begin_lingering(etcl_reply_t *reply)
{
    atomic_store(&reply->lingers_us, etcl_clock_us());
    etcl_linger_begin();
}

void etcl_reply_stay(etcl_reply_t *reply)
{
    if (atomic_load(&reply->lingers_us)) {
        pthread_mutex_lock(&reply->sending);
        atomic_store(&reply->lingers_us, 0);
        pthread_mutex_unlock(&reply->sending);
    }
}

/* An error is found again, and told, by the thread of the call. */
int etcl_reply_hurry(etcl_reply_t *reply, apr_int64_t before_us)
{
    apr_int64_t since_us = atomic_load(&reply->lingers_us);

    if (!since_us || pthread_mutex_trylock(&reply->sending)) {
        return !since_us;
    }
    since_us = atomic_load(&reply->lingers_us);
    if (since_us && since_us <= before_us &&
        etcl_link_send(reply->link, held(reply), -1, 1) == APR_SUCCESS) {
        forget_held(reply);
        atomic_store(&reply->lingers_us, 0);
        since_us = 0;
    }
    pthread_mutex_unlock(&reply->sending);
    return !since_us;
}

apr_status_t etcl_reply_send(etcl_reply_t *reply, int fd)
{
    apr_status_t rv;

    if (reply->broken != APR_SUCCESS) {
        return reply->broken;
    }
    if (!reply->out.len) {
        return APR_SUCCESS;
    }
    rv = send_held(reply, fd, 0);
    if (rv == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    reply->broken = APR_STATUS_IS_TIMEUP(rv) ? APR_TIMEUP : ETCL_EGONE;
    return reply->broken;
}

apr_status_t etcl_reply_room(etcl_reply_t *reply, apr_size_t len)
{
    return etcl_packet_room(&reply->out) < len ? etcl_reply_send(reply, -1)
                                               : APR_SUCCESS;
}

static void mark_left(etcl_reply_t *reply)
{
    pthread_mutex_lock(&reply->sending);
    reply->left = 1;
    pthread_mutex_unlock(&reply->sending);
}

/* A head that does not fit into one packet goes in pieces, which must follow
 * each other at once. */
static apr_status_t put_long_head(etcl_reply_t *reply, etcl_span_t rest)
{
    apr_status_t rv = etcl_reply_send(reply, -1);
    etcl_span_t piece;

    mark_left(reply);
    while (rv == APR_SUCCESS && rest.len > ETCL_FRAME_MAX) {
        piece = (etcl_span_t){ rest.ptr, ETCL_FRAME_MAX };
        etcl_packet_add(&reply->out, ETCL_FRAME_HEAD_, ETCL_FRAME_MORE, piece);
        rv = etcl_reply_send(reply, -1);
        rest.ptr += piece.len;
        rest.len -= piece.len;
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_packet_add(&reply->out, ETCL_FRAME_HEAD_, 0, rest);
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
    rv = etcl_reply_room(reply, head.len);
    if (rv == APR_SUCCESS) {
        reply->head_at = reply->out.len;
        rv = etcl_packet_add(&reply->out, ETCL_FRAME_HEAD_, 0, head);
        reply->head_waits = 0;
    }
    return rv;
}

static apr_status_t begin(etcl_exchange_t *x, const etcl_head_t *head)
{
    etcl_reply_t *reply = self_of(x);
    apr_status_t rv;

    if (reply->broken != APR_SUCCESS) {
        return reply->broken;
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

static apr_status_t add_data(etcl_reply_t *reply, etcl_span_t block)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t room;
    etcl_span_t piece = { block.ptr, 0 };

    while (rv == APR_SUCCESS && block.len) {
        room = etcl_packet_room(&reply->out);
        piece.len = block.len < room ? block.len : room;
        if (piece.len) {
            etcl_packet_add(&reply->out, ETCL_FRAME_DATA, 0, piece);
        }
        piece.ptr += piece.len;
        block.len -= piece.len;
        if (block.len) {
            rv = etcl_reply_send(reply, -1);
        }
    }
    return rv;
}

/* What was gathered crosses, behind what the packet holds. */
static apr_status_t send_bulk(etcl_reply_t *reply)
{
    apr_status_t rv = etcl_reply_room(reply, FIXED_PAYLOAD);
    int fd = -1;

    if (rv == APR_SUCCESS) {
        rv = etcl_bulk_close(&reply->bulk, &reply->out, &fd);
    }
    if (rv == APR_SUCCESS && fd >= 0) {
        rv = etcl_reply_send(reply, fd);
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
           (apr_int64_t)etcl_packet_room(&reply->out);
}

/* A large answer is gathered: Apache has it as a whole, and neither a thread
 * of its nor one of ours waits for a slow client. */
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

static void count_written(etcl_reply_t *reply, etcl_span_t block)
{
    reply->ahead -= (apr_int64_t)block.len;
}

/* All or nothing: one packet, taken by the socket as it is, or left out. */
static apr_status_t send_nowait(etcl_reply_t *reply)
{
    apr_status_t rv = send_held(reply, -1, 1);

    if (rv != APR_SUCCESS && !APR_STATUS_IS_EAGAIN(rv)) {
        reply->broken = rv = ETCL_EGONE;
    }
    return rv;
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
    apr_size_t was_len = reply->out.len;
    int waited = reply->head_waits;
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
        etcl_packet_add(&reply->out, ETCL_FRAME_DATA, 0, block);
    }
    if (how & ETCL_WRITE_LAST) {
        begin_lingering(reply);
        return APR_SUCCESS;
    }
    rv = how & ETCL_WRITE_HOLD ? APR_SUCCESS : send_nowait(reply);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        reply->out.len = was_len;
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
    return rv == APR_SUCCESS ? etcl_reply_send(reply, -1) : rv;
}

static apr_status_t write_out(etcl_exchange_t *x, etcl_span_t block,
                              unsigned int how)
{
    etcl_reply_t *reply = self_of(x);
    apr_status_t rv;

    etcl_reply_stay(reply);
    if (reply->broken != APR_SUCCESS) {
        return reply->broken;
    }
    if (!reply->begun) {
        return ETCL_EINVAL;
    }
    if (!block.len && (how & ETCL_WRITE_HOLD || !reply->out.len)) {
        return APR_SUCCESS;
    }
    rv = how & ETCL_WRITE_NOWAIT ? write_nowait(reply, block, how)
                                 : write_waiting(reply, block, how);
    if (rv == APR_SUCCESS) {
        count_written(reply, block);
    }
    return rv;
}

static apr_status_t send_fd(etcl_reply_t *reply, int fd, apr_int64_t offset,
                            apr_int64_t len)
{
    etcl_file_t file = { .offset = offset, .len = len };
    apr_status_t rv = put_head(reply);

    if (rv == APR_SUCCESS && reply->bulk.state) {
        rv = send_bulk(reply);
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_reply_room(reply, FIXED_PAYLOAD);
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_file_encode(&file, &reply->out);
    }
    return rv == APR_SUCCESS ? etcl_reply_send(reply, fd) : rv;
}

static apr_status_t send_file(etcl_exchange_t *x, int fd, apr_int64_t offset,
                              apr_int64_t len)
{
    etcl_reply_t *reply = self_of(x);
    struct stat found;

    etcl_reply_stay(reply);
    if (reply->broken != APR_SUCCESS) {
        return reply->broken;
    }
    if (!reply->begun || offset < 0 || len < 0 || fstat(fd, &found) ||
        !S_ISREG(found.st_mode)) {
        return ETCL_EINVAL;
    }
    return send_fd(reply, fd, offset, len);
}

/* The longest beginning of a text that is one entry: whole lines if any. */
static etcl_span_t log_piece(etcl_span_t text)
{
    const char *line;

    if (text.len > LOG_PIECE) {
        text.len = LOG_PIECE;
        line = memrchr(text.ptr, '\n', text.len);
        text.len = line ? (apr_size_t)(line - text.ptr) + 1 : text.len;
    }
    return text;
}

/* An entry leaves at once, so that it is told even when the next thing that
 * happens is a crash. It must not wait: what the socket does not take now
 * stays held, and with no room left it goes to the group's log. */
static void log_entry(etcl_reply_t *reply, etcl_level_t level, etcl_span_t text)
{
    apr_status_t rv = reply->broken;

    etcl_reply_stay(reply);
    if (rv == APR_SUCCESS) {
        rv = etcl_log_encode(level, text, &reply->out);
    }
    if (rv != APR_SUCCESS) {
        etcl_journal_text(level, text);
        return;
    }
    if (send_nowait(reply) == ETCL_EGONE) {
        etcl_journal_text(level, text);
    }
}

static void log_text(etcl_exchange_t *x, etcl_level_t level, etcl_span_t text)
{
    etcl_span_t piece;

    do {
        piece = log_piece(text);
        log_entry(self_of(x), level, piece);
        text.ptr += piece.len;
        text.len -= piece.len;
    } while (text.len);
}

apr_status_t etcl_reply_create(etcl_reply_t *reply)
{
    static const etcl_exchange_ops_t ops = {
        .read = etcl_upload_read,
        .ready = etcl_upload_ready,
        .begin = begin,
        .write = write_out,
        .send_file = send_file,
        .gone = etcl_alive_gone,
        .log = log_text,
    };

    *reply = (etcl_reply_t){ .base.ops = &ops, .bulk.fd = -1 };
    pthread_mutex_init(&reply->sending, NULL);
    etcl_buffer_init(&reply->head, ETCL_HEAD_MAX);
    reply->out.ptr = malloc(ETCL_PACKET_MAX);
    reply->in = malloc(ETCL_UPLOAD_ROOM);
    return reply->out.ptr && reply->in ? APR_SUCCESS : APR_ENOMEM;
}

void etcl_reply_begin(etcl_reply_t *reply, etcl_link_t *link,
                      etcl_window_t *window, apr_uint32_t serial,
                      etcl_span_t body, int whole)
{
    etcl_buffer_clear(&reply->head, HEAD_KEEP);
    reply->link = link;
    reply->broken = APR_SUCCESS;
    reply->asked = reply->is_gone = 0;
    reply->out.len = 0;
    reply->out.serial = serial;
    reply->begun = reply->head_waits = reply->left = 0;
    reply->head_at = 0;
    reply->ahead = -1;
    etcl_bulk_begin(&reply->bulk, window);
    reply->have = body;
    reply->owed = 0;
    reply->ended = whole ? APR_EOF : APR_SUCCESS;
}

/* The packet is small, and the thread that should have sent one has not: there
 * is room for it. */
static void send_abort(const etcl_reply_t *reply, int status)
{
    const etcl_answer_t answer = { .end = ETCL_ANSWER_FAILED,
                                   .status = status,
                                   .promised = -1 };
    char bytes[ETCL_FRAME_HEAD + FIXED_PAYLOAD];
    etcl_packet_t packet = { .ptr = bytes, .serial = reply->out.serial };

    if (etcl_end_encode(&answer, &packet) == APR_SUCCESS) {
        etcl_link_send(reply->link, (etcl_span_t){ bytes, packet.len }, -1, 1);
    }
}

/* With the lock taken by its thread, a packet is on its way, and stuck: what
 * has left of the answer is all that leaves. */
void etcl_reply_take_over(etcl_reply_t *reply, int status)
{
    if (!pthread_mutex_trylock(&reply->sending)) {
        if (status && !reply->left) {
            send_abort(reply, status);
        }
        shutdown(reply->link->fd, SHUT_RDWR);
        pthread_mutex_unlock(&reply->sending);
    } else {
        shutdown(reply->link->fd, SHUT_RDWR);
    }
}

/* Apache answers in the application's place, so nothing of its answer may
 * leave; log entries before it are kept. */
static void take_back(etcl_reply_t *reply)
{
    if (holds_head(reply)) {
        reply->out.len = reply->head_at;
    }
    reply->head_waits = 0;
    etcl_bulk_drop(&reply->bulk);
}

static apr_status_t put_end(etcl_reply_t *reply, const etcl_answer_t *answer)
{
    etcl_answer_t last = *answer;
    apr_status_t rv;

    if (last.end == ETCL_ANSWER_FAILED && reply->left) {
        last.end = ETCL_ANSWER_ABORTED;
    }
    if (last.end == ETCL_ANSWER_DONE && !reply->begun) {
        last.end = ETCL_ANSWER_FAILED;
        last.status = 500;
    }
    if (last.end == ETCL_ANSWER_FAILED) {
        take_back(reply);
    }
    rv = put_head(reply);
    if (rv == APR_SUCCESS && reply->bulk.state) {
        rv = send_bulk(reply);
    }
    if (rv == APR_SUCCESS) {
        rv = etcl_reply_room(reply, FIXED_PAYLOAD);
    }
    return rv == APR_SUCCESS ? etcl_end_encode(&last, &reply->out) : rv;
}

apr_status_t etcl_reply_end(etcl_reply_t *reply, const etcl_answer_t *answer)
{
    apr_status_t rv = reply->broken;

    etcl_reply_stay(reply);
    if (rv == APR_SUCCESS) {
        rv = put_end(reply, answer);
    }
    return rv == APR_SUCCESS ? etcl_reply_send(reply, -1) : rv;
}

/* The messages of fixed shape. CALL and HEAD, which grow, are etcl_call.c and
 * etcl_head.c. */

#include "etcl_message.h"
#include "etcl_bytes.h"
#include "etcl_tray.h"
#include "etcl_window.h"

#define PULL_MAX ((apr_uint64_t)1 << 62)

/* The longest payload that is made here. */
#define PAYLOAD_MAX (12 + ETCL_SECRET_LEN)

static apr_status_t add(etcl_packet_t *packet, etcl_frame_type_t type,
                        const char *payload, const char *end)
{
    etcl_span_t bytes = { payload, (apr_size_t)(end - payload) };

    return etcl_packet_add(packet, type, 0, bytes);
}

static char *put_hello(char *at, const etcl_hello_t *hello)
{
    at = etcl_bytes_put_u32(at, hello->version);
    at = etcl_bytes_put_u32(at, hello->slot);
    return etcl_bytes_put_u32(at, hello->incarnation);
}

apr_status_t etcl_hello_encode(const etcl_hello_t *hello, etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX], *at = put_hello(payload, hello);

    memcpy(at, hello->secret, ETCL_SECRET_LEN);
    return add(packet, ETCL_FRAME_HELLO, payload, at + ETCL_SECRET_LEN);
}

apr_status_t etcl_welcome_encode(const etcl_hello_t *hello,
                                 etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX];

    return add(packet, ETCL_FRAME_WELCOME, payload, put_hello(payload, hello));
}

/* The secret is filled only when it is wanted, else zero. */
static apr_status_t take_hello(etcl_span_t payload, apr_size_t secret_len,
                               etcl_hello_t *out)
{
    etcl_cursor_t in = etcl_cursor(payload);
    etcl_hello_t hello = { .version = etcl_cursor_u32(&in) };
    etcl_span_t secret;

    hello.slot = etcl_cursor_u32(&in);
    hello.incarnation = etcl_cursor_u32(&in);
    secret = etcl_cursor_take(&in, secret_len);
    if (!etcl_cursor_is_done(&in)) {
        return ETCL_EPROTO;
    }
    memcpy(hello.secret, secret.ptr, secret.len);
    *out = hello;
    return APR_SUCCESS;
}

apr_status_t etcl_hello_decode(etcl_span_t payload, etcl_hello_t *out)
{
    return take_hello(payload, ETCL_SECRET_LEN, out);
}

apr_status_t etcl_welcome_decode(etcl_span_t payload, etcl_hello_t *out)
{
    return take_hello(payload, 0, out);
}

apr_status_t etcl_pull_encode(const etcl_pull_t *pull, etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX], *at = etcl_bytes_put_u64(payload, pull->want);

    at = etcl_bytes_put_u64(at, pull->least);
    return add(packet, ETCL_FRAME_PULL, payload, at);
}

apr_status_t etcl_pull_decode(etcl_span_t payload, etcl_pull_t *out)
{
    etcl_cursor_t in = etcl_cursor(payload);
    etcl_pull_t pull = { .want = etcl_cursor_u64(&in) };

    pull.least = etcl_cursor_u64(&in);
    if (!etcl_cursor_is_done(&in) || !pull.least || pull.want < pull.least ||
        pull.want > PULL_MAX) {
        return ETCL_EPROTO;
    }
    *out = pull;
    return APR_SUCCESS;
}

apr_status_t etcl_laid_encode(apr_size_t len, unsigned int flags,
                              etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX];
    const char *end = etcl_bytes_put_u32(payload, (apr_uint32_t)len);

    return etcl_packet_add(
        packet, ETCL_FRAME_LAID, flags,
        (etcl_span_t){ payload, (apr_size_t)(end - payload) });
}

apr_status_t etcl_laid_decode(etcl_span_t payload, apr_size_t *len)
{
    etcl_cursor_t in = etcl_cursor(payload);
    apr_uint32_t value = etcl_cursor_u32(&in);

    if (!etcl_cursor_is_done(&in) || value > ETCL_TRAY_LEN) {
        return ETCL_EPROTO;
    }
    *len = value;
    return APR_SUCCESS;
}

apr_status_t etcl_told_encode(int gone, etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX];

    return add(packet, ETCL_FRAME_TOLD, payload,
               etcl_bytes_put_u8(payload, gone != 0));
}

apr_status_t etcl_told_decode(etcl_span_t payload, int *gone)
{
    etcl_cursor_t in = etcl_cursor(payload);
    unsigned int value = etcl_cursor_u8(&in);

    if (!etcl_cursor_is_done(&in) || value > 1) {
        return ETCL_EPROTO;
    }
    *gone = (int)value;
    return APR_SUCCESS;
}

apr_status_t etcl_broken_encode(etcl_broken_t why, etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX];

    return add(packet, ETCL_FRAME_BROKEN, payload,
               etcl_bytes_put_u8(payload, why));
}

apr_status_t etcl_broken_decode(etcl_span_t payload, etcl_broken_t *out)
{
    etcl_cursor_t in = etcl_cursor(payload);
    unsigned int why = etcl_cursor_u8(&in);

    if (!etcl_cursor_is_done(&in) || why < ETCL_BROKEN_GONE ||
        why > ETCL_BROKEN_LIMIT) {
        return ETCL_EPROTO;
    }
    *out = (etcl_broken_t)why;
    return APR_SUCCESS;
}

apr_status_t etcl_file_encode(const etcl_file_t *file, etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX], *at = etcl_bytes_put_i64(payload, file->offset);

    at = etcl_bytes_put_i64(at, file->len);
    return add(packet, ETCL_FRAME_FILE, payload, at);
}

/* The end of the range must be a number, too. */
apr_status_t etcl_file_decode(etcl_span_t payload, etcl_file_t *out)
{
    etcl_cursor_t in = etcl_cursor(payload);
    etcl_file_t file = { .offset = etcl_cursor_i64(&in) };

    file.len = etcl_cursor_i64(&in);
    if (!etcl_cursor_is_done(&in) || file.offset < 0 || file.len < 0 ||
        file.len > APR_INT64_MAX - file.offset) {
        return ETCL_EPROTO;
    }
    *out = file;
    return APR_SUCCESS;
}

apr_status_t etcl_window_encode(apr_size_t len, etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX];

    return add(packet, ETCL_FRAME_WINDOW, payload,
               etcl_bytes_put_u64(payload, len));
}

apr_status_t etcl_window_decode(etcl_span_t payload, apr_size_t *out)
{
    etcl_cursor_t in = etcl_cursor(payload);
    apr_uint64_t len = etcl_cursor_u64(&in);

    if (!etcl_cursor_is_done(&in) || !len || len > ETCL_WINDOW_SIZE) {
        return ETCL_EPROTO;
    }
    *out = (apr_size_t)len;
    return APR_SUCCESS;
}

apr_status_t etcl_log_encode(etcl_level_t level, etcl_span_t text,
                             etcl_packet_t *packet)
{
    char *at = etcl_packet_open(packet);

    if (!at || text.len > etcl_packet_room(packet) - 1) {
        return ETCL_ELIMIT;
    }
    etcl_bytes_put(etcl_bytes_put_u8(at, level), text);
    etcl_packet_close(packet, ETCL_FRAME_LOG, 0, text.len + 1);
    return APR_SUCCESS;
}

apr_status_t etcl_log_decode(etcl_span_t payload, etcl_level_t *level,
                             etcl_span_t *text)
{
    etcl_cursor_t in = etcl_cursor(payload);
    unsigned int number = etcl_cursor_u8(&in);

    if (in.bad || number < ETCL_LOG_CRIT || number > ETCL_LOG_DEBUG) {
        return ETCL_EPROTO;
    }
    *level = (etcl_level_t)number;
    *text = in.rest;
    return APR_SUCCESS;
}

apr_status_t etcl_end_encode(const etcl_answer_t *answer, etcl_packet_t *packet)
{
    char payload[PAYLOAD_MAX], *at = etcl_bytes_put_i64(payload, answer->sent);
    int failed = answer->end == ETCL_ANSWER_FAILED;

    at = etcl_bytes_put_i64(at, answer->promised);
    if (answer->end == ETCL_ANSWER_DONE) {
        return add(packet, ETCL_FRAME_END, payload, at);
    }
    at = etcl_bytes_put_u16(at, failed ? (unsigned int)answer->status : 0);
    return add(packet, ETCL_FRAME_ABORT, payload, at);
}

/* An answer that Apache gives in the application's place is an error. */
static int is_failure(unsigned int status)
{
    return status >= 400 && status <= 599;
}

apr_status_t etcl_end_decode(const etcl_frame_t *frame, etcl_answer_t *out)
{
    etcl_cursor_t in = etcl_cursor(frame->payload);
    etcl_answer_t answer = { .sent = etcl_cursor_i64(&in) };

    answer.promised = etcl_cursor_i64(&in);
    if (frame->type == ETCL_FRAME_ABORT) {
        answer.status = etcl_cursor_u16(&in);
        answer.end = answer.status ? ETCL_ANSWER_FAILED : ETCL_ANSWER_ABORTED;
    }
    if (!etcl_cursor_is_done(&in) || answer.sent < 0 || answer.promised < -1 ||
        (answer.status && !is_failure((unsigned int)answer.status))) {
        return ETCL_EPROTO;
    }
    *out = answer;
    return APR_SUCCESS;
}

/* CALL, written straight into a buffer and read without copying. That names
 * and values are fit for an environ is for those who make calls. */

#include "etcl_message.h"
#include "etcl_bytes.h"
#include "etcl_key.h"

/* What stands before the three texts: u8, u32, three i64. */
#define FIXED_LEN 29u

/* The smallest pair: an id and the length of an empty value. */
#define PAIR_MIN 5u

#define FLAGS                                                                  \
    (ETCL_CALL_HTTPS | ETCL_CALL_RELOAD | ETCL_CALL_IDLE |                     \
     ETCL_CALL_SENDFILE | ETCL_CALL_HANDLER)

apr_status_t etcl_call_begin(etcl_buffer_t *buf, const etcl_call_t *call)
{
    const etcl_target_t *target = &call->target;
    apr_size_t texts_len =
        target->script.len + target->app_group.len + target->callable.len;
    apr_status_t rv;
    char *at;

    if (texts_len > ETCL_CALL_MAX) {
        return ETCL_ELIMIT;
    }
    rv = etcl_buffer_room(buf, FIXED_LEN + 16 + texts_len, &at);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    at = etcl_bytes_put_u8(at, call->kind);
    at = etcl_bytes_put_u32(at, call->flags);
    at = etcl_bytes_put_i64(at, call->body_len);
    at = etcl_bytes_put_i64(at, call->request_start_us);
    at = etcl_bytes_put_i64(at, call->queue_start_us);
    at = etcl_bytes_put_text(at, target->script);
    at = etcl_bytes_put_text(at, target->app_group);
    at = etcl_bytes_put_text(at, target->callable);
    at = etcl_bytes_put_u32(at, 0);
    buf->len = (apr_size_t)(at - buf->ptr);
    return APR_SUCCESS;
}

void etcl_call_stamp(etcl_buffer_t *buf, apr_size_t begin,
                     apr_int64_t queue_start_us)
{
    etcl_bytes_put_i64(buf->ptr + begin + FIXED_LEN - 8, queue_start_us);
}

apr_status_t etcl_call_pair(etcl_buffer_t *buf, etcl_key_t id, etcl_span_t name,
                            etcl_span_t value)
{
    apr_status_t rv;
    char *at;

    if (name.len > APR_UINT16_MAX || value.len > ETCL_CALL_MAX) {
        return ETCL_ELIMIT;
    }
    rv = etcl_buffer_room(buf, 1 + 2 + name.len + 4 + value.len, &at);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    at = etcl_bytes_put_u8(at, id);
    if (id == ETCL_KEY_NONE) {
        at = etcl_bytes_put_u16(at, (unsigned int)name.len);
        at = etcl_bytes_put(at, name);
    }
    at = etcl_bytes_put_text(at, value);
    buf->len = (apr_size_t)(at - buf->ptr);
    return APR_SUCCESS;
}

apr_status_t etcl_call_close(etcl_buffer_t *buf, apr_size_t begin,
                             apr_uint32_t pairs)
{
    etcl_cursor_t in =
        etcl_cursor((etcl_span_t){ buf->ptr + begin, buf->len - begin });

    if (buf->len - begin > ETCL_CALL_MAX || pairs > ETCL_PAIRS_MAX) {
        return ETCL_ELIMIT;
    }
    etcl_cursor_take(&in, FIXED_LEN);
    etcl_cursor_text(&in);
    etcl_cursor_text(&in);
    etcl_cursor_text(&in);
    etcl_bytes_put_u32(buf->ptr + (in.rest.ptr - buf->ptr), pairs);
    return APR_SUCCESS;
}

/* A path or a name that is handed on as a terminated string. */
static etcl_span_t take_name(etcl_cursor_t *in, etcl_span_t name)
{
    in->bad |= memchr(name.ptr, '\0', name.len) != NULL;
    return name;
}

static etcl_pair_t take_pair(etcl_cursor_t *in)
{
    etcl_pair_t pair = { .id = etcl_cursor_u8(in) };

    if (pair.id) {
        pair.key = etcl_key_name(pair.id);
    } else {
        pair.key = take_name(in, etcl_cursor_take(in, etcl_cursor_u16(in)));
    }
    in->bad |= !pair.key.len;
    pair.value = etcl_cursor_text(in);
    return pair;
}

static etcl_call_t take_fixed(etcl_cursor_t *in)
{
    etcl_call_t call = { .kind = (etcl_call_kind_t)etcl_cursor_u8(in) };

    call.flags = etcl_cursor_u32(in);
    call.body_len = etcl_cursor_i64(in);
    call.request_start_us = etcl_cursor_i64(in);
    call.queue_start_us = etcl_cursor_i64(in);
    call.target.script = take_name(in, etcl_cursor_text(in));
    call.target.app_group = take_name(in, etcl_cursor_text(in));
    call.target.callable = take_name(in, etcl_cursor_text(in));
    call.pair_count = etcl_cursor_u32(in);
    in->bad |= call.kind < ETCL_CALL_WSGI || call.kind > ETCL_CALL_DISPATCH ||
               call.flags & ~FLAGS || call.body_len < -1 ||
               call.request_start_us < 0 || call.queue_start_us < 0;
    return call;
}

apr_status_t etcl_call_decode(etcl_decoder_t *decoder, etcl_span_t payload,
                              etcl_call_t *out)
{
    etcl_cursor_t in = etcl_cursor(payload);
    etcl_call_t call = take_fixed(&in);
    apr_status_t rv;
    apr_size_t i;

    if (payload.len > ETCL_CALL_MAX || call.pair_count > ETCL_PAIRS_MAX) {
        return ETCL_ELIMIT;
    }
    if (in.bad || call.pair_count > in.rest.len / PAIR_MIN) {
        return ETCL_EPROTO;
    }
    rv = etcl_decoder_pairs(decoder, call.pair_count);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (i = 0; i < call.pair_count; i++) {
        decoder->pairs[i] = take_pair(&in);
    }
    if (!etcl_cursor_is_done(&in)) {
        return ETCL_EPROTO;
    }
    call.pairs = decoder->pairs;
    *out = call;
    return APR_SUCCESS;
}

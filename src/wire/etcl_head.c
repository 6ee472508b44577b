/* HEAD. What is read is judged by the rules of etcl_text.h, whoever wrote it;
 * what is written was judged by the runtime. */

#include "etcl_message.h"
#include "etcl_bytes.h"
#include "etcl_text.h"

/* What stands around the texts: u16, i64 before, u32 count behind. */
#define FIXED_LEN 14u

/* The smallest header: a name of one byte and an empty value. */
#define HEADER_MIN 9u

static apr_status_t add_text(etcl_buffer_t *buf, etcl_span_t text)
{
    apr_status_t rv;
    char *at;

    if (text.len > ETCL_HEAD_MAX) {
        return ETCL_ELIMIT;
    }
    rv = etcl_buffer_room(buf, 4 + text.len, &at);
    if (rv == APR_SUCCESS) {
        etcl_bytes_put_text(at, text);
        buf->len += 4 + text.len;
    }
    return rv;
}

static apr_status_t add_fixed(etcl_buffer_t *buf, const etcl_head_t *head)
{
    apr_status_t rv;
    char *at;

    if (head->reason.len > ETCL_HEAD_MAX ||
        head->header_count > ETCL_PAIRS_MAX) {
        return ETCL_ELIMIT;
    }
    rv = etcl_buffer_room(buf, FIXED_LEN + 4 + head->reason.len, &at);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    at = etcl_bytes_put_u16(at, (unsigned int)head->status);
    at = etcl_bytes_put_i64(at, head->content_length);
    at = etcl_bytes_put_text(at, head->reason);
    at = etcl_bytes_put_u32(at, (apr_uint32_t)head->header_count);
    buf->len = (apr_size_t)(at - buf->ptr);
    return APR_SUCCESS;
}

apr_status_t etcl_head_encode(etcl_buffer_t *buf, const etcl_head_t *head)
{
    apr_size_t begin = buf->len, i;
    apr_status_t rv = add_fixed(buf, head);

    for (i = 0; rv == APR_SUCCESS && i < head->header_count; i++) {
        rv = add_text(buf, head->headers[i].name);
        if (rv == APR_SUCCESS) {
            rv = add_text(buf, head->headers[i].value);
        }
    }
    if (rv == APR_SUCCESS && buf->len - begin > ETCL_HEAD_MAX) {
        rv = ETCL_ELIMIT;
    }
    return rv;
}

static etcl_head_t take_fixed(etcl_cursor_t *in)
{
    etcl_head_t head = { .status = etcl_cursor_u16(in) };

    head.content_length = etcl_cursor_i64(in);
    head.reason = etcl_cursor_text(in);
    head.header_count = etcl_cursor_u32(in);
    in->bad |= head.status < 100 || head.status > 999 ||
               head.content_length < -1 || !etcl_text_is_reason(head.reason);
    return head;
}

static etcl_header_t take_header(etcl_cursor_t *in)
{
    etcl_header_t header = { .name = etcl_cursor_text(in) };

    header.value = etcl_cursor_text(in);
    in->bad |=
        !etcl_text_is_token(header.name) || !etcl_text_is_value(header.value);
    return header;
}

apr_status_t etcl_head_decode(etcl_decoder_t *decoder, etcl_span_t payload,
                              etcl_head_t *out)
{
    etcl_cursor_t in = etcl_cursor(payload);
    etcl_head_t head = take_fixed(&in);
    apr_status_t rv;
    apr_size_t i;

    if (payload.len > ETCL_HEAD_MAX || head.header_count > ETCL_PAIRS_MAX) {
        return ETCL_ELIMIT;
    }
    if (in.bad || head.header_count > in.rest.len / HEADER_MIN) {
        return ETCL_EPROTO;
    }
    rv = etcl_decoder_headers(decoder, head.header_count);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (i = 0; i < head.header_count; i++) {
        decoder->headers[i] = take_header(&in);
    }
    if (!etcl_cursor_is_done(&in)) {
        return ETCL_EPROTO;
    }
    head.headers = decoder->headers;
    *out = head;
    return APR_SUCCESS;
}

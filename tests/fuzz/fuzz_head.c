/* Any bytes as a HEAD. Oracles: what is accepted is written again as the same
 * bytes, holds nothing that splits a response, and no prefix is accepted. */

#include "fuzz.h"
#include "etcl_message.h"

static etcl_decoder_t decoder;
static etcl_buffer_t buf;

static int is_one_line(etcl_span_t text)
{
    return !text.len || (!memchr(text.ptr, '\n', text.len) &&
                         !memchr(text.ptr, '\r', text.len) &&
                         !memchr(text.ptr, '\0', text.len));
}

static void must_be_safe(const etcl_head_t *head)
{
    apr_size_t i;

    FUZZ_MUST(head->status >= 100 && head->status <= 999);
    FUZZ_MUST(head->content_length >= -1 && is_one_line(head->reason));
    for (i = 0; i < head->header_count; i++) {
        FUZZ_MUST(head->headers[i].name.len);
        FUZZ_MUST(is_one_line(head->headers[i].name));
        FUZZ_MUST(is_one_line(head->headers[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    etcl_span_t whole = { (const char *)data, size };
    etcl_head_t head;

    buf.max = ETCL_HEAD_MAX;
    if (!etcl_head_decode(&decoder, whole, &head)) {
        must_be_safe(&head);
        etcl_buffer_clear(&buf, ETCL_HEAD_MAX);
        FUZZ_MUST(!etcl_head_encode(&buf, &head));
        FUZZ_MUST(fuzz_same((etcl_span_t){ buf.ptr, buf.len }, whole));
        whole.len--;
        FUZZ_MUST(etcl_head_decode(&decoder, whole, &head));
    }
    return 0;
}

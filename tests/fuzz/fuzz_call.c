/* Any bytes as a CALL. Oracles: what is accepted is written again as the same
 * bytes; it stays accepted when it arrived in pieces; and no prefix of it is
 * accepted. */

#include "fuzz.h"
#include "etcl_message.h"

static etcl_decoder_t decoder;
static etcl_buffer_t buf;

static etcl_span_t encode(const etcl_call_t *call)
{
    apr_size_t i;

    etcl_buffer_clear(&buf, ETCL_CALL_MAX);
    FUZZ_MUST(!etcl_call_begin(&buf, call));
    for (i = 0; i < call->pair_count; i++) {
        FUZZ_MUST(!etcl_call_pair(&buf, (etcl_key_t)call->pairs[i].id,
                                  call->pairs[i].key, call->pairs[i].value));
    }
    FUZZ_MUST(!etcl_call_close(&buf, 0, (apr_uint32_t)call->pair_count));
    return (etcl_span_t){ buf.ptr, buf.len };
}

/* Collected from two frames, as a link would, at a place the input chooses. */
static void must_join(etcl_span_t whole)
{
    apr_size_t at = whole.len / 2 + (unsigned char)whole.ptr[0] % 7u;
    etcl_span_t pieces[] = { { whole.ptr, at },
                             { whole.ptr + at, whole.len - at } };
    etcl_call_t call;

    etcl_buffer_clear(&buf, ETCL_CALL_MAX);
    FUZZ_MUST(!etcl_buffer_add(&buf, pieces[0]));
    FUZZ_MUST(
        etcl_call_decode(&decoder, (etcl_span_t){ buf.ptr, buf.len }, &call));
    FUZZ_MUST(!etcl_buffer_add(&buf, pieces[1]));
    FUZZ_MUST(
        !etcl_call_decode(&decoder, (etcl_span_t){ buf.ptr, buf.len }, &call));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    etcl_span_t whole = { (const char *)data, size };
    etcl_call_t call;

    buf.max = ETCL_CALL_MAX;
    if (!etcl_call_decode(&decoder, whole, &call)) {
        FUZZ_MUST(call.body_len >= -1 && call.request_start_us >= 0);
        FUZZ_MUST(fuzz_same(encode(&call), whole));
        must_join(whole);
    }
    return 0;
}

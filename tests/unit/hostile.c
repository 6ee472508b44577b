/* Variants of a good input, each in memory of its own. What a decoder makes
 * of them is checked by the caller's function. */

#include "hostile.h"
#include "etcl_bytes.h"

#include <check.h>
#include <stdlib.h>

static char *copy_of(etcl_span_t bytes)
{
    char *copy = malloc(bytes.len ? bytes.len : 1);

    ck_assert_ptr_nonnull(copy);
    if (bytes.len) {
        memcpy(copy, bytes.ptr, bytes.len);
    }
    return copy;
}

static apr_status_t decode_copy(hostile_decode_t decode, etcl_span_t bytes)
{
    char *copy = bytes.len ? copy_of(bytes) : NULL;
    apr_status_t rv = decode((etcl_span_t){ copy, bytes.len });

    free(copy);
    return rv;
}

void hostile_cut(hostile_decode_t decode, etcl_span_t whole)
{
    apr_size_t len;

    for (len = 0; len < whole.len; len++) {
        ck_assert_msg(decode_copy(decode, (etcl_span_t){ whole.ptr, len }),
                      "accepted %u of %u bytes", (unsigned int)len,
                      (unsigned int)whole.len);
    }
    ck_assert_int_eq(decode_copy(decode, whole), APR_SUCCESS);
}

void hostile_flip(hostile_decode_t decode, etcl_span_t whole)
{
    char *copy = copy_of(whole);
    apr_size_t i;
    int bit;

    for (i = 0; i < whole.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            copy[i] = (char)(whole.ptr[i] ^ 1 << bit);
            decode((etcl_span_t){ copy, whole.len });
        }
        copy[i] = whole.ptr[i];
    }
    free(copy);
}

void hostile_all(hostile_decode_t decode, etcl_span_t whole)
{
    hostile_cut(decode, whole);
    hostile_flip(decode, whole);
}

apr_status_t hostile_u32(hostile_decode_t decode, etcl_span_t whole,
                         apr_size_t at, apr_uint32_t value)
{
    char *copy = copy_of(whole);
    apr_status_t rv;

    etcl_bytes_put_u32(copy + at, value);
    rv = decode((etcl_span_t){ copy, whole.len });
    free(copy);
    return rv;
}

apr_status_t hostile_i64(hostile_decode_t decode, etcl_span_t whole,
                         apr_size_t at, apr_int64_t value)
{
    char *copy = copy_of(whole);
    apr_status_t rv;

    etcl_bytes_put_i64(copy + at, value);
    rv = decode((etcl_span_t){ copy, whole.len });
    free(copy);
    return rv;
}

void hostile_same(etcl_span_t got, etcl_span_t want)
{
    ck_assert_uint_eq(got.len, want.len);
    ck_assert(!want.len || !memcmp(got.ptr, want.ptr, want.len));
}

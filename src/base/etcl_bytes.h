/* Big-endian integers and counted texts in bytes: written by a walking
 * pointer, read by a cursor that remembers that it ran out. */

#ifndef ETCL_BYTES_H
#define ETCL_BYTES_H

#include "etcl.h"

/* Store a value at `at`; return where the next one goes. */
static inline char *etcl_bytes_put_u8(char *at, unsigned int value)
{
    *at = (char)value;
    return at + 1;
}

static inline char *etcl_bytes_put_u16(char *at, unsigned int value)
{
    return etcl_bytes_put_u8(etcl_bytes_put_u8(at, value >> 8), value);
}

static inline char *etcl_bytes_put_u32(char *at, apr_uint32_t value)
{
    return etcl_bytes_put_u16(etcl_bytes_put_u16(at, value >> 16), value);
}

static inline char *etcl_bytes_put_u64(char *at, apr_uint64_t value)
{
    at = etcl_bytes_put_u32(at, (apr_uint32_t)(value >> 32));
    return etcl_bytes_put_u32(at, (apr_uint32_t)value);
}

static inline char *etcl_bytes_put_i64(char *at, apr_int64_t value)
{
    return etcl_bytes_put_u64(at, (apr_uint64_t)value);
}

static inline char *etcl_bytes_put(char *at, etcl_span_t bytes)
{
    if (bytes.len) {
        memcpy(at, bytes.ptr, bytes.len);
    }
    return at + bytes.len;
}

/** A text: u32 length, bytes. */
static inline char *etcl_bytes_put_text(char *at, etcl_span_t text)
{
    return etcl_bytes_put(etcl_bytes_put_u32(at, (apr_uint32_t)text.len), text);
}

/* Reads from the front. Once something did not fit, `bad` stays set and
 * everything read is zero, so that a decoder asks once, at its end. */
typedef struct {
    etcl_span_t rest;
    int bad;
} etcl_cursor_t;

static inline etcl_cursor_t etcl_cursor(etcl_span_t bytes)
{
    return (etcl_cursor_t){ .rest = bytes };
}

/** The next `len` bytes, or an empty span. */
static inline etcl_span_t etcl_cursor_take(etcl_cursor_t *in, apr_size_t len)
{
    etcl_span_t taken = { in->rest.ptr, len };

    if (in->bad || len > in->rest.len) {
        in->bad = 1;
        return (etcl_span_t){ "", 0 };
    }
    in->rest.ptr += len;
    in->rest.len -= len;
    return taken;
}

static inline apr_uint64_t etcl_cursor_number(etcl_cursor_t *in, apr_size_t len)
{
    etcl_span_t bytes = etcl_cursor_take(in, len);
    apr_uint64_t value = 0;
    apr_size_t i;

    for (i = 0; bytes.len && i < len; i++) {
        value = value << 8 | (unsigned char)bytes.ptr[i];
    }
    return value;
}

static inline apr_byte_t etcl_cursor_u8(etcl_cursor_t *in)
{
    return (apr_byte_t)etcl_cursor_number(in, 1);
}

static inline apr_uint16_t etcl_cursor_u16(etcl_cursor_t *in)
{
    return (apr_uint16_t)etcl_cursor_number(in, 2);
}

static inline apr_uint32_t etcl_cursor_u32(etcl_cursor_t *in)
{
    return (apr_uint32_t)etcl_cursor_number(in, 4);
}

static inline apr_uint64_t etcl_cursor_u64(etcl_cursor_t *in)
{
    return etcl_cursor_number(in, 8);
}

static inline apr_int64_t etcl_cursor_i64(etcl_cursor_t *in)
{
    return (apr_int64_t)etcl_cursor_number(in, 8);
}

/** A text as etcl_bytes_put_text() writes it. */
static inline etcl_span_t etcl_cursor_text(etcl_cursor_t *in)
{
    return etcl_cursor_take(in, etcl_cursor_u32(in));
}

/** Whether everything fitted and nothing is left. */
static inline int etcl_cursor_is_done(const etcl_cursor_t *in)
{
    return !in->bad && !in->rest.len;
}

#endif

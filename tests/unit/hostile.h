/* What every decoder must stand: input that is cut, and input with a byte that
 * is not what it was. Each variant lies in memory of exactly its size, so that
 * AddressSanitizer sees a read beyond it. */

#ifndef HOSTILE_H
#define HOSTILE_H

#include "etcl.h"

/** Decode; on success, also check that what came out is what stands there. */
typedef apr_status_t (*hostile_decode_t)(etcl_span_t bytes);

/** No prefix of `whole` may be accepted; `whole` itself is. */
void hostile_cut(hostile_decode_t decode, etcl_span_t whole);

/** Every bit of every byte changed, one at a time. */
void hostile_flip(hostile_decode_t decode, etcl_span_t whole);

/** Both. */
void hostile_all(hostile_decode_t decode, etcl_span_t whole);

/** Four bytes at `at` replaced by a big-endian number. */
apr_status_t hostile_u32(hostile_decode_t decode, etcl_span_t whole,
                         apr_size_t at, apr_uint32_t value);

/** Eight bytes at `at` replaced by a big-endian number. */
apr_status_t hostile_i64(hostile_decode_t decode, etcl_span_t whole,
                         apr_size_t at, apr_int64_t value);

/** Fail the test unless the bytes are the same. */
void hostile_same(etcl_span_t got, etcl_span_t want);

#endif

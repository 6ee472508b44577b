/* Rules about text, pure: what a number, a token, a field value, a status
 * line is. Used on both sides of the wire, so that both judge alike. */

#ifndef ETCL_TEXT_H
#define ETCL_TEXT_H

#include "etcl.h"

/**
 * A decimal integer: digits only, with an optional '-' in front.
 *
 * Returns  APR_SUCCESS  `*out` is filled
 *          ETCL_EINVAL  empty, a sign alone, a space, trailing text, overflow
 */
apr_status_t etcl_text_int(etcl_span_t text, apr_int64_t *out);

/** Digits, and K, M or G in any case for 1024 bytes and its powers; within 63
 *  bits, else ETCL_EINVAL. */
apr_status_t etcl_text_size(etcl_span_t text, apr_int64_t *out);

/** A decimal fraction such as 0.005: strict, no exponent, no hex, no sign. */
apr_status_t etcl_text_float(etcl_span_t text, double *out);

/** On or Off in any case; *out is 1 or 0. ETCL_EINVAL for all else. */
apr_status_t etcl_text_flag(etcl_span_t text, int *out);

/** Content-Length: 1*DIGIT within 63 bits (RFC 9110 8.6); else ETCL_EINVAL. */
apr_status_t etcl_text_length(etcl_span_t text, apr_int64_t *out);

/** Whether `name` is a field name: token of RFC 9110 5.6.2. */
int etcl_text_is_token(etcl_span_t name);

/** Whether `value` holds no CR, LF, NUL or other control but HTAB. */
int etcl_text_is_value(etcl_span_t value);

/** Whether `reason` holds no control character, HTAB included; may be empty. */
int etcl_text_is_reason(etcl_span_t reason);

/**
 * A status line of WSGI, "999 Reason": three digits from 100 to 999, then
 * the end or one space and a reason without control characters.
 *
 * Returns  APR_SUCCESS; `*reason` is a part of `line`
 *          ETCL_EINVAL
 * Source   PEP 3333 "The start_response() Callable"
 */
apr_status_t etcl_text_status(etcl_span_t line, int *status,
                              etcl_span_t *reason);

/**
 * Whether a header is hop-by-hop (RFC 9110 7.6.1; PEP 3333 "Other HTTP
 * Features"): Connection, Keep-Alive, Proxy-Authenticate,
 * Proxy-Authorization, TE, Trailer(s), Transfer-Encoding, Upgrade.
 */
int etcl_text_is_hop_by_hop(etcl_span_t name);

/* Room for the digits of any etcl_text_number(), and a NUL. */
#define ETCL_TEXT_NUMBER 21

/** Write a number in decimal, terminated; returns its beginning in `out`. */
const char *etcl_text_number(apr_uint64_t value, char out[ETCL_TEXT_NUMBER]);

/** Compare without case, ASCII only: 1 when equal. */
int etcl_text_same(etcl_span_t a, etcl_span_t b);

/**
 * Whether a request header of this name may become HTTP_NAME: letters, digits
 * and '-' only, and not "Proxy" (httpoxy).
 */
int etcl_text_is_cgi_header(etcl_span_t name);

/**
 * Write HTTP_NAME for a header name: upper case, '-' becomes '_'.
 *
 * Returns  the length written; at most name.len + 5, not terminated
 */
apr_size_t etcl_text_cgi_name(etcl_span_t name, char *out);

/**
 * Escape what could forge a log line: control characters (but HTAB) become
 * \n, \r, \xHH; a backslash stays. Bytes above 0x7f stay.
 *
 * Returns  the length written, at most `max`; longer text is cut
 */
apr_size_t etcl_text_escape(etcl_span_t text, char *out, apr_size_t max);

#endif

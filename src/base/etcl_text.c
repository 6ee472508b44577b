/* Rules about text as tables and small loops. No locale, no <ctype.h>: what
 * a digit or a letter is does not depend on where a server runs. */

#include "etcl_text.h"

/* What a byte may be part of. */
#define IN_TOKEN 0x1u  /* tchar of RFC 9110 5.6.2 */
#define IN_CGI 0x2u    /* a header name that CGI can spell */
#define IN_REASON 0x4u /* no control character */
#define IN_VALUE 0x8u  /* the same, and HTAB */

#define PRINT (IN_REASON | IN_VALUE)
#define MARK (IN_TOKEN | PRINT)
#define ALNUM (IN_TOKEN | IN_CGI | PRINT)

static const unsigned char classes[256] = {
    ['\t'] = IN_VALUE,      [' '] = PRINT,         ['!'] = MARK,
    ['"'] = PRINT,          ['#' ... '\''] = MARK, ['(' ... ')'] = PRINT,
    ['*' ... '+'] = MARK,   [','] = PRINT,         ['-'] = ALNUM,
    ['.'] = MARK,           ['/'] = PRINT,         ['0' ... '9'] = ALNUM,
    [':' ... '@'] = PRINT,  ['A' ... 'Z'] = ALNUM, ['[' ... ']'] = PRINT,
    ['^' ... '`'] = MARK,   ['a' ... 'z'] = ALNUM, ['{'] = PRINT,
    ['|'] = MARK,           ['}'] = PRINT,         ['~'] = MARK,
    [0x80 ... 0xff] = PRINT
};

static int all_in(etcl_span_t text, unsigned int class)
{
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        if (!(classes[(unsigned char)text.ptr[i]] & class)) {
            return 0;
        }
    }
    return 1;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Digits only, at least one, the value at most `max`, which is above 9. */
static apr_status_t take_digits(etcl_span_t text, apr_uint64_t max,
                                apr_uint64_t *out)
{
    apr_uint64_t value = 0, digit;
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        digit = (apr_uint64_t)(unsigned char)text.ptr[i] - '0';
        if (digit > 9 || value > (max - digit) / 10) {
            return ETCL_EINVAL;
        }
        value = value * 10 + digit;
    }
    if (!text.len) {
        return ETCL_EINVAL;
    }
    *out = value;
    return APR_SUCCESS;
}

apr_status_t etcl_text_int(etcl_span_t text, apr_int64_t *out)
{
    int negative = text.len && text.ptr[0] == '-';
    apr_uint64_t value, max = (apr_uint64_t)APR_INT64_MAX;
    apr_status_t rv;

    if (negative) {
        text = (etcl_span_t){ text.ptr + 1, text.len - 1 };
        max++;
    }
    rv = take_digits(text, max, &value);
    if (rv == APR_SUCCESS) {
        *out = (apr_int64_t)(negative ? 0 - value : value);
    }
    return rv;
}

apr_status_t etcl_text_size(etcl_span_t text, apr_int64_t *out)
{
    static const char units[] = "kmg";
    char last = text.len ? (char)(text.ptr[text.len - 1] | 0x20) : '\0';
    const char *unit = last ? strchr(units, last) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    apr_uint64_t value;
    apr_status_t rv;

    if (unit) {
        text.len--;
    }
    rv = take_digits(text, (apr_uint64_t)APR_INT64_MAX >> shift, &value);
    if (rv == APR_SUCCESS) {
        *out = (apr_int64_t)(value << shift);
    }
    return rv;
}

apr_status_t etcl_text_length(etcl_span_t text, apr_int64_t *out)
{
    apr_uint64_t value;
    apr_status_t rv = take_digits(text, (apr_uint64_t)APR_INT64_MAX, &value);

    if (rv == APR_SUCCESS) {
        *out = (apr_int64_t)value;
    }
    return rv;
}

/* Both parts are whole numbers below 2^53 or a power of ten up to 10^18, so
 * one division rounds as well as any parser could. */
apr_status_t etcl_text_float(etcl_span_t text, double *out)
{
    apr_uint64_t digits = 0, scale = 0;
    apr_size_t i;
    char last = text.len ? text.ptr[text.len - 1] : '.';

    if (text.len > 18 || last == '.') {
        return ETCL_EINVAL;
    }
    for (i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' && !scale) {
            scale = 1;
            continue;
        }
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return ETCL_EINVAL;
        }
        digits = digits * 10 + (apr_uint64_t)(text.ptr[i] - '0');
        scale *= 10;
    }
    *out = (double)digits / (scale ? (double)scale : 1.0);
    return APR_SUCCESS;
}

apr_status_t etcl_text_flag(etcl_span_t text, int *out)
{
    int on = etcl_text_same(text, ETCL_SPAN("on"));

    if (!on && !etcl_text_same(text, ETCL_SPAN("off"))) {
        return ETCL_EINVAL;
    }
    *out = on;
    return APR_SUCCESS;
}

int etcl_text_is_token(etcl_span_t name)
{
    return name.len && all_in(name, IN_TOKEN);
}

int etcl_text_is_value(etcl_span_t value)
{
    return all_in(value, IN_VALUE);
}

int etcl_text_is_reason(etcl_span_t reason)
{
    return all_in(reason, IN_REASON);
}

apr_status_t etcl_text_status(etcl_span_t line, int *status,
                              etcl_span_t *reason)
{
    etcl_span_t rest = { "", 0 };
    apr_uint64_t code;

    if (line.len < 3 || take_digits((etcl_span_t){ line.ptr, 3 }, 999, &code) ||
        code < 100) {
        return ETCL_EINVAL;
    }
    if (line.len > 3) {
        rest = (etcl_span_t){ line.ptr + 4, line.len - 4 };
        if (line.ptr[3] != ' ' || !etcl_text_is_reason(rest)) {
            return ETCL_EINVAL;
        }
    }
    *status = (int)code;
    *reason = rest;
    return APR_SUCCESS;
}

int etcl_text_is_hop_by_hop(etcl_span_t name)
{
    static const etcl_span_t names[] = {
        ETCL_SPAN("connection"),
        ETCL_SPAN("keep-alive"),
        ETCL_SPAN("proxy-authenticate"),
        ETCL_SPAN("te"),
        ETCL_SPAN("proxy-authorization"),
        ETCL_SPAN("trailer"),
        ETCL_SPAN("transfer-encoding"),
        ETCL_SPAN("trailers"),
        ETCL_SPAN("upgrade"),
    };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (name.len == names[i].len && etcl_text_same(name, names[i])) {
            return 1;
        }
    }
    return 0;
}

/* From the end: printf would take longer than all else of a variable. */
const char *etcl_text_number(apr_uint64_t value, char out[ETCL_TEXT_NUMBER])
{
    char *at = out + ETCL_TEXT_NUMBER - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return at;
}

int etcl_text_same(etcl_span_t a, etcl_span_t b)
{
    apr_size_t i;

    if (a.len != b.len) {
        return 0;
    }
    for (i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return 0;
        }
    }
    return 1;
}

int etcl_text_is_cgi_header(etcl_span_t name)
{
    return name.len && all_in(name, IN_CGI) &&
           !etcl_text_same(name, ETCL_SPAN("proxy"));
}

apr_size_t etcl_text_cgi_name(etcl_span_t name, char *out)
{
    apr_size_t i;

    memcpy(out, "HTTP_", 5);
    for (i = 0; i < name.len; i++) {
        out[5 + i] = name.ptr[i] == '-' ? '_' : upper(name.ptr[i]);
    }
    return 5 + name.len;
}

/* How one byte stands in a log line; returns the length, at most 4. */
static apr_size_t escape_byte(char c, char *out)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char byte = (unsigned char)c;

    if (classes[byte] & IN_VALUE) {
        out[0] = c;
        return 1;
    }
    out[0] = '\\';
    if (c == '\n' || c == '\r') {
        out[1] = c == '\n' ? 'n' : 'r';
        return 2;
    }
    out[1] = 'x';
    out[2] = hex[byte >> 4];
    out[3] = hex[byte & 15];
    return 4;
}

apr_size_t etcl_text_escape(etcl_span_t text, char *out, apr_size_t max)
{
    apr_size_t i, piece, len = 0;
    char bytes[4];

    for (i = 0; i < text.len; i++) {
        piece = escape_byte(text.ptr[i], bytes);
        if (piece > max - len) {
            break;
        }
        memcpy(out + len, bytes, piece);
        len += piece;
    }
    return len;
}

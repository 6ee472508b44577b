/* One table says which headers belong together; what uses them and what
 * removes them both ask it. Addresses are read by inet_pton, so that nothing
 * here ever asks a name server. */

#include "etcl_proxy.h"
#include "etcl_text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>

#define V4_AT 12 /* where the bytes of an IPv4 address are */
#define V6_BITS 128

/* How the value of a header of the scheme is to be read. */
typedef enum { PLAIN, WORD, SWITCH } reading_t;

static const struct {
    const char *name;
    etcl_proxy_family_t family;
    reading_t reading;
} headers[] = {
    { "x-forwarded-for", ETCL_PROXY_CLIENT, PLAIN },
    { "x-client-ip", ETCL_PROXY_CLIENT, PLAIN },
    { "x-real-ip", ETCL_PROXY_CLIENT, PLAIN },
    { "x-forwarded-host", ETCL_PROXY_HOST, PLAIN },
    { "x-host", ETCL_PROXY_HOST, PLAIN },
    { "x-forwarded-server", ETCL_PROXY_SERVER, PLAIN },
    { "x-forwarded-port", ETCL_PROXY_PORT, PLAIN },
    { "x-script-name", ETCL_PROXY_SCRIPT, PLAIN },
    { "x-forwarded-script-name", ETCL_PROXY_SCRIPT, PLAIN },
    { "x-forwarded-proto", ETCL_PROXY_SCHEME, WORD },
    { "x-forwarded-scheme", ETCL_PROXY_SCHEME, WORD },
    { "x-scheme", ETCL_PROXY_SCHEME, WORD },
    { "x-forwarded-https", ETCL_PROXY_SCHEME, SWITCH },
    { "x-forwarded-ssl", ETCL_PROXY_SCHEME, SWITCH },
    { "x-https", ETCL_PROXY_SCHEME, SWITCH },
};

#define COUNT (sizeof headers / sizeof headers[0])

static const struct {
    const char *text;
    reading_t reading;
    int is_https;
} schemes[] = {
    { "https", WORD, 1 },   { "http", WORD, 0 }, { "on", SWITCH, 1 },
    { "true", SWITCH, 1 },  { "1", SWITCH, 1 },  { "off", SWITCH, 0 },
    { "false", SWITCH, 0 }, { "0", SWITCH, 0 },
};

static int is_header(etcl_span_t header, const char *name)
{
    apr_size_t i;

    if (header.len != strlen(name)) {
        return 0;
    }
    for (i = 0; i < header.len; ++i) {
        char c = header.ptr[i] == '_' ? '-' : header.ptr[i];

        if (apr_tolower(c) != name[i]) {
            return 0;
        }
    }
    return 1;
}

/* The line of the table, or COUNT. */
static apr_size_t find_header(etcl_span_t header)
{
    apr_size_t i = 0;

    while (i < COUNT && !is_header(header, headers[i].name)) {
        ++i;
    }
    return i;
}

etcl_proxy_family_t etcl_proxy_family(etcl_span_t header)
{
    apr_size_t at = find_header(header);

    return at < COUNT ? headers[at].family : ETCL_PROXY_NONE;
}

int etcl_proxy_scheme(etcl_span_t header, etcl_span_t value)
{
    apr_size_t at = find_header(header), i;

    for (i = 0; at < COUNT && i < sizeof schemes / sizeof schemes[0]; ++i) {
        if (schemes[i].reading == headers[at].reading &&
            etcl_text_same(value, etcl_span(schemes[i].text))) {
            return schemes[i].is_https;
        }
    }
    return -1;
}

/* Returns how many bits an address of this kind has, or 0: it is none. */
static int read_address(const char *text, unsigned char ip[16])
{
    static const unsigned char mapped[V4_AT] = { [10] = 0xff, [11] = 0xff };

    if (inet_pton(AF_INET6, text, ip) == 1) {
        return V6_BITS;
    }
    memcpy(ip, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, ip + V4_AT) == 1 ? 32 : 0;
}

/* 255.255.0.0 is 16; a mask with a hole is none: -1. */
static int bits_of_mask(const char *text)
{
    unsigned char mask[4];
    int bits = 0, i;

    if (inet_pton(AF_INET, text, mask) != 1) {
        return -1;
    }
    while (bits < 32 && mask[bits / 8] & (0x80 >> bits % 8)) {
        ++bits;
    }
    for (i = bits; i < 32; ++i) {
        if (mask[i / 8] & (0x80 >> i % 8)) {
            return -1;
        }
    }
    return bits;
}

static int read_bits(const char *text, int most)
{
    apr_int64_t bits;

    if (strchr(text, '.')) {
        return most == 32 ? bits_of_mask(text) : -1;
    }
    if (etcl_text_length(etcl_span(text), &bits) || bits > most) {
        return -1;
    }
    return (int)bits;
}

apr_status_t etcl_proxy_net(const char *text, etcl_proxy_net_t *out)
{
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN];
    etcl_proxy_net_t net;
    int most;

    if ((slash ? (size_t)(slash - text) : strlen(text)) >= sizeof address) {
        return ETCL_EINVAL;
    }
    apr_cpystrn(address, text,
                slash ? (apr_size_t)(slash - text) + 1 : sizeof address);
    most = read_address(address, net.ip);
    net.bits = most && slash ? read_bits(slash + 1, most) : most;
    if (!most || net.bits < 0) {
        return ETCL_EINVAL;
    }
    net.bits += V6_BITS - most;
    *out = net;
    return APR_SUCCESS;
}

static int is_in_net(const unsigned char ip[16], const etcl_proxy_net_t *net)
{
    const int whole = net->bits / 8, left = net->bits % 8;

    return !memcmp(ip, net->ip, (size_t)whole) &&
           (!left || !((ip[whole] ^ net->ip[whole]) & (0xff00 >> left) & 0xff));
}

int etcl_proxy_is_in(const char *address, const apr_array_header_t *nets)
{
    unsigned char ip[16];
    int i;

    if (!read_address(address, ip)) {
        return 0;
    }
    for (i = 0; i < nets->nelts; ++i) {
        if (is_in_net(ip, &APR_ARRAY_IDX(nets, i, etcl_proxy_net_t))) {
            return 1;
        }
    }
    return 0;
}

/* The entries of a list, const char *; empty ones are left out. */
static apr_array_header_t *split(const char *list, apr_pool_t *pool)
{
    apr_array_header_t *out = apr_array_make(pool, 4, sizeof(const char *));
    char *state, *entry;

    for (entry = apr_strtok(apr_pstrdup(pool, list), ", \t", &state); entry;
         entry = apr_strtok(NULL, ", \t", &state)) {
        *(const char **)apr_array_push(out) = entry;
    }
    return out;
}

/* Where the client stands in a list that ends with proxies; or its length. */
static int walk(const apr_array_header_t *entries,
                const apr_array_header_t *nets)
{
    unsigned char ip[16];
    int at = entries->nelts;

    while (at && etcl_proxy_is_in(APR_ARRAY_IDX(entries, at - 1, const char *),
                                  nets)) {
        --at;
    }
    if (at && read_address(APR_ARRAY_IDX(entries, at - 1, const char *), ip)) {
        --at;
    }
    return at;
}

const char *etcl_proxy_client(const char *list, const apr_array_header_t *nets,
                              apr_pool_t *pool, const char **rest)
{
    apr_array_header_t *entries = split(list, pool);
    int at = nets && entries->nelts ? walk(entries, nets) : 0;

    if (at >= entries->nelts) {
        return NULL;
    }
    entries->elts += (size_t)at * sizeof(const char *);
    entries->nelts -= at;
    *rest = apr_array_pstrcat(pool, entries, ',');
    return APR_ARRAY_IDX(entries, 0, const char *);
}

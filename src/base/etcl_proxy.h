/* What proxies say about a request in headers: which headers mean the same,
 * whom to believe, and what a value means. Knows no request. */

#ifndef ETCL_PROXY_H
#define ETCL_PROXY_H

#include "etcl.h"

#include <apr_tables.h>

/* Headers of one family say the same thing; only one of them is believed. */
typedef enum {
    ETCL_PROXY_NONE,
    ETCL_PROXY_CLIENT, /* REMOTE_ADDR */
    ETCL_PROXY_HOST,   /* HTTP_HOST */
    ETCL_PROXY_SERVER, /* SERVER_NAME */
    ETCL_PROXY_PORT,   /* SERVER_PORT */
    ETCL_PROXY_SCRIPT, /* SCRIPT_NAME */
    ETCL_PROXY_SCHEME, /* wsgi.url_scheme */
    ETCL_PROXY_FAMILIES
} etcl_proxy_family_t;

/* A network, or one address; IPv4 as IPv6 writes it (RFC 4291 2.5.5.2). */
typedef struct {
    unsigned char ip[16];
    int bits; /* how many of them count */
} etcl_proxy_net_t;

/**
 * The family of a header; letters in any case, '_' as '-'.
 */
etcl_proxy_family_t etcl_proxy_family(etcl_span_t header);

/**
 * An address, address/bits or address/mask. Names are not looked up.
 *
 * Returns  APR_SUCCESS, ETCL_EINVAL: `*out` is untouched
 */
apr_status_t etcl_proxy_net(const char *text, etcl_proxy_net_t *out);

/**
 * Whether `address` is one, and in a network of `nets` (etcl_proxy_net_t).
 */
int etcl_proxy_is_in(const char *address, const apr_array_header_t *nets);

/**
 * The scheme that a header of ETCL_PROXY_SCHEME means.
 *
 * Returns  1 https, 0 http, -1 neither: the value says nothing
 */
int etcl_proxy_scheme(etcl_span_t header, etcl_span_t value);

/**
 * The client in a list "client, proxy, proxy". Without `nets` the first
 * entry. With them, the entry left of those at the right end that are
 * trusted; where that is no address, the trusted one beside it.
 *
 * Owns     texts live in `pool`
 * Returns  NULL when the list has no entry, or none that is an address;
 *          `*rest` is the list from the client on, as it may be shown
 */
const char *etcl_proxy_client(const char *list, const apr_array_header_t *nets,
                              apr_pool_t *pool, const char **rest);

#endif

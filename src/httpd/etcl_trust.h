/* What of a proxy's headers an environ believes: WSGITrustedProxyHeaders and
 * WSGITrustedProxies. Nothing else in Apache is changed by it. */

#ifndef ETCL_TRUST_H
#define ETCL_TRUST_H

#include "etcl_httpd.h"
#include "etcl_proxy.h"

/* By family; NULL: nothing. */
typedef struct {
    int is_active;                     /* 0: every header stays as it is */
    int declared[ETCL_PROXY_FAMILIES]; /* a header of it was declared */
    const char *header[ETCL_PROXY_FAMILIES]; /* the one that is kept */
    const char *shown[ETCL_PROXY_FAMILIES];  /* its value in environ */
    const char *value[ETCL_PROXY_FAMILIES];  /* for the key it replaces */
    int https;                               /* 1, 0; -1: what Apache says */
} etcl_trust_t;

/**
 * Judge a request's headers. No name is ever looked up.
 *
 * Owns     texts live in r->pool or in the request
 */
void etcl_trust_judge(request_rec *r, etcl_trust_t *out);

/** The value with which a header goes into environ; NULL: it does not. */
const char *etcl_trust_value(const etcl_trust_t *trust, etcl_span_t name,
                             const char *value);

#endif

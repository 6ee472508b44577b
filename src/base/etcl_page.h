/* The page of warm-up=, as it is stated: a path, or the whole URL of one. Pure:
 * which script answers it is decided in src/httpd. */

#ifndef ETCL_PAGE_H
#define ETCL_PAGE_H

#include "etcl.h"

typedef struct {
    int https;
    const char *host;  /* what a Host header would say; NULL: not stated */
    const char *name;  /* the same without its port; NULL likewise */
    const char *port;  /* digits; NULL: not stated */
    const char *uri;   /* path and query, as stated */
    const char *path;  /* decoded, without the query */
    const char *query; /* may be empty */
} etcl_page_t;

/**
 * Take it apart.
 *
 * Shape    "/path[?query]" or "http[s]://host[:port]/path[?query]", of
 *          printable ASCII without blank, quotes and '#'; an octet of the path
 *          may be %XX, but not %00
 * Owns     the parts are copies in `pool`
 * Returns  APR_SUCCESS, or ETCL_EINVAL
 * Source   RFC 3986 section 3
 */
apr_status_t etcl_page_parse(const char *text, apr_pool_t *pool,
                             etcl_page_t *out);

/**
 * Whether a path is that of a mount, or below it.
 *
 * mount    a SCRIPT_NAME: "" is the root, "/shop" has no slash at its end
 */
int etcl_page_is_below(const char *path, const char *mount);

#endif

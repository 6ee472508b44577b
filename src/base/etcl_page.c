/* Takes the value of warm-up= apart. No name is looked up, and nothing is
 * asked for here. */

#include "etcl_page.h"

#include <apr_lib.h>
#include <apr_strings.h>

static int is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~' || strchr("\"#<>\\", *text)) {
            return 0;
        }
    }
    return 1;
}

static int hex(char digit)
{
    return apr_isdigit(digit) ? digit - '0' : apr_tolower(digit) - 'a' + 10;
}

/* In place. */
static apr_status_t decode(char *path)
{
    char *to = path;

    for (; *path; path++, to++) {
        *to = *path;
        if (*path != '%') {
            continue;
        }
        if (!apr_isxdigit(path[1]) || !apr_isxdigit(path[2])) {
            return ETCL_EINVAL;
        }
        *to = (char)(hex(path[1]) * 16 + hex(path[2]));
        if (!*to) {
            return ETCL_EINVAL;
        }
        path += 2;
    }
    *to = '\0';
    return APR_SUCCESS;
}

static apr_status_t take_path(const char *uri, apr_pool_t *pool,
                              etcl_page_t *out)
{
    const char *query = strchr(uri, '?');
    char *path;

    if (*uri != '/') {
        return ETCL_EINVAL;
    }
    path = query ? apr_pstrmemdup(pool, uri, (apr_size_t)(query - uri))
                 : apr_pstrdup(pool, uri);
    out->uri = apr_pstrdup(pool, uri);
    out->path = path;
    out->query = query ? apr_pstrdup(pool, query + 1) : "";
    return decode(path);
}

/* "shop.example:8080", "[::1]": the port is behind the last colon that is not
 * in brackets. */
static apr_status_t take_host(const char *host, apr_size_t len,
                              apr_pool_t *pool, etcl_page_t *out)
{
    char *name = apr_pstrmemdup(pool, host, len), *colon = strrchr(name, ':');

    out->host = apr_pstrdup(pool, name);
    out->name = name;
    if (colon && !strchr(colon, ']')) {
        *colon = '\0';
        out->port = colon + 1;
    }
    if (!*name || strpbrk(name, "@/%?") ||
        (out->port &&
         (!*out->port || out->port[strspn(out->port, "0123456789")]))) {
        return ETCL_EINVAL;
    }
    return APR_SUCCESS;
}

apr_status_t etcl_page_parse(const char *text, apr_pool_t *pool,
                             etcl_page_t *out)
{
    apr_size_t len;

    *out = (etcl_page_t){ .https = !strncasecmp(text, "https://", 8) };
    if (!is_plain(text)) {
        return ETCL_EINVAL;
    }
    if (*text == '/') {
        return take_path(text, pool, out);
    }
    if (!out->https && strncasecmp(text, "http://", 7)) {
        return ETCL_EINVAL;
    }
    text += out->https ? 8 : 7;
    len = strcspn(text, "/");
    return take_host(text, len, pool, out) == APR_SUCCESS
               ? take_path(text + len, pool, out)
               : ETCL_EINVAL;
}

int etcl_page_is_below(const char *path, const char *mount)
{
    apr_size_t len = strlen(mount);

    return !strncmp(path, mount, len) && (path[len] == '/' || !path[len]);
}

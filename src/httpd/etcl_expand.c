/* Replaces the variables that may stand for a group or a callable. Reads the
 * request and the server; decides nothing about groups. */

#include "etcl_expand.h"
#include "etcl_config.h"

#include <stdlib.h>
#include <util_script.h>

static const char *with_port(apr_pool_t *pool, const char *host,
                             apr_port_t port)
{
    if (!port || port == DEFAULT_HTTP_PORT || port == DEFAULT_HTTPS_PORT) {
        return host;
    }
    return apr_psprintf(pool, "%s:%u", host, port);
}

static const char *host_of(const server_rec *server)
{
    return server->server_hostname ? server->server_hostname : "";
}

const char *etcl_expand_script_name(request_rec *r)
{
    const char *info = r->path_info ? r->path_info : "";
    int len = ap_find_path_info(r->uri, info);
    char *name = apr_pstrmemdup(r->pool, r->uri, (apr_size_t)len);

    ap_no2slash(name);
    return name;
}

/* WSGICaseSensitivity Off: names that differ in case are one resource. */
static const char *fold(const char *name, apr_pool_t *pool)
{
    char *out;

    if (etcl_config_flag(&etcl_config_main()->case_sensitivity, 1)) {
        return name;
    }
    out = apr_pstrdup(pool, name);
    ap_str_tolower(out);
    return out;
}

static const char *resource_of(request_rec *r)
{
    return apr_pstrcat(
        r->pool, with_port(r->pool, host_of(r->server), ap_get_server_port(r)),
        "|", fold(etcl_expand_script_name(r), r->pool), NULL);
}

/* The name in "%{ENV:name}", or NULL. */
static const char *env_name(apr_pool_t *pool, const char *value)
{
    size_t len = strlen(value);

    if (strncmp(value, "%{ENV:", 6) || value[len - 1] != '}') {
        return NULL;
    }
    return apr_pstrmemdup(pool, value + 6, len - 7);
}

static const char *env_value(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->notes, name);

    if (!value) {
        value = apr_table_get(r->subprocess_env, name);
    }
    return value ? value : getenv(name);
}

static const char *expand_plain(request_rec *r, const char *value)
{
    if (!strcmp(value, "%{GLOBAL}")) {
        return "";
    }
    if (!strcmp(value, "%{RESOURCE}")) {
        return resource_of(r);
    }
    if (!strcmp(value, "%{SERVER}")) {
        return with_port(r->pool, host_of(r->server), ap_get_server_port(r));
    }
    if (!strcmp(value, "%{HOST}")) {
        return with_port(r->pool,
                         r->hostname ? r->hostname : host_of(r->server),
                         ap_get_server_port(r));
    }
    return value;
}

const char *etcl_expand_group(request_rec *r, const char *value)
{
    const char *name, *found;

    if (*value != '%') {
        return value;
    }
    name = env_name(r->pool, value);
    if (!name) {
        return expand_plain(r, value);
    }
    found = env_value(r, name);
    if (!found) {
        return value;
    }
    return *found == '%' ? expand_plain(r, found) : found;
}

const char *etcl_expand_fixed(request_rec *r, const char *value)
{
    return strcmp(value, "%{RESOURCE}") ? expand_plain(r, value) : value;
}

const char *etcl_expand_callable(request_rec *r, const char *value)
{
    const char *name, *found;

    if (*value != '%') {
        return value;
    }
    name = env_name(r->pool, value);
    found = name ? env_value(r, name) : NULL;
    return found && *found && *found != '%' ? found : "application";
}

const char *etcl_expand_early(const server_rec *server, const char *value,
                              const char *mount, apr_pool_t *pool)
{
    apr_port_t port = server->port;
    const char *name;

    if (*value != '%') {
        return value;
    }
    if (!strcmp(value, "%{GLOBAL}")) {
        return "";
    }
    if (!port && server->addrs) {
        port = server->addrs->host_port;
    }
    name = with_port(pool, host_of(server), port);
    if (!strcmp(value, "%{SERVER}")) {
        return name;
    }
    if (!strcmp(value, "%{RESOURCE}") && mount) {
        return apr_pstrcat(pool, name, "|", fold(mount, pool), NULL);
    }
    if (!strcmp(value, "%{RESOURCE}") || !strcmp(value, "%{HOST}") ||
        env_name(pool, value)) {
        return NULL;
    }
    return value;
}

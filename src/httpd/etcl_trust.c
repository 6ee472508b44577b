/* From each family of headers in which the administrator declared one, a
 * trusted proxy's last declared header is kept, and everything else removed:
 * what is not believed must not be there for an application to believe. */

#include "etcl_trust.h"
#include "etcl_config.h"

/* mod_remoteip has spoken already: useragent_ip is the peer as it sees it. */
static int is_peer_trusted(const request_rec *r, const etcl_dir_t *dir)
{
    return !dir->trusted_proxies.stated ||
           etcl_proxy_is_in(r->useragent_ip, dir->trusted_proxies.value);
}

static void use_header(request_rec *r, etcl_trust_t *trust, const char *name,
                       const char *value)
{
    const etcl_proxy_family_t family = etcl_proxy_family(etcl_span(name));

    trust->header[family] = name;
    trust->shown[family] = value;
    trust->value[family] = value;
    if (family == ETCL_PROXY_SCHEME) {
        trust->https = etcl_proxy_scheme(etcl_span(name), etcl_span(value));
    }
    if (!strcasecmp(name, "X-Forwarded-For")) {
        const etcl_setting_t *nets = &etcl_config_dir(r)->trusted_proxies;
        const char *rest = value;

        trust->value[family] = etcl_proxy_client(
            value, nets->stated ? nets->value : NULL, r->pool, &rest);
        trust->shown[family] = nets->stated ? rest : value;
    }
}

void etcl_trust_judge(request_rec *r, etcl_trust_t *out)
{
    const etcl_dir_t *dir = etcl_config_dir(r);
    const apr_array_header_t *headers = dir->trusted_headers.value;
    int i, is_trusted;

    *out = (etcl_trust_t){ .https = -1 };
    if (!headers) {
        return;
    }
    out->is_active = 1;
    is_trusted = is_peer_trusted(r, dir);
    for (i = 0; i < headers->nelts; ++i) {
        const char *name = APR_ARRAY_IDX(headers, i, const char *);
        const char *value = apr_table_get(r->headers_in, name);

        out->declared[etcl_proxy_family(etcl_span(name))] = 1;
        if (is_trusted && value) {
            use_header(r, out, name, value);
        }
    }
    out->declared[ETCL_PROXY_NONE] = 0;
}

const char *etcl_trust_value(const etcl_trust_t *trust, etcl_span_t name,
                             const char *value)
{
    etcl_proxy_family_t family;

    if (!trust->is_active) {
        return value;
    }
    family = etcl_proxy_family(name);
    if (!trust->declared[family]) {
        return value;
    }
    if (!trust->header[family] || strlen(trust->header[family]) != name.len ||
        strncasecmp(trust->header[family], name.ptr, name.len)) {
        return NULL;
    }
    return trust->shown[family];
}

/* Finds the WSGIScriptAlias or WSGIScriptAliasMatch of a request, by the same
 * rules as mod_alias, which comes first: an Alias always wins. */

#include "etcl_alias.h"

apr_size_t etcl_alias_match(const char *uri, const char *prefix)
{
    const char *at = uri;

    while (*prefix) {
        if (*prefix == '/') {
            if (*at != '/') {
                return 0;
            }
            prefix += strspn(prefix, "/");
            at += strspn(at, "/");
        } else if (*at++ != *prefix++) {
            return 0;
        }
    }
    /* "/shop" is not the beginning of "/shopping"; "/shop/" and "/" have
     * said themselves where they end. */
    if (at > uri && at[-1] != '/' && *at && *at != '/') {
        return 0;
    }
    return (apr_size_t)(at - uri);
}

static int match_prefix(request_rec *r, const etcl_alias_t *alias,
                        etcl_hit_t *hit)
{
    apr_size_t len = etcl_alias_match(r->uri, alias->url);

    if (!len) {
        return 0;
    }
    hit->script = alias->target;
    hit->rest = strcmp(alias->url, "/") ? r->uri + len : r->uri;
    return 1;
}

static int match_regex(request_rec *r, const etcl_alias_t *alias,
                       etcl_hit_t *hit)
{
    ap_regmatch_t found[AP_MAX_REG_MATCH];

    if (ap_regexec(alias->regex, r->uri, AP_MAX_REG_MATCH, found, 0)) {
        return 0;
    }
    hit->script =
        ap_pregsub(r->pool, alias->target, r->uri, AP_MAX_REG_MATCH, found);
    hit->rest = r->uri + found[0].rm_eo;
    return hit->script != NULL;
}

static etcl_hit_t *first_hit(request_rec *r)
{
    const apr_array_header_t *aliases = etcl_config_server(r->server)->aliases;
    etcl_hit_t hit;
    int i;

    for (i = 0; i < aliases->nelts; ++i) {
        hit.alias = APR_ARRAY_IDX(aliases, i, const etcl_alias_t *);
        if (hit.alias->regex ? match_regex(r, hit.alias, &hit)
                             : match_prefix(r, hit.alias, &hit)) {
            return apr_pmemdup(r->pool, &hit, sizeof hit);
        }
    }
    return NULL;
}

int etcl_alias_translate(request_rec *r)
{
    etcl_hit_t *hit;

    if (r->uri[0] != '/' || r->proxyreq) {
        return DECLINED;
    }
    hit = first_hit(r);
    if (!hit) {
        return DECLINED;
    }
    r->filename = apr_pstrcat(r->pool, hit->script, hit->rest, NULL);
    r->handler = "wsgi-script";
    apr_table_setn(r->notes, "alias-forced-type", r->handler);
    ap_set_module_config(r->request_config, &etcl_module, hit);
    return OK;
}

const etcl_hit_t *etcl_alias_hit(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &etcl_module);
}

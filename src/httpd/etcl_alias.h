/* WSGIScriptAlias: from a URL to a script. */

#ifndef ETCL_ALIAS_H
#define ETCL_ALIAS_H

#include "etcl_config.h"

/* What an alias made of a request; kept in its request_config. */
typedef struct {
    const etcl_alias_t *alias;
    const char *script; /* the target, $1... replaced */
    const char *rest;   /* what follows the match in the URI */
} etcl_hit_t;

/** Hook translate_name: the first alias that matches sets r->filename and the
 *  handler. */
int etcl_alias_translate(request_rec *r);

/** What etcl_alias_translate found for this request, or NULL. */
const etcl_hit_t *etcl_alias_hit(const request_rec *r);

/**
 * How many bytes of `uri` a prefix matches: runs of '/' are equal to one, and
 * the match ends where a path segment ends. 0: it does not match.
 */
apr_size_t etcl_alias_match(const char *uri, const char *prefix);

#endif

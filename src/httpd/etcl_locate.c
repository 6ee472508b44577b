/* Spares httpd from looking for the path behind a script in the file system:
 * it never exists. A target that is a folder is left to httpd's walk, and so
 * is all access control. */

#include "etcl_locate.h"
#include "etcl_alias.h"

#include <apr_file_info.h>

int etcl_locate_script(request_rec *r)
{
    const etcl_hit_t *hit = etcl_alias_hit(r);
    apr_finfo_t info;

    if (!hit || (*hit->rest && *hit->rest != '/')) {
        return DECLINED;
    }
    if (apr_stat(&info, hit->script, APR_FINFO_MIN, r->pool) ||
        info.filetype != APR_REG) {
        return DECLINED;
    }
    r->filename = apr_pstrdup(r->pool, hit->script);
    r->path_info = apr_pstrdup(r->pool, hit->rest);
    r->finfo = info;
    return DECLINED;
}

/* Secrets often come as environment variables: they are read where only the
 * parent can, travel in the sealed options, and are shown nowhere. */

#include "etcl_variables.h"
#include "etcl_envfile.h"

#define FILE_MAX (1024 * 1024)

static const char *load_file(const char *path, apr_pool_t *pool,
                             etcl_span_t *out)
{
    apr_file_t *file;
    apr_size_t len = 0;
    char text[120], *bytes = apr_palloc(pool, FILE_MAX);
    apr_status_t rv =
        apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool);

    if (!rv) {
        rv = apr_file_read_full(file, bytes, FILE_MAX, &len);
        apr_file_close(file);
    }
    if (!rv) {
        return apr_psprintf(pool, "environment-file=%s has %d bytes or more",
                            path, FILE_MAX);
    }
    if (!APR_STATUS_IS_EOF(rv)) {
        return apr_psprintf(pool,
                            "environment-file=%s cannot be read (%s): name a "
                            "file that Apache's parent process can read",
                            path, apr_strerror(rv, text, sizeof text));
    }
    *out = (etcl_span_t){ bytes, len };
    return NULL;
}

const char *etcl_variables_read(etcl_group_t *group, apr_pool_t *pool)
{
    const char *path = group->options.environment_file, *list, *wrong;
    etcl_span_t text = { NULL, 0 };
    int line = 0;

    if (!path) {
        return NULL;
    }
    wrong = load_file(path, pool, &text);
    if (wrong) {
        return wrong;
    }
    if (etcl_envfile_parse(text, pool, &list, &line)) {
        return apr_psprintf(pool,
                            "environment-file=%s, line %d, is not NAME=value, "
                            "or its quotes are not closed",
                            path, line);
    }
    if (list && group->options.env) {
        list = etcl_envfile_add(list, group->options.env, pool);
    }
    group->options.env = list ? list : group->options.env;
    return NULL;
}

const char *etcl_variables_hide(const char *option, const char *value,
                                apr_pool_t *pool)
{
    if (strcmp(option, "env")) {
        return value;
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, value, strcspn(value, "=")),
                       "=...", NULL);
}

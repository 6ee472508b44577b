/* A group's options from their texts. What a user or a path is, whether it
 * exists, and what follows from it, is decided in src/httpd. */

#include "etcl_envfile.h"
#include "etcl_group_table.h"
#include "etcl_page.h"
#include "etcl_text.h"

#include <apr_strings.h>

#define UNSET(field, option, kind, unset, low, high) .field = unset,
static const etcl_group_options_t unset_options = { ETCL_GROUP_OPTIONS(UNSET) };

void etcl_group_init(etcl_group_t *group, const char *name)
{
    *group = (etcl_group_t){ .name = name,
                             .options = unset_options,
                             .uid = -1,
                             .gid = -1,
                             .peer_uid = -1,
                             .log_level = ETCL_LOG_WARNING,
                             .write_bytecode = 1,
                             .destroy_interpreter = 1,
                             .case_sensitive = 1,
                             .reload = 1 };
}

static apr_status_t parse_octal(etcl_span_t text, apr_int64_t *out)
{
    apr_int64_t value = 0;
    apr_size_t i;

    for (i = 0; i < text.len && value <= 0777; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '7') {
            return ETCL_EINVAL;
        }
        value = value * 8 + (text.ptr[i] - '0');
    }
    *out = value;
    return text.len ? APR_SUCCESS : ETCL_EINVAL;
}

static apr_status_t parse_flag(etcl_span_t text, apr_int64_t *out)
{
    int on = 0;
    apr_status_t rv = etcl_text_flag(text, &on);

    *out = on;
    return rv;
}

static apr_status_t parse_reload(etcl_span_t text, apr_int64_t *out)
{
    *out = etcl_span_is(text, "wait");
    return *out || etcl_span_is(text, "rolling") ? APR_SUCCESS : ETCL_EINVAL;
}

static apr_status_t parse_number(etcl_group_kind_t kind, etcl_span_t text,
                                 apr_int64_t *out)
{
    switch (kind) {
    case ETCL_GROUP_OCTAL:
        return parse_octal(text, out);
    case ETCL_GROUP_FLAG:
        return parse_flag(text, out);
    case ETCL_GROUP_RELOAD:
        return parse_reload(text, out);
    case ETCL_GROUP_SIZE:
        return etcl_text_size(text, out);
    default:
        return etcl_text_int(text, out);
    }
}

static apr_status_t set_number(etcl_group_options_t *options, int at,
                               const char *value)
{
    apr_int64_t number;
    apr_status_t rv =
        parse_number(etcl_group_table[at].kind, etcl_span(value), &number);

    if (rv != APR_SUCCESS || !etcl_group_table_allows(at, number)) {
        return ETCL_EINVAL;
    }
    *etcl_group_table_number(options, at) = number;
    return APR_SUCCESS;
}

static apr_status_t set_float(etcl_group_options_t *options, int at,
                              const char *value)
{
    double number;
    apr_status_t rv = etcl_text_float(etcl_span(value), &number);

    if (rv != APR_SUCCESS || number <= 0) {
        return ETCL_EINVAL;
    }
    *etcl_group_table_float(options, at) = number;
    return APR_SUCCESS;
}

static apr_status_t add_pair(etcl_group_options_t *options, int at,
                             const char *value, apr_pool_t *pool)
{
    const char **list = etcl_group_table_text(options, at);

    if (!etcl_envfile_is_pair(value)) {
        return ETCL_EINVAL;
    }
    *list = etcl_envfile_add(*list, value, pool);
    return APR_SUCCESS;
}

/* "/srv/shop/src:/srv/lib": none is empty. */
static int are_folders(const char *text)
{
    while (*text == '/') {
        text = strchr(text, ':');
        if (!text) {
            return 1;
        }
        text++;
    }
    return 0;
}

static apr_status_t set_value(etcl_group_options_t *options, int at,
                              const char *value, apr_pool_t *pool)
{
    etcl_page_t page;

    switch (etcl_group_table[at].kind) {
    case ETCL_GROUP_LIST:
        return add_pair(options, at, value, pool);
    case ETCL_GROUP_FOLDERS:
        if (!are_folders(value)) {
            return ETCL_EINVAL;
        }
        *etcl_group_table_text(options, at) = value;
        return APR_SUCCESS;
    case ETCL_GROUP_PAGE:
        if (etcl_page_parse(value, pool, &page) != APR_SUCCESS) {
            return ETCL_EINVAL;
        }
        *etcl_group_table_text(options, at) = value;
        return APR_SUCCESS;
    case ETCL_GROUP_PATH:
        if (value[0] != '/') {
            return ETCL_EINVAL;
        }
        /* fall through */
    case ETCL_GROUP_TEXT:
        *etcl_group_table_text(options, at) = value;
        return APR_SUCCESS;
    case ETCL_GROUP_FLOAT:
        return set_float(options, at, value);
    default:
        return set_number(options, at, value);
    }
}

/* What would have been right, as the end of a sentence. */
static const char *what_is_allowed(int at, apr_pool_t *pool)
{
    const etcl_group_option_t *option = &etcl_group_table[at];

    switch (option->kind) {
    case ETCL_GROUP_LIST:
        return "must be NAME=value, the name of letters, digits and _";
    case ETCL_GROUP_PATH:
        return "must be an absolute path";
    case ETCL_GROUP_FOLDERS:
        return "must be absolute paths with colons between them";
    case ETCL_GROUP_PAGE:
        return "must be a path such as /login/, or a whole URL such as "
               "http://shop.example/login/";
    case ETCL_GROUP_FLAG:
        return "must be On or Off";
    case ETCL_GROUP_RELOAD:
        return "must be rolling or wait";
    case ETCL_GROUP_SIZE:
        return "must be 0, or a whole number of bytes, or of K, M or G "
               "(1024 bytes, and so on), such as 512M";
    case ETCL_GROUP_FLOAT:
        return "must be a number above 0 such as 0.005";
    case ETCL_GROUP_OCTAL:
        return apr_psprintf(pool, "must be an octal number from %o to %o",
                            (unsigned int)option->low,
                            (unsigned int)option->high);
    case ETCL_GROUP_BYTES:
        return apr_psprintf(pool,
                            "must be 0, or a whole number of bytes from "
                            "%" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                            option->low, option->high);
    default:
        return apr_psprintf(pool,
                            "must be a whole number%s from "
                            "%" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                            option->kind == ETCL_GROUP_SECONDS ? " of seconds"
                                                               : "",
                            option->low, option->high);
    }
}

apr_status_t etcl_group_set(etcl_group_t *group, const char *option,
                            const char *value, apr_pool_t *pool,
                            const char **why)
{
    int at = etcl_group_table_find(option);

    *why = NULL;
    if (at < 0) {
        at = etcl_group_table_nearest(option);
        *why = apr_psprintf(pool,
                            "%s=%s: there is no such option; the nearest is "
                            "%s",
                            option, value, etcl_group_table[at].name);
        return APR_NOTFOUND;
    }
    if (set_value(&group->options, at, value, pool) != APR_SUCCESS) {
        /* A variable may be a secret. */
        *why = apr_pstrcat(pool, option, "=",
                           etcl_group_table[at].kind == ETCL_GROUP_LIST ? "..."
                                                                        : value,
                           ": ", what_is_allowed(at, pool), NULL);
        return ETCL_EINVAL;
    }
    group->options.stated |= (apr_uint64_t)1 << at;
    return APR_SUCCESS;
}

static int is_stated(const etcl_group_t *group, int at)
{
    return (group->options.stated >> at & 1) != 0;
}

int etcl_group_states(const etcl_group_t *group, const char *option)
{
    int at = etcl_group_table_find(option);

    return at >= 0 && is_stated(group, at);
}

static int same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static int same_value(etcl_group_options_t *a, etcl_group_options_t *b, int at)
{
    switch (etcl_group_table[at].kind) {
    case ETCL_GROUP_TEXT:
    case ETCL_GROUP_PATH:
    case ETCL_GROUP_FOLDERS:
    case ETCL_GROUP_PAGE:
    case ETCL_GROUP_LIST:
        return same_text(*etcl_group_table_text(a, at),
                         *etcl_group_table_text(b, at));
    case ETCL_GROUP_FLOAT:
        return *etcl_group_table_float(a, at) == *etcl_group_table_float(b, at);
    default:
        return *etcl_group_table_number(a, at) ==
               *etcl_group_table_number(b, at);
    }
}

const char *etcl_group_differs(const etcl_group_t *a, const etcl_group_t *b)
{
    etcl_group_options_t left = a->options, right = b->options;
    int at;

    for (at = 0; at < etcl_group_table_len; at++) {
        if (is_stated(a, at) != is_stated(b, at) ||
            !same_value(&left, &right, at)) {
            return etcl_group_table[at].name;
        }
    }
    return NULL;
}

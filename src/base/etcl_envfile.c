/* A small reader of systemd's environment files, and lists of variables as
 * one text, so that a group carries them like any other option. */

#include "etcl_envfile.h"

#include <apr_strings.h>

/* What is left of a file, and where it began to be so. */
typedef struct {
    const char *at, *end;
    int line;
} reader_t;

static int is_name(char c, int first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (!first && c >= '0' && c <= '9');
}

int etcl_envfile_is_pair(const char *text)
{
    const char *at = text;

    while (is_name(*at, at == text)) {
        at++;
    }
    return at > text && *at == '=' && !strchr(at, ETCL_ENVFILE_SEP);
}

const char *etcl_envfile_add(const char *list, const char *pair,
                             apr_pool_t *pool)
{
    static const char sep[] = { ETCL_ENVFILE_SEP, '\0' };

    return list ? apr_pstrcat(pool, list, sep, pair, NULL) : pair;
}

const char *etcl_envfile_next(const char *list, apr_pool_t *pool,
                              const char **name, const char **value)
{
    const char *equals = list ? strchr(list, '=') : NULL, *end;

    if (!equals) {
        return NULL;
    }
    end = strchr(equals, ETCL_ENVFILE_SEP);
    *name = apr_pstrmemdup(pool, list, (apr_size_t)(equals - list));
    *value =
        end ? apr_pstrmemdup(pool, equals + 1, (apr_size_t)(end - equals - 1))
            : apr_pstrdup(pool, equals + 1);
    return end ? end + 1 : "";
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int take(reader_t *in)
{
    char c = *in->at++;

    in->line += c == '\n';
    return c;
}

static void skip_line(reader_t *in)
{
    while (in->at < in->end && take(in) != '\n') {
    }
}

/* The inside of quotes; 0 when they are never closed. */
static int take_quoted(reader_t *in, char quote, char **out)
{
    while (in->at < in->end) {
        char c = (char)take(in);

        if (c == quote) {
            return 1;
        }
        if (c == '\\' && quote == '"' && in->at < in->end) {
            c = (char)take(in);
            if (c == '\n') {
                continue;
            }
        }
        *(*out)++ = c;
    }
    return 0;
}

/* A value up to the end of its line; `room` holds what is left of the file. */
static int take_value(reader_t *in, char *room)
{
    char *out = room, *solid = room;

    while (in->at < in->end) {
        char c = (char)take(in);

        if (c == '\n') {
            break;
        }
        if ((c == '"' || c == '\'')) {
            if (!take_quoted(in, c, &out)) {
                return 0;
            }
            solid = out;
            continue;
        }
        if (c == '\\' && in->at < in->end) {
            c = (char)take(in);
            if (c == '\n') {
                continue;
            }
            solid = out + 1;
        }
        if (out > room || !is_blank(c)) {
            *out++ = c;
        }
        solid = is_blank(c) ? solid : out;
    }
    *solid = '\0';
    return !memchr(room, '\0', (apr_size_t)(solid - room));
}

/* NAME= at the beginning of a line; 0: there is none. */
static int take_name(reader_t *in, etcl_span_t *name)
{
    const char *from = in->at;

    while (in->at < in->end && is_name(*in->at, in->at == from)) {
        in->at++;
    }
    *name = (etcl_span_t){ from, (apr_size_t)(in->at - from) };
    return name->len && in->at < in->end && *in->at++ == '=';
}

static apr_status_t take_pair(reader_t *in, apr_pool_t *pool, const char **list)
{
    char *room = apr_palloc(pool, (apr_size_t)(in->end - in->at) + 1);
    const char *pair;
    etcl_span_t name;

    if (!take_name(in, &name) || !take_value(in, room)) {
        return ETCL_EINVAL;
    }
    pair = apr_pstrcat(pool, apr_pstrmemdup(pool, name.ptr, name.len), "=",
                       room, NULL);
    if (!etcl_envfile_is_pair(pair)) {
        return ETCL_EINVAL;
    }
    *list = etcl_envfile_add(*list, pair, pool);
    return APR_SUCCESS;
}

apr_status_t etcl_envfile_parse(etcl_span_t text, apr_pool_t *pool,
                                const char **list, int *line)
{
    reader_t in = { text.ptr, text.ptr + text.len, 1 };

    *list = NULL;
    while (in.at < in.end) {
        if (is_blank(*in.at) || *in.at == '\n') {
            take(&in);
        } else if (*in.at == '#' || *in.at == ';') {
            skip_line(&in);
        } else {
            *line = in.line;
            if (take_pair(&in, pool, list)) {
                return ETCL_EINVAL;
            }
        }
    }
    return APR_SUCCESS;
}

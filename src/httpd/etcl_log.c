/* Log lines of applications. Their levels are the administrator's to filter:
 * LogLevel etcl:info. */

#include "etcl_log.h"

#define LINE_MAX_LEN 8000

static void write_line(const request_rec *r, const server_rec *server,
                       etcl_level_t level, etcl_span_t line)
{
    if (r) {
        ap_log_rerror(APLOG_MARK, (int)level | APLOG_NOERRNO, 0, r, "%.*s",
                      (int)line.len, line.ptr);
    } else {
        ap_log_error(APLOG_MARK, (int)level | APLOG_NOERRNO, 0, server, "%.*s",
                     (int)line.len, line.ptr);
    }
}

/* An empty text is an empty line. */
static void write_lines(const request_rec *r, const server_rec *server,
                        etcl_level_t level, etcl_span_t text)
{
    etcl_span_t line;
    const char *end;

    do {
        end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
        line = (etcl_span_t){ text.ptr,
                              end ? (apr_size_t)(end - text.ptr) : text.len };
        if (line.len > LINE_MAX_LEN) {
            line.len = LINE_MAX_LEN;
            end = NULL;
        }
        write_line(r, server, level, line);
        line.len += end != NULL;
        text = (etcl_span_t){ text.ptr + line.len, text.len - line.len };
    } while (text.len);
}

void etcl_log_relay(request_rec *r, etcl_level_t level, etcl_span_t text)
{
    write_lines(r, NULL, level, text);
}

void etcl_log_server(const server_rec *server, etcl_level_t level,
                     etcl_span_t text)
{
    write_lines(NULL, server, level, text);
}

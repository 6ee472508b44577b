/* One descriptor and one level for the whole process; the lines themselves
 * are made by etcl_logline.c. */

#include "etcl_journal.h"
#include "etcl_logline.h"

#include <stdarg.h>
#include <stdio.h>

static int log_fd = 2;
static int log_level = ETCL_LOG_INFO;

void etcl_journal_open(int fd, int level)
{
    log_fd = fd;
    log_level = level;
}

static void write_lines(etcl_level_t level, etcl_span_t text)
{
    etcl_span_t line = text;
    const char *end;

    while (text.len) {
        end = memchr(text.ptr, '\n', text.len);
        line.ptr = text.ptr;
        line.len = end ? (apr_size_t)(end - text.ptr) : text.len;
        etcl_logline_write(log_fd, level, line);
        text.ptr += line.len + (end != NULL);
        text.len -= line.len + (end != NULL);
    }
}

void etcl_journal_text(etcl_level_t level, etcl_span_t text)
{
    if ((int)level <= log_level) {
        write_lines(level, text);
    }
}

void etcl_journal_say(etcl_level_t level, const char *format, ...)
{
    char text[ETCL_LOGLINE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    etcl_journal_text(level, etcl_span(text));
}

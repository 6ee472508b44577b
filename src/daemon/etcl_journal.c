/* One descriptor and one level for the whole process; the lines themselves
 * are made by etcl_logline.c. */

#include "etcl_journal.h"
#include "etcl_logline.h"
#include "etcl_mark.h"

#include <stdarg.h>
#include <stdio.h>

static etcl_mark_t log_mark = { .fd = -1 };
static int log_level = ETCL_LOG_INFO;

void etcl_journal_open(int fd, int level)
{
    log_mark = etcl_mark_take(fd);
    log_level = level;
}

/* An application that closes all descriptors may have a file of its own where
 * the log was; what goes to descriptor 2 is made a line by the supervisor. */
static void write_line(etcl_level_t level, etcl_span_t line)
{
    if (log_mark.fd < 0) {
        etcl_logline_write(2, level, line);
    } else if (etcl_mark_holds(&log_mark)) {
        etcl_logline_write(log_mark.fd, level, line);
    } else {
        dprintf(2, "%.*s\n", (int)line.len, line.ptr);
    }
}

static void write_lines(etcl_level_t level, etcl_span_t text)
{
    etcl_span_t line = text;
    const char *end;

    while (text.len) {
        end = memchr(text.ptr, '\n', text.len);
        line.ptr = text.ptr;
        line.len = end ? (apr_size_t)(end - text.ptr) : text.len;
        write_line(level, line);
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

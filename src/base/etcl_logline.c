/* Log lines as httpd writes them, made without httpd and without the locale:
 * the group's locale must not change the names of days. */

#include "etcl_logline.h"
#include "etcl_clock.h"
#include "etcl_text.h"

#include <apr_time.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *level_name(etcl_level_t level)
{
    switch (level) {
    case ETCL_LOG_CRIT:
        return "crit";
    case ETCL_LOG_ERR:
        return "error";
    case ETCL_LOG_WARNING:
        return "warn";
    case ETCL_LOG_NOTICE:
        return "notice";
    case ETCL_LOG_INFO:
        return "info";
    case ETCL_LOG_DEBUG:
        break;
    }
    return "debug";
}

apr_size_t etcl_logline_format(etcl_level_t level, apr_int64_t wall_us,
                               long pid, long tid, etcl_span_t text, char *out)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    apr_size_t len;
    struct tm at;

    localtime_r(&seconds, &at);
    len = (apr_size_t)snprintf(
        out, ETCL_LOGLINE_MAX,
        "[%s %s %02d %02d:%02d:%02d.%06d %d] [etcl:%s] [pid %ld:tid %ld] ",
        apr_day_snames[at.tm_wday], apr_month_snames[at.tm_mon], at.tm_mday,
        at.tm_hour, at.tm_min, at.tm_sec, (int)(wall_us % 1000000),
        at.tm_year + 1900, level_name(level), pid, tid);
    len += etcl_text_escape(text, out + len, ETCL_LOGLINE_MAX - 1 - len);
    out[len] = '\n';
    return len + 1;
}

void etcl_logline_write(int fd, etcl_level_t level, etcl_span_t text)
{
    char line[ETCL_LOGLINE_MAX];
    apr_size_t len = etcl_logline_format(level, etcl_clock_wall_us(), getpid(),
                                         gettid(), text, line);
    ssize_t written;

    do {
        written = write(fd, line, len);
    } while (written < 0 && errno == EINTR);
}

void etcl_logline_printf(int fd, etcl_level_t level, const char *format, ...)
{
    char text[ETCL_LOGLINE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    etcl_logline_write(fd, level, etcl_span(text));
}

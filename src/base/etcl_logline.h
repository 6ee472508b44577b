/* One line of a log in Apache's format, for processes without httpd. */

#ifndef ETCL_LOGLINE_H
#define ETCL_LOGLINE_H

#include "etcl.h"

#define ETCL_LOGLINE_MAX 8192

/**
 * Format "[date] [etcl:level] [pid P:tid T] text\n", control characters in
 * `text` escaped, cut to ETCL_LOGLINE_MAX.
 *
 * Units    `wall_us` since the epoch; the date is local time, as httpd's.
 * Returns  the length written into `out` of ETCL_LOGLINE_MAX bytes
 */
apr_size_t etcl_logline_format(etcl_level_t level, apr_int64_t wall_us,
                               long pid, long tid, etcl_span_t text, char *out);

/** Format and write it with one write(2), so that lines never mix. */
void etcl_logline_write(int fd, etcl_level_t level, etcl_span_t text);

/** The same with a format; for the daemon's own messages. */
void etcl_logline_printf(int fd, etcl_level_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

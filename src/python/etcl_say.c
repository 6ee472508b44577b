/* Formats the bridge's own lines and hands them to the log of the request or
 * of the process. It escapes nothing: the receiver of a log line does. */

#include "etcl_say.h"

#include "etcl_turn.h"

#include <stdarg.h>
#include <stdio.h>

static void (*process_log)(etcl_level_t level, etcl_span_t text);

void etcl_say_init(void (*log)(etcl_level_t level, etcl_span_t text))
{
    process_log = log;
}

void etcl_say_text(etcl_turn_t *turn, etcl_level_t level, etcl_span_t text)
{
    if (turn && etcl_turn_is_mine(turn) &&
        !pthread_mutex_trylock(&turn->guard)) {
        turn->x->ops->log(turn->x, level, text);
        pthread_mutex_unlock(&turn->guard);
    } else if (process_log) {
        process_log(level, text);
    }
}

static etcl_span_t format_line(char *line, const char *format, va_list args)
{
    int len = vsnprintf(line, ETCL_SAY_MAX, format, args);

    if (len < 0) {
        len = 0;
    }
    if (len >= ETCL_SAY_MAX) {
        len = ETCL_SAY_MAX - 1;
    }
    return (etcl_span_t){ line, (apr_size_t)len };
}

void etcl_say_process(etcl_level_t level, const char *format, ...)
{
    char line[ETCL_SAY_MAX];
    va_list args;

    va_start(args, format);
    etcl_say_text(NULL, level, format_line(line, format, args));
    va_end(args);
}

void etcl_say_turn(etcl_turn_t *turn, etcl_level_t level, const char *format,
                   ...)
{
    char line[ETCL_SAY_MAX];
    va_list args;

    va_start(args, format);
    etcl_say_text(turn, level, format_line(line, format, args));
    va_end(args);
}

/* The group's log, as the daemon program writes it. */

#ifndef ETCL_JOURNAL_H
#define ETCL_JOURNAL_H

#include "etcl.h"

/** Where lines go from now on, and up to which level. */
void etcl_journal_open(int fd, int level);

/** A line of ours: begins with its number, "ETCL0200: ...". Any thread. */
void etcl_journal_say(etcl_level_t level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** What somebody else worded, each line a line of the log. Any thread. */
void etcl_journal_text(etcl_level_t level, etcl_span_t text);

#endif

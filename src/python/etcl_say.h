/* What the bridge itself has to say, in the log of the request or of the
 * process. Each line carries its number. */

#ifndef ETCL_SAY_H
#define ETCL_SAY_H

#include "etcl.h"

struct etcl_turn_t;

#define ETCL_SAY_MAX 4096 /* a formatted line; longer is cut */

/** Where lines outside any request go; before anything else is called. */
void etcl_say_init(void (*log)(etcl_level_t level, etcl_span_t text));

/** A line outside any request. Any thread, with or without the GIL. */
void etcl_say_process(etcl_level_t level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * A line of this request; of the process when the exchange is in use by
 * another thread of the application, or `turn` is NULL.
 *
 * Context  the thread of the call, with the GIL.
 */
void etcl_say_turn(struct etcl_turn_t *turn, etcl_level_t level,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * The same for text of any length. Lines are separated by '\n' and stay
 * together as one entry.
 */
void etcl_say_text(struct etcl_turn_t *turn, etcl_level_t level,
                   etcl_span_t text);

#endif

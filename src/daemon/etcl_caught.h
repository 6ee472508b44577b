/* The signals of a worker, from their handlers to its heart. One for a
 * process. */

#ifndef ETCL_CAUGHT_H
#define ETCL_CAUGHT_H

#include "etcl_sample.h"

/**
 * Let signals in before there is a heart, in a process whose forks will have
 * one: SIGTERM and SIGINT end it, others do nothing. What an application takes
 * over now stays its own.
 */
void etcl_caught_prepare(void);

/**
 * Install the handlers of signals, then let signals in.
 *
 * Returns  a descriptor that can be read when one has come, owned by this
 *          room; -1 with errno set
 */
int etcl_caught_open(void);

/** Make the descriptor readable. Any thread; async-signal-safe. */
void etcl_caught_wake(void);

/** Begin to take what has come: 0 when nothing has. */
int etcl_caught_begin(void);

/** Whether the signal has come since it was last asked, and from whom. */
int etcl_caught_take(int number, char from[ETCL_SAMPLE_SENDER_MAX]);

#endif

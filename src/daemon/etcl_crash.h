/* A worker that crashes: what it does last. */

#ifndef ETCL_CRASH_H
#define ETCL_CRASH_H

/**
 * Take care of the signals of a crash, before Python does: it passes them on
 * when it has written its stacks.
 *
 * A worker is not dumpable, so that no other process of its user reads its
 * memory. When it crashes it may leave a core file all the same, if whoever
 * started Apache allows core files (RLIMIT_CORE).
 *
 * Context  worker or template, before Python starts
 */
void etcl_crash_prepare(void);

#endif

/* An application may call os.fork(), and its child may come back into the
 * server by mistake: it must never answer, log to, or read from the link of
 * its parent. */

#ifndef ETCL_FORK_H
#define ETCL_FORK_H

/** Begin to count; once per process, before any request. */
void etcl_fork_init(void);

/** Changes in a child of fork(), and nowhere else. Cheap. */
unsigned int etcl_fork_count(void);

/**
 * End the calling child at once, with a warning that names its pid. Nothing
 * of Python, the exchange or stdio is touched: they are the parent's.
 */
void etcl_fork_end(void) __attribute__((noreturn));

#endif

/* The signals of a supervisor: blocked, read from a descriptor, and told of. */

#ifndef ETCL_SIGNALS_H
#define ETCL_SIGNALS_H

/**
 * Block what a supervisor takes from its descriptor, and give every signal its
 * default meaning: Apache's own settings came along through exec.
 */
void etcl_signals_block(void);

/** The descriptor that they are read from, or -1. */
int etcl_signals_open(void);

typedef enum {
    ETCL_SIGNALS_NONE,
    ETCL_SIGNALS_END,   /* the group is to end */
    ETCL_SIGNALS_RENEW, /* its workers are to be replaced */
    ETCL_SIGNALS_OTHER  /* a child may have ended, or no meaning */
} etcl_signals_what_t;

/** The next one, without waiting. An order is logged, with who sent it. */
etcl_signals_what_t etcl_signals_next(int fd, const char *group);

#endif

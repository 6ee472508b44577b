/* Big blocks as files in memory, which cross a link as a descriptor. */

#ifndef ETCL_SPILL_H
#define ETCL_SPILL_H

#include "etcl.h"

/* A smaller block is cheaper to copy through the socket. */
#define ETCL_SPILL_MIN (128 * 1024)

/* Of one answer: what a slow client can make Apache hold. */
#define ETCL_SPILL_MAX (16 * 1024 * 1024)

/**
 * Copy a block into a sealed memory file.
 *
 * Returns  its descriptor, the caller's; or -1: send it another way
 */
int etcl_spill_create(etcl_span_t block);

#endif

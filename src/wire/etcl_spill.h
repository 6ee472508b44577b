/* Bytes as files in memory, which cross a link as a descriptor, or wait for a
 * slow client. */

#ifndef ETCL_SPILL_H
#define ETCL_SPILL_H

#include "etcl.h"

/* Less is cheaper to copy through the socket. */
#define ETCL_SPILL_MIN ((apr_int64_t)128 * 1024)

/* Of one answer: what a slow client can make Apache hold. */
#define ETCL_SPILL_MAX ((apr_int64_t)16 * 1024 * 1024)

/** An empty memory file: its descriptor, the caller's; or -1. */
int etcl_spill_open(void);

/** Add bytes at its end. APR_SUCCESS, errno. */
apr_status_t etcl_spill_add(int fd, etcl_span_t bytes);

/** Nothing changes from here on: whoever gets it can rely on its size and
 *  content. APR_SUCCESS, errno. */
apr_status_t etcl_spill_seal(int fd);

#endif

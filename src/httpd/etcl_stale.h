/* Sockets that an Apache left behind which had no time to remove them. */

#ifndef ETCL_STALE_H
#define ETCL_STALE_H

#include <apr_pools.h>

/** Remove <prefix>.<pid>.*.sock where no process has that pid any more, and
 *  no process anywhere has the socket. */
void etcl_stale_remove(const char *prefix, apr_pool_t *pool);

#endif

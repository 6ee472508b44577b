/* Which locales this machine has, for a message. */

#ifndef ETCL_LOCALES_H
#define ETCL_LOCALES_H

#include "etcl.h"

/**
 * Names, separated by ", ", as `locale -a` tells them; cut with "…" when
 * there are very many. Never NULL: "C" and "POSIX" always exist.
 */
const char *etcl_locales_list(apr_pool_t *pool);

#endif

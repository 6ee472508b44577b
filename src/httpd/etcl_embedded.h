/* Python in an Apache child: one runtime, loaded when the first call needs
 * it, or at the child's beginning when the configuration names scripts. */

#ifndef ETCL_EMBEDDED_H
#define ETCL_EMBEDDED_H

#include "etcl_httpd.h"
#include "etcl_runtime.h"

/**
 * Hook post_config: find out what children will need; nothing is loaded.
 *
 * Context  Apache parent
 */
int etcl_embedded_prepare(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *server);

/** Hook child_init: load the scripts that are to be there before the first
 *  request, and see to the end of Python. */
void etcl_embedded_child_init(apr_pool_t *pchild, server_rec *server);

/**
 * Answer a call in this process.
 *
 * Returns  as etcl_runtime_t.answer; ETCL_ANSWER_FAILED with 500 also when
 *          Python does not start here: that was logged, once
 * Context  any thread of an Apache child; the first one waits for Python's
 *          start, and all others for it
 */
etcl_answer_t etcl_embedded_answer(const etcl_call_t *call, etcl_exchange_t *x);

#endif

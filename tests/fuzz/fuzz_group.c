/* Any bytes as the options of a group. Oracle: what is accepted is written
 * again as the same bytes. */

#include "fuzz.h"
#include "etcl_group.h"

#include <apr_general.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *pool;
    etcl_span_t whole = { (const char *)data, size }, again;
    etcl_group_t group;

    if (!pool) {
        apr_initialize();
        apr_pool_create(&pool, NULL);
    }
    if (!etcl_group_decode(whole, pool, &group)) {
        FUZZ_MUST(!etcl_group_encode(&group, pool, &again));
        FUZZ_MUST(fuzz_same(again, whole));
    }
    apr_pool_clear(pool);
    return 0;
}

/* minimal, replaced below */
#include "etcl_check.h"
#include "etcl_groups.h"
int etcl_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *server)
{
    (void)plog; (void)ptemp;
    return etcl_groups_resolve(server, pconf) ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

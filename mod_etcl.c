/* The table of contents of the module: its record and its hooks, no logic.
 * What each hook does is in the file that its name begins with. */

#include "etcl_alias.h"
#include "etcl_auth.h"
#include "etcl_check.h"
#include "etcl_child.h"
#include "etcl_config.h"
#include "etcl_embedded.h"
#include "etcl_guise.h"
#include "etcl_handler.h"
#include "etcl_intake.h"
#include "etcl_locate.h"
#include "etcl_parent.h"
#include "etcl_sluice.h"

#include <mpm_common.h>

static void register_hooks(apr_pool_t *pool)
{
    static const char *const after_alias[] = { "mod_alias.c", NULL };
    static const char *const before_user[] = { "mod_userdir.c",
                                               "mod_vhost_alias.c", NULL };

    etcl_guise_put_on(pool);
    etcl_auth_offer(pool);
    etcl_intake_offer(pool);
    etcl_sluice_offer(pool);
    ap_hook_pre_config(etcl_config_begin, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_pre_config(etcl_parent_take_over, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(etcl_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(etcl_parent_start, NULL, NULL, APR_HOOK_LAST);
    ap_hook_post_config(etcl_embedded_prepare, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(etcl_parent_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(etcl_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(etcl_embedded_child_init, NULL, NULL, APR_HOOK_LAST);
    ap_hook_child_status(etcl_child_ended, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(etcl_alias_translate, after_alias, before_user,
                           APR_HOOK_MIDDLE);
    ap_hook_map_to_storage(etcl_locate_script, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_access(etcl_auth_check_access, NULL, NULL, APR_HOOK_MIDDLE,
                         AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_handler(etcl_handler_answer, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA etcl_module = {
    STANDARD20_MODULE_STUFF,  etcl_config_dir_create,
    etcl_config_dir_merge,    etcl_config_server_create,
    etcl_config_server_merge, etcl_config_commands,
    register_hooks,           AP_MODULE_FLAG_NONE,
};

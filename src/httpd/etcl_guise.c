/* An empty module record, and a look-up that finds it. mod_so's own list of
 * loaded modules stays as it is: there a second wsgi_module would be skipped
 * with a warning, and nobody would see that two modules want the same work. */

#include "etcl_guise.h"

#include <mod_so.h>

static APR_OPTIONAL_FN_TYPE(ap_find_loaded_module_symbol) * find_loaded;

static module guise = {
    MODULE_MAGIC_NUMBER_MAJOR,
    MODULE_MAGIC_NUMBER_MINOR,
    -1,
    "mod_wsgi.c",
    NULL,
    NULL,
    MODULE_MAGIC_COOKIE,
    NULL, /* rewrite_args */
    NULL, /* create_dir_config */
    NULL, /* merge_dir_config */
    NULL, /* create_server_config */
    NULL, /* merge_server_config */
    NULL, /* commands */
    NULL, /* register_hooks */
    AP_MODULE_FLAG_NONE,
};

static module *find_symbol(server_rec *server, const char *name)
{
    module *found = find_loaded ? find_loaded(server, name) : NULL;

    return found || strcmp(name, "wsgi_module") ? found : &guise;
}

static apr_status_t take_off(void *data)
{
    (void)data;
    ap_remove_module(&guise);
    return APR_SUCCESS;
}

/* A clean-up that comes before all others: mod_so's unloads this code. */
void etcl_guise_put_on(apr_pool_t *pool)
{
    if (ap_find_linked_module("mod_wsgi.c") ||
        ap_add_module(&guise, pool, NULL)) {
        return;
    }
    apr_pool_pre_cleanup_register(pool, NULL, take_off);
    find_loaded = APR_RETRIEVE_OPTIONAL_FN(ap_find_loaded_module_symbol);
    apr_dynamic_fn_register("ap_find_loaded_module_symbol",
                            (apr_opt_fn_t *)find_symbol);
}

int etcl_guise_is_doubled(void)
{
    const module *each;

    for (each = ap_top_module; each; each = each->next) {
        if (each != &guise && !strcmp(each->name, "mod_wsgi.c")) {
            return 1;
        }
    }
    return 0;
}

/* Creates and merges what the table of directives says, and makes httpd's
 * command records of it. What a value means is not known here. */

#include "etcl_config.h"
#include "etcl_imports.h"
#include "etcl_obsolete.h"
#include "etcl_rules.h"
#include "etcl_setters.h"
#include "etcl_setters_dir.h"
#include "etcl_tuning.h"

static etcl_register_t *current;

etcl_register_t *etcl_config_register(void)
{
    return current;
}

int etcl_config_begin(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    current = apr_pcalloc(pconf, sizeof *current);
    current->pool = pconf;
    current->members = apr_array_make(pconf, 8, sizeof(etcl_member_t *));
    current->by_name = apr_hash_make(pconf);
    current->mentions = apr_array_make(pconf, 8, sizeof(etcl_mention_t));
    current->imports = apr_array_make(pconf, 4, sizeof(etcl_import_t));
    current->blocks = apr_array_make(pconf, 4, sizeof(etcl_block_t));
    current->warnings = apr_array_make(pconf, 4, sizeof(const char *));
    return OK;
}

void *etcl_config_dir_create(apr_pool_t *pool, char *where)
{
    (void)where;
    return apr_pcalloc(pool, sizeof(etcl_dir_t));
}

#define MERGE_DIR(field)                                                       \
    out->field = over->field.stated ? over->field : base->field;
#define MERGE_MAIN(field)
#define MERGE_TUNED(field)
#define MERGE_OWN(field)
#define MERGE(scope, field, name, context, kind, help) MERGE_##scope(field)

void *etcl_config_dir_merge(apr_pool_t *pool, void *base_, void *over_)
{
    const etcl_dir_t *base = base_, *over = over_;
    etcl_dir_t *out = apr_palloc(pool, sizeof *out);

    ETCL_DIRECTIVES(MERGE)
    /* Each handler for itself. */
    if (over->handler_script.stated && base->handler_script.stated) {
        out->handler_script.value = apr_hash_overlay(
            pool, over->handler_script.value, base->handler_script.value);
    }
    return out;
}

void *etcl_config_server_create(apr_pool_t *pool, server_rec *server)
{
    etcl_server_t *out = apr_pcalloc(pool, sizeof *out);

    (void)server;
    out->aliases = apr_array_make(pool, 4, sizeof(etcl_alias_t *));
    return out;
}

#define KEEP_DIR(field)
#define KEEP_MAIN(field)                                                       \
    out->main.field =                                                          \
        over->main.field.stated ? over->main.field : base->main.field;
#define KEEP_TUNED KEEP_MAIN
#define KEEP_OWN(field)
#define KEEP(scope, field, name, context, kind, help) KEEP_##scope(field)

void *etcl_config_server_merge(apr_pool_t *pool, void *base_, void *over_)
{
    const etcl_server_t *base = base_, *over = over_;
    etcl_server_t *out = apr_pcalloc(pool, sizeof *out);

    ETCL_DIRECTIVES(KEEP)
    out->aliases = apr_array_append(pool, over->aliases, base->aliases);
    return out;
}

const etcl_dir_t *etcl_config_dir(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &etcl_module);
}

etcl_server_t *etcl_config_server(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &etcl_module);
}

const etcl_main_t *etcl_config_main(void)
{
    return &etcl_config_server(ap_server_conf)->main;
}

int etcl_config_flag(const etcl_setting_t *setting, int unset)
{
    return setting->stated ? setting->flag : unset;
}

const char *etcl_config_text(const etcl_setting_t *first,
                             const etcl_setting_t *then)
{
    return first->stated ? first->text : then->text;
}

const char *etcl_config_place(apr_pool_t *pool, const etcl_place_t *place)
{
    if (!place->file) {
        return "the command line";
    }
    return apr_psprintf(pool, "%s:%d", place->file, place->line);
}

#define CONTEXT_GLOBAL RSRC_CONF
#define CONTEXT_SERVER RSRC_CONF
#define CONTEXT_DIR (RSRC_CONF | ACCESS_CONF)
#define CONTEXT_FILEINFO OR_FILEINFO
#define CONTEXT_AUTHCFG OR_AUTHCFG

#define OFFSET_DIR(field) (void *)APR_OFFSETOF(etcl_dir_t, field)
#define OFFSET_MAIN(field) (void *)APR_OFFSETOF(etcl_main_t, field)
#define OFFSET_TUNED OFFSET_MAIN
#define OFFSET_OWN(field) NULL

#define SETTER_DIR(field, context, kind) etcl_setters_dir_##kind
#define SETTER_MAIN(field, context, kind) etcl_setters_##context##_##kind
#define SETTER_TUNED(field, context, kind) etcl_tuning_##field
#define SETTER_OWN(field, context, kind) etcl_setters_##field

#define COMMAND_TEXT AP_INIT_TAKE1
#define COMMAND_FLAG AP_INIT_FLAG
#define COMMAND_RAW AP_INIT_RAW_ARGS
#define COMMAND_WORDS AP_INIT_RAW_ARGS
#define COMMAND_AUTO AP_INIT_TAKE1
#define COMMAND_SCRIPT AP_INIT_RAW_ARGS
#define COMMAND_HANDLER AP_INIT_RAW_ARGS
#define COMMAND_REQUEST AP_INIT_FLAG
#define COMMAND_HEADERS AP_INIT_ITERATE
#define COMMAND_NETS AP_INIT_ITERATE

#define COMMAND(scope, field, name, context, kind, help)                       \
    COMMAND_##kind(name, SETTER_##scope(field, context, kind),                 \
                   OFFSET_##scope(field), CONTEXT_##context, help),

const command_rec etcl_config_commands[] = { ETCL_DIRECTIVES(COMMAND){
    NULL, { NULL }, NULL, 0, NO_ARGS, NULL } };

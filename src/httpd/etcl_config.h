/* The configuration as httpd keeps it: of a directory, of a server, and of
 * the whole configuration that is being read. */

#ifndef ETCL_CONFIG_H
#define ETCL_CONFIG_H

#include "etcl_httpd.h"
#include "etcl_directives.h"
#include "etcl_group.h"
#include "etcl_runtime.h"

#include <apr_hash.h>
#include <apr_tables.h>

/* Where something was written. */
typedef struct {
    const char *file; /* NULL: on the command line */
    int line;
} etcl_place_t;

/* The value of a directive that is a text or a flag. */
typedef struct {
    const char *text; /* NULL: a flag, or not stated */
    int flag;
    int stated;
    const void *value; /* what the kind of the directive makes of it */
    etcl_place_t place;
} etcl_setting_t;

/* A script beside the application: `value` of kind SCRIPT and, by the name of
 * the handler, of kind HANDLER. Options are not stated: NULL text. */
typedef struct {
    const char *script;
    etcl_setting_t process_group;
    etcl_setting_t application_group;
    etcl_setting_t pass_authorization;
    int is_htaccess; /* whoever may write files there wrote it */
} etcl_aside_t;

/* Of kind AUTO. */
enum { ETCL_OFF, ETCL_ON, ETCL_AUTO };

#define ETCL_FIELD_DIR_DIR(field) etcl_setting_t field;
#define ETCL_FIELD_DIR_MAIN(field)
#define ETCL_FIELD_DIR_OWN(field)
#define ETCL_FIELD_MAIN_MAIN(field) etcl_setting_t field;
#define ETCL_FIELD_DIR_TUNED(field)
#define ETCL_FIELD_MAIN_TUNED(field) etcl_setting_t field;
#define ETCL_FIELD_MAIN_DIR(field)
#define ETCL_FIELD_MAIN_OWN(field)
#define ETCL_FIELD_DIR(scope, field, name, context, kind, help)                \
    ETCL_FIELD_DIR_##scope(field)
#define ETCL_FIELD_MAIN(scope, field, name, context, kind, help)               \
    ETCL_FIELD_MAIN_##scope(field)

/* Of a directory; what stands outside any is the directory of all. */
typedef struct {
    ETCL_DIRECTIVES(ETCL_FIELD_DIR)
} etcl_dir_t;

/* Of the main server; a virtual host has its own or the main server's. */
typedef struct {
    ETCL_DIRECTIVES(ETCL_FIELD_MAIN)
} etcl_main_t;

/* A WSGIScriptAlias or WSGIScriptAliasMatch. */
typedef struct {
    const char *url;              /* prefix, or the text of the regex */
    const ap_regex_t *regex;      /* NULL: a prefix */
    const char *target;           /* file or folder; with $1... of a regex */
    etcl_setting_t process_group; /* options; not stated: NULL text */
    etcl_setting_t application_group;
    etcl_setting_t callable_object;
    etcl_setting_t pass_authorization;
    etcl_place_t place;
} etcl_alias_t;

/* Of a server: the main one or a virtual host. */
typedef struct {
    apr_array_header_t
        *aliases; /* const etcl_alias_t *, the first match wins */
    etcl_main_t main;
} etcl_server_t;

typedef struct etcl_live_t etcl_live_t; /* etcl_live.h */

/* A daemon process group that was defined. */
typedef struct {
    etcl_group_t group;
    etcl_place_t place;         /* of the first definition */
    apr_array_header_t *owners; /* server_rec *: who defined it, see route */
    int scripts;                /* different applications known to run in it */
    const char *only_script;    /* when that is one */
    const char *only_mount;     /* its URL */
    etcl_live_t *live;          /* NULL until it was started */
} etcl_member_t;

/* A WSGIProcessGroup that stands somewhere, for configtest. */
typedef struct {
    const char *group;
    etcl_place_t place;
} etcl_mention_t;

/* A script that is loaded when a process starts. */
typedef struct {
    const char *script;
    const char *process_group; /* "": every Apache child */
    const char *app_group;     /* as stated; then expanded, or NULL */
    const char *callable;      /* empty: nothing is looked for in it */
    server_rec *server;        /* of the directive */
    etcl_place_t place;
} etcl_import_t;

/* An <WSGIInterpreterOptions>, with the selector that a rule has not. */
typedef struct {
    const char *process_group; /* NULL: all */
    etcl_rule_t rule;
} etcl_block_t;

/* What is collected while a configuration is read; one per reading. */
typedef struct {
    apr_pool_t *pool;             /* pconf */
    apr_array_header_t *members;  /* etcl_member_t *, in their order */
    apr_hash_t *by_name;          /* the same */
    apr_array_header_t *mentions; /* etcl_mention_t */
    apr_array_header_t *imports;  /* etcl_import_t, in their order */
    apr_array_header_t *blocks;   /* etcl_block_t, likewise */
    apr_array_header_t *warnings; /* const char *, likewise */
} etcl_register_t;

/** The register of the configuration in force. */
etcl_register_t *etcl_config_register(void);

/** Hook pre_config: begin a new register. */
int etcl_config_begin(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);

void *etcl_config_dir_create(apr_pool_t *pool, char *where);
void *etcl_config_dir_merge(apr_pool_t *pool, void *base, void *over);
void *etcl_config_server_create(apr_pool_t *pool, server_rec *server);
void *etcl_config_server_merge(apr_pool_t *pool, void *base, void *over);

const etcl_dir_t *etcl_config_dir(const request_rec *r);
etcl_server_t *etcl_config_server(const server_rec *server);
const etcl_main_t *etcl_config_main(void);

/** The value of a flag, or `unset`. */
int etcl_config_flag(const etcl_setting_t *setting, int unset);

/** The text of the first that is stated; NULL if neither is. */
const char *etcl_config_text(const etcl_setting_t *first,
                             const etcl_setting_t *then);

/** "file:line", for messages. */
const char *etcl_config_place(apr_pool_t *pool, const etcl_place_t *place);

extern const command_rec etcl_config_commands[];

#endif

/* Parses the arguments of directives, strictly: what is not understood is an
 * error with file and line. Whether groups, files and accounts exist is
 * looked up later, in etcl_check.c. */

#include "etcl_setters.h"
#include "etcl_groups.h"
#include "etcl_imports.h"
#include "etcl_text.h"
#include "etcl_variables.h"

etcl_place_t etcl_setters_place(const cmd_parms *cmd)
{
    if (!cmd->directive) {
        return (etcl_place_t){ NULL, 0 };
    }
    return (etcl_place_t){ cmd->directive->filename, cmd->directive->line_num };
}

etcl_setting_t *etcl_setters_at(void *dir, const cmd_parms *cmd)
{
    return (etcl_setting_t *)(void *)((char *)dir + (size_t)cmd->info);
}

void etcl_setters_mention(const cmd_parms *cmd, const char *group)
{
    etcl_mention_t *mention = apr_array_push(etcl_config_register()->mentions);

    *mention = (etcl_mention_t){ group, etcl_setters_place(cmd) };
}

const char *etcl_setters_text(const cmd_parms *cmd, etcl_setting_t *setting,
                              const char *arg)
{
    if (!*arg) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " must not be empty",
                           NULL);
    }
    *setting = (etcl_setting_t){ .text = arg,
                                 .stated = 1,
                                 .place = etcl_setters_place(cmd) };
    return NULL;
}

const char *etcl_setters_dir_TEXT(cmd_parms *cmd, void *dir, const char *arg)
{
    if (cmd->info == (void *)APR_OFFSETOF(etcl_dir_t, process_group)) {
        etcl_setters_mention(cmd, arg);
    }
    return etcl_setters_text(cmd, etcl_setters_at(dir, cmd), arg);
}

const char *etcl_setters_dir_FLAG(cmd_parms *cmd, void *dir, int flag)
{
    *etcl_setters_at(dir, cmd) = (etcl_setting_t){
        .flag = flag != 0, .stated = 1, .place = etcl_setters_place(cmd)
    };
    return NULL;
}

const char *etcl_setters_dir_WORDS(cmd_parms *cmd, void *dir, const char *args)
{
    return etcl_setters_text(cmd, etcl_setters_at(dir, cmd),
                             apr_pstrdup(cmd->pool, args));
}

const char *etcl_setters_GLOBAL_TEXT(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    if (wrong) {
        return wrong;
    }
    return etcl_setters_text(
        cmd, etcl_setters_at(&etcl_config_server(cmd->server)->main, cmd), arg);
}

const char *etcl_setters_GLOBAL_FLAG(cmd_parms *cmd, void *dir, int flag)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    return wrong ? wrong : etcl_setters_SERVER_FLAG(cmd, NULL, flag);
}

const char *etcl_setters_SERVER_FLAG(cmd_parms *cmd, void *dir, int flag)
{
    (void)dir;
    return etcl_setters_dir_FLAG(cmd, &etcl_config_server(cmd->server)->main,
                                 flag);
}

static const char *no_option(const cmd_parms *cmd, const char *word)
{
    return apr_psprintf(cmd->pool,
                        "%s: \"%s\" is not an option of the form name=value",
                        cmd->cmd->name, word);
}

const char *etcl_setters_option(const cmd_parms *cmd, const char **args,
                                const char **name, const char **value)
{
    const char *word, *equals;

    *name = NULL;
    *args += strspn(*args, " \t");
    if (!**args) {
        return NULL;
    }
    word = *args;
    if (*word == '"' || *word == '\'') {
        word = ap_getword_conf(cmd->pool, args);
    }
    equals = word + strcspn(word, "= \t");
    if (*equals != '=' || equals == word) {
        return no_option(cmd, ap_getword_conf(cmd->temp_pool, &word));
    }
    *name = apr_pstrmemdup(cmd->pool, word, (apr_size_t)(equals - word));
    *value = equals + 1;
    if (word == *args) {
        *args = *value;
        *value = apr_isspace(**args) ? "" : ap_getword_conf(cmd->pool, args);
    }
    if (!**value) {
        return apr_psprintf(cmd->pool, "%s: %s= must not be empty",
                            cmd->cmd->name, *name);
    }
    return NULL;
}

const char *etcl_setters_pass(const cmd_parms *cmd, const char *value,
                              etcl_setting_t *out)
{
    out->stated = 1;
    if (etcl_text_flag(etcl_span(value), &out->flag)) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name,
                           ": pass-authorization must be Off | On", NULL);
    }
    return NULL;
}

static const char *alias_option(const cmd_parms *cmd, etcl_alias_t *alias,
                                const char *name, const char *value)
{
    if (!strcmp(name, "process-group")) {
        etcl_setters_mention(cmd, value);
        return etcl_setters_text(cmd, &alias->process_group, value);
    }
    if (!strcmp(name, "application-group")) {
        return etcl_setters_text(cmd, &alias->application_group, value);
    }
    if (!strcmp(name, "callable-object")) {
        return etcl_setters_text(cmd, &alias->callable_object, value);
    }
    if (!strcmp(name, "pass-authorization")) {
        return etcl_setters_pass(cmd, value, &alias->pass_authorization);
    }
    return apr_psprintf(cmd->pool,
                        "%s: invalid option %s; there are process-group, "
                        "application-group, callable-object and "
                        "pass-authorization",
                        cmd->cmd->name, name);
}

static const char *add_alias(cmd_parms *cmd, const char *args, int is_regex)
{
    etcl_alias_t *alias = apr_pcalloc(cmd->pool, sizeof *alias);
    const char *wrong, *name, *value = "";

    alias->url = ap_getword_conf(cmd->pool, &args);
    alias->target = ap_getword_conf(cmd->pool, &args);
    alias->place = etcl_setters_place(cmd);
    if (!*alias->url || !*alias->target) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name,
                           " needs a URL and the path of a script", NULL);
    }
    if (is_regex) {
        alias->regex = ap_pregcomp(cmd->pool, alias->url, AP_REG_EXTENDED);
        if (!alias->regex) {
            return apr_psprintf(cmd->pool,
                                "%s: %s is not a regular "
                                "expression that compiles",
                                cmd->cmd->name, alias->url);
        }
    }
    while (!(wrong = etcl_setters_option(cmd, &args, &name, &value)) && name) {
        if ((wrong = alias_option(cmd, alias, name, value))) {
            return wrong;
        }
    }
    *(etcl_alias_t **)apr_array_push(etcl_config_server(cmd->server)->aliases) =
        alias;
    return wrong ? wrong : etcl_imports_alias(cmd, alias);
}

const char *etcl_setters_alias(cmd_parms *cmd, void *dir, const char *args)
{
    (void)dir;
    return add_alias(cmd, args, 0);
}

const char *etcl_setters_alias_match(cmd_parms *cmd, void *dir,
                                     const char *args)
{
    (void)dir;
    return add_alias(cmd, args, 1);
}

static const char *check_folder(const cmd_parms *cmd, const char *option,
                                const char *path)
{
    if (!path || ap_is_directory(cmd->temp_pool, path)) {
        return NULL;
    }
    return apr_psprintf(cmd->pool, "WSGIDaemonProcess: %s=%s is not a folder",
                        option, path);
}

/* mod_info shows every directive; secrets are not its business. */
static void show(const cmd_parms *cmd, const char *args)
{
    if (cmd->directive) {
        ((ap_directive_t *)cmd->directive)->args = args;
    }
}

const char *etcl_setters_daemon(cmd_parms *cmd, void *dir, const char *args)
{
    etcl_member_t *member = apr_pcalloc(cmd->pool, sizeof *member);
    const char *group, *wrong, *name, *value = "", *why = NULL, *shown;

    (void)dir;
    group = ap_getword_conf(cmd->pool, &args);
    if (!*group) {
        return "WSGIDaemonProcess needs the name of the group";
    }
    shown = group;
    etcl_group_init(&member->group, group);
    member->place = etcl_setters_place(cmd);
    while (!(wrong = etcl_setters_option(cmd, &args, &name, &value)) && name) {
        if (etcl_group_set(&member->group, name, value, cmd->pool, &why)) {
            return apr_psprintf(cmd->pool, "WSGIDaemonProcess %s: %s", group,
                                why);
        }
        shown = apr_pstrcat(cmd->pool, shown, " ", name, "=",
                            etcl_variables_hide(name, value, cmd->pool), NULL);
    }
    if (member->group.options.env) {
        show(cmd, shown);
    }
    if (!wrong && member->group.options.script_user &&
        member->group.options.script_group) {
        wrong = "WSGIDaemonProcess: script-user and script-group exclude "
                "each other";
    }
    if (!wrong) {
        wrong = check_folder(cmd, "home", member->group.options.home);
    }
    if (!wrong) {
        wrong = check_folder(cmd, "chroot", member->group.options.chroot);
    }
    return wrong ? wrong : etcl_groups_add(cmd, member);
}

/* Reads a section by itself instead of letting httpd walk it: what stands in
 * it is no directive of a server, and anything that does not belong there is
 * an error at its own line. */

#include "etcl_rules.h"
#include "etcl_setters.h"
#include "etcl_text.h"
#include "etcl_tuning.h"

typedef const char *(*rule_setter_t)(cmd_parms *cmd, etcl_rule_t *rule,
                                     size_t offset, const char *arg);

static const char *set_flag(cmd_parms *cmd, etcl_rule_t *rule, size_t offset,
                            const char *arg)
{
    int *field = (int *)(void *)((char *)rule + offset);

    if (etcl_text_flag(etcl_span(arg), field)) {
        return apr_pstrcat(cmd->pool, cmd->directive->directive,
                           " must be On or Off", NULL);
    }
    return NULL;
}

static const char *set_path(cmd_parms *cmd, etcl_rule_t *rule, size_t offset,
                            const char *arg)
{
    (void)cmd;
    (void)offset;
    rule->python_path = arg;
    return NULL;
}

static const char *set_interval(cmd_parms *cmd, etcl_rule_t *rule,
                                size_t offset, const char *arg)
{
    (void)offset;
    return etcl_tuning_seconds(cmd, arg, &rule->switch_interval);
}

static const struct {
    const char *directive;
    rule_setter_t set;
    size_t offset;
} members[] = {
    { "WSGIPerInterpreterGIL", set_flag, APR_OFFSETOF(etcl_rule_t, own_gil) },
    { "WSGIFreeThreading", set_flag,
      APR_OFFSETOF(etcl_rule_t, free_threading) },
    { "WSGIRestrictStdin", set_flag,
      APR_OFFSETOF(etcl_rule_t, restrict_stdin) },
    { "WSGIRestrictStdout", set_flag,
      APR_OFFSETOF(etcl_rule_t, restrict_stdout) },
    { "WSGIRestrictSignal", set_flag,
      APR_OFFSETOF(etcl_rule_t, restrict_signal) },
    { "WSGIPythonPath", set_path, 0 },
    { "WSGISwitchInterval", set_interval, 0 },
};

static const char *read_member(cmd_parms *cmd, etcl_rule_t *rule)
{
    const ap_directive_t *line = cmd->directive;
    const char *args = line->args;
    const char *arg = ap_getword_conf(cmd->pool, &args);
    size_t i;

    for (i = 0; i < sizeof members / sizeof *members; ++i) {
        if (strcasecmp(members[i].directive, line->directive)) {
            continue;
        }
        if (!*arg || *args) {
            return apr_pstrcat(cmd->pool, line->directive,
                               " takes one argument", NULL);
        }
        return members[i].set(cmd, rule, members[i].offset, arg);
    }
    return apr_psprintf(
        cmd->pool,
        "%s not allowed in <WSGIInterpreterOptions>; there may be "
        "WSGIPerInterpreterGIL, WSGIFreeThreading, WSGISwitchInterval, "
        "WSGIPythonPath, WSGIRestrictStdin, WSGIRestrictStdout and "
        "WSGIRestrictSignal",
        line->directive);
}

/* httpd names the line that is wrong, not the first of the section. */
static const char *read_members(cmd_parms *cmd, etcl_rule_t *rule)
{
    ap_directive_t *section = cmd->directive;
    ap_directive_t *line;
    const char *wrong = NULL;

    for (line = section->first_child; line && !wrong; line = line->next) {
        cmd->directive = line;
        wrong = read_member(cmd, rule);
        if (wrong) {
            cmd->err_directive = line;
        }
    }
    cmd->directive = section;
    return wrong;
}

static const char *select_one(const cmd_parms *cmd, const char **selector,
                              const char *name, const char *value)
{
    if (*selector) {
        return apr_psprintf(cmd->pool,
                            "<WSGIInterpreterOptions>: %s= is "
                            "given twice",
                            name);
    }
    *selector = strcmp(value, "%{GLOBAL}") ? value : "";
    return NULL;
}

static const char *read_selectors(const cmd_parms *cmd, const char *args,
                                  etcl_block_t *block)
{
    const char *wrong, *name, *value = "";

    while (!(wrong = etcl_setters_option(cmd, &args, &name, &value)) && name) {
        if (!strcasecmp(name, "process-group")) {
            wrong = select_one(cmd, &block->process_group, name, value);
        } else if (!strcasecmp(name, "application-group")) {
            wrong = select_one(cmd, &block->rule.app_group, name, value);
        } else {
            wrong = apr_psprintf(cmd->pool,
                                 "<WSGIInterpreterOptions>: unknown selector "
                                 "%s; there are process-group and "
                                 "application-group",
                                 name);
        }
        if (wrong) {
            return wrong;
        }
    }
    return wrong;
}

const char *etcl_setters_interpreter_options(cmd_parms *cmd, void *dir,
                                             const char *args)
{
    etcl_block_t block = { .rule = { .own_gil = -1,
                                     .free_threading = -1,
                                     .restrict_stdin = -1,
                                     .restrict_stdout = -1,
                                     .restrict_signal = -1 } };
    const char *end = ap_strrchr_c(args, '>');
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    if (wrong) {
        return wrong;
    }
    if (!end || end[1]) {
        return "<WSGIInterpreterOptions> directive missing closing '>'";
    }
    args = apr_pstrmemdup(cmd->pool, args, (apr_size_t)(end - args));
    wrong = read_selectors(cmd, args, &block);
    if (!wrong) {
        wrong = read_members(cmd, &block.rule);
    }
    if (!wrong) {
        *(etcl_block_t *)apr_array_push(etcl_config_register()->blocks) = block;
    }
    return wrong;
}

static int specificity(const etcl_block_t *block)
{
    return (block->process_group != NULL) + (block->rule.app_group != NULL);
}

static int concerns(const etcl_block_t *block, const char *process_group)
{
    return !block->process_group ||
           !strcmp(block->process_group, process_group);
}

const etcl_rule_t *etcl_rules_of(const char *process_group, apr_pool_t *pool,
                                 int *count)
{
    const apr_array_header_t *all = etcl_config_register()->blocks;
    apr_array_header_t *out = apr_array_make(pool, 4, sizeof(etcl_rule_t));
    int level, i;

    for (level = 0; level <= 2; ++level) {
        for (i = 0; i < all->nelts; ++i) {
            const etcl_block_t *each = &APR_ARRAY_IDX(all, i, etcl_block_t);

            if (specificity(each) == level && concerns(each, process_group)) {
                *(etcl_rule_t *)apr_array_push(out) = each->rule;
            }
        }
    }
    *count = out->nelts;
    return out->nelts ? (const etcl_rule_t *)(void *)out->elts : NULL;
}

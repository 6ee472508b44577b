/* Reads the tree of directives, and would rather say nothing than be wrong:
 * whatever might grant access does. Evaluates no authorization. */

#include "etcl_access.h"

#include <http_config.h>

typedef struct {
    const char *path;
    apr_pool_t *pool;
    const ap_directive_t *denial; /* or NULL */
    int is_open;                  /* something may grant */
} search_t;

static const char *folder_of(const search_t *s, const ap_directive_t *section)
{
    const char *args = section->args;
    char *folder = ap_getword_conf(s->pool, &args);
    size_t len = strlen(folder);

    while (len && (folder[len - 1] == '>' || folder[len - 1] == '/')) {
        folder[--len] = '\0';
    }
    return folder;
}

static int is_below(const char *path, const char *folder)
{
    const size_t len = strlen(folder);

    return !strncmp(path, folder, len) && (!path[len] || path[len] == '/');
}

static int is_folder_section(const ap_directive_t *at)
{
    return at && !strcasecmp(at->directive, "<Directory");
}

/* A target may be a folder of scripts: what is below it matters, too. */
static int may_cover(const search_t *s, const ap_directive_t *section)
{
    const char *folder;

    if (!is_folder_section(section) || strpbrk(section->args, "~*?[$%")) {
        return 1;
    }
    folder = folder_of(s, section);
    return is_below(s->path, folder) || is_below(folder, s->path);
}

/* For every request of every host: directly in a section of no host. */
static int is_general(const search_t *s, const ap_directive_t *at)
{
    const ap_directive_t *section = at->parent;

    return is_folder_section(section) && !section->parent &&
           !strpbrk(section->args, "~*?[$%") &&
           is_below(s->path, folder_of(s, section));
}

static void judge(search_t *s, const ap_directive_t *at)
{
    const char *name = at->directive;

    if (!strcasecmp(name, "Require") && !strcasecmp(at->args, "all denied")) {
        s->denial = is_general(s, at) ? at : s->denial;
    } else if (!strcasecmp(name, "AllowOverride")) {
        s->is_open |= strcasecmp(at->args, "None") != 0;
    } else if (!strncasecmp(name, "Require", 7) ||
               !strncasecmp(name, "Allow", 5) ||
               !strcasecmp(name, "AuthMerging") ||
               !strcasecmp(name, "Satisfy")) {
        s->is_open = 1;
    }
}

static const ap_directive_t *after(const ap_directive_t *at)
{
    while (at && !at->next) {
        at = at->parent;
    }
    return at ? at->next : NULL;
}

int etcl_access_is_denied(const char *path, apr_pool_t *pool,
                          etcl_place_t *where)
{
    search_t s = { .path = path, .pool = pool };
    const ap_directive_t *at = ap_conftree;

    while (at && !s.is_open) {
        judge(&s, at);
        at = at->first_child && may_cover(&s, at) ? at->first_child : after(at);
    }
    if (s.is_open || !s.denial) {
        return 0;
    }
    *where = (etcl_place_t){ s.denial->filename, s.denial->line_num };
    return 1;
}

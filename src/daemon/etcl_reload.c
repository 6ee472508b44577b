/* Makes one of the changes of scripts and of folders: a checkout that renews
 * both is one reload. */

#include "etcl_reload.h"

#define MTIME_MAX_US (APR_INT64_MAX / 1000) /* kept in nanoseconds */

void etcl_reload_init(etcl_reload_t *reload, const etcl_handover_t *handover)
{
    const etcl_group_t *group = &handover->group;
    const char *folders = group->options.reload_watch;
    int i;

    *reload = (etcl_reload_t){ .roster = handover->roster };
    etcl_roster_set_changing(reload->roster, 0);
    if (folders && group->options.threads) {
        reload->sources = etcl_sources_create(folders, group->name);
    }
    reload->watch =
        group->reload ? etcl_watch_create((int)group->options.reload) : NULL;
    for (i = 0; reload->watch && i < group->preload_count; i++) {
        etcl_watch_add(reload->watch, etcl_span(group->preloads[i].script), -1);
    }
}

/* A script that a worker loaded. What it was made of may be older than what
 * the file is by now. */
void etcl_reload_take(etcl_reload_t *reload, const etcl_note_t *note)
{
    if (!reload->watch || note->a_us > MTIME_MAX_US || !note->text.len ||
        note->text.ptr[0] != '/' ||
        memchr(note->text.ptr, '\0', note->text.len)) {
        return;
    }
    if (note->kind == ETCL_NOTE_KEPT) {
        etcl_watch_keep(reload->watch, note->text);
    } else {
        etcl_watch_add(reload->watch, note->text, note->a_us);
    }
}

static const char *poll_watch(etcl_reload_t *reload, apr_int64_t now_us)
{
    return reload->watch ? etcl_watch_poll(reload->watch, now_us) : NULL;
}

static const char *poll_sources(etcl_reload_t *reload, apr_int64_t now_us)
{
    return reload->sources ? etcl_sources_poll(reload->sources, now_us) : NULL;
}

/* A script that has changed waits for others that are still changing. */
static int is_moving(const etcl_reload_t *reload)
{
    return reload->sources && etcl_sources_is_moving(reload->sources);
}

const char *etcl_reload_poll(etcl_reload_t *reload, apr_int64_t now_us)
{
    const char *script = poll_watch(reload, now_us);
    const char *source = poll_sources(reload, now_us);

    if (script) {
        reload->script = script;
    }
    if (source && reload->watch) {
        etcl_watch_accept(reload->watch);
    }
    if (source) {
        reload->script = NULL;
        return source;
    }
    script = reload->script;
    if (!script || is_moving(reload)) {
        return NULL;
    }
    reload->script = NULL;
    if (reload->sources) {
        etcl_sources_accept(reload->sources);
    }
    return script;
}

static void publish_script(const etcl_reload_t *reload, int number)
{
    etcl_watch_file_t file = etcl_watch_file(reload->watch, number);

    etcl_roster_set_code(reload->roster, number,
                         etcl_stamp_key(etcl_span(file.path)),
                         file.kept ? 0 : etcl_stamp_digest(&file.loaded));
}

/* Versions first, and only then that nothing changes any more. */
void etcl_reload_publish(const etcl_reload_t *reload, int settled)
{
    int i, count = reload->watch ? etcl_watch_count(reload->watch) : 0;
    int changing = !settled || reload->script || is_moving(reload);

    if (changing) {
        etcl_roster_set_changing(reload->roster, 1);
        return;
    }
    for (i = 0; i < count && i < ETCL_ROSTER_CODES_MAX; i++) {
        publish_script(reload, i);
    }
    etcl_roster_set_changing(reload->roster, 0);
}

/* Children must not wait for versions that will not come: the list is empty
 * from now on. */
void etcl_reload_stop(etcl_reload_t *reload)
{
    etcl_roster_set_code(reload->roster, 0, 0, 0);
    etcl_sources_destroy(reload->sources);
    etcl_watch_destroy(reload->watch);
    *reload = (etcl_reload_t){ .roster = reload->roster };
}

apr_int64_t etcl_reload_next_us(const etcl_reload_t *reload)
{
    apr_int64_t script_us =
        reload->watch ? etcl_watch_next_us(reload->watch) : 0;
    apr_int64_t source_us =
        reload->sources ? etcl_sources_next_us(reload->sources) : 0;

    return !source_us || (script_us && script_us < source_us) ? script_us
                                                              : source_us;
}

int etcl_reload_fd(const etcl_reload_t *reload)
{
    return reload->sources ? etcl_sources_fd(reload->sources) : -1;
}

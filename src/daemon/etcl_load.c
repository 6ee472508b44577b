/* Starts Python and loads what is known from the configuration. Callbacks of
 * the runtime carry no context: where they lead is kept here. */

#include "etcl_load.h"
#include "etcl_crash.h"
#include "etcl_engine.h"
#include "etcl_journal.h"
#include "etcl_note.h"

static int notes_fd = -1;
static atomic_int *any;

void etcl_load_tell(int control_fd, atomic_int *loaded)
{
    atomic_store(loaded, any ? atomic_load(any) : 0);
    any = loaded;
    notes_fd = control_fd;
}

/* The supervisor watches what was loaded. */
static void tell_loaded(etcl_span_t script, apr_int64_t mtime_us)
{
    atomic_store(any, 1);
    etcl_note_send(notes_fd, &(etcl_note_t){ .kind = ETCL_NOTE_LOADED,
                                             .a_us = mtime_us,
                                             .text = script });
}

static const etcl_runtime_t *fail(const char *why)
{
    if (why) {
        etcl_journal_text(ETCL_LOG_ERR, etcl_span(why));
    }
    etcl_note_send(notes_fd, &(etcl_note_t){ .kind = ETCL_NOTE_FAILED });
    return NULL;
}

const etcl_runtime_t *etcl_load_python(const etcl_group_t *group, int forks)
{
    /* The runtime borrows it for the life of the process. */
    static etcl_runtime_config_t config;
    const etcl_runtime_t *runtime = etcl_engine_open(group);
    const char *why = NULL;
    apr_pool_t *pool;

    if (!runtime) {
        return fail(NULL);
    }
    etcl_engine_configure(group, &config);
    config.forks = forks;
    config.log = etcl_journal_text;
    config.loaded = tell_loaded;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return fail("no memory to start Python with");
    }
    etcl_crash_prepare();
    return runtime->start(&config, pool, &why) == APR_SUCCESS ? runtime
                                                              : fail(why);
}

int etcl_load_scripts(const etcl_group_t *group, const etcl_runtime_t *runtime)
{
    const etcl_preload_t *preload = group->preloads;
    int i, failing = 0;

    for (i = 0; i < group->preload_count; i++, preload++) {
        etcl_target_t target = { .script = etcl_span(preload->script),
                                 .app_group = etcl_span(preload->app_group),
                                 .callable = etcl_span(preload->callable) };

        failing += runtime->load(&target) != APR_SUCCESS;
    }
    return failing;
}

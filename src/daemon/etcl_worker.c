/* The set-up of a worker, from fork to ready. It ends in etcl_retire.c; what
 * happens between is etcl_park.c and etcl_serve.c. */

#include "etcl_worker.h"
#include "etcl_clock.h"
#include "etcl_engine.h"
#include "etcl_environment.h"
#include "etcl_heart.h"
#include "etcl_journal.h"
#include "etcl_probe.h"
#include "etcl_retire.h"
#include "etcl_serve.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define ABOVE_STANDARD 3

/* How a worker ends whose start failed; the supervisor backs off. */
#define EXIT_NO_START 1

/* For callbacks of the runtime, which carry no context. */
static int notes_fd = -1;
static etcl_service_t service;

static int compare_fds(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Other slots' listeners, the lifeline, the supervisor's own descriptors:
 * a worker that held them would keep them alive. */
static void close_others(int *keep, size_t count)
{
    unsigned int from = ABOVE_STANDARD;
    size_t i;

    qsort(keep, count, sizeof(*keep), compare_fds);
    for (i = 0; i < count; i++) {
        if ((unsigned int)keep[i] > from) {
            close_range(from, (unsigned int)keep[i] - 1, 0);
        }
        from = (unsigned int)keep[i] + 1;
    }
    close_range(from, UINT_MAX, 0);
}

/* Descriptors 1 and 2 are what the application's programs inherit, and no
 * other. The log itself is the supervisor's: whoever holds its descriptor can
 * empty the file, and change how Apache writes to it. */
static int arrange_fds(const etcl_worker_t *worker)
{
    int keep[] = { worker->log_fd, worker->control_fd, worker->listen_fd };

    if (dup2(worker->out_fd, 1) < 0 || dup2(worker->err_fd, 2) < 0) {
        return 0;
    }
    close_others(keep, sizeof(keep) / sizeof(*keep));
    etcl_journal_open(worker->log_fd, worker->group->log_level);
    return 1;
}

static void fail(const etcl_worker_t *worker, const char *what, int error)
    __attribute__((noreturn));

static void fail(const etcl_worker_t *worker, const char *what, int error)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0252: worker %d of group %s (pid %ld) does not "
                     "start: %s: %s",
                     worker->slot, worker->group->name, (long)getpid(), what,
                     strerror(error));
    _exit(EXIT_NO_START);
}

static void fail_python(void) __attribute__((noreturn));

static void fail_python(void)
{
    etcl_note_send(notes_fd, &(etcl_note_t){ .kind = ETCL_NOTE_FAILED });
    _exit(EXIT_NO_START);
}

/* The supervisor watches what was loaded. */
static void tell_loaded(etcl_span_t script, apr_int64_t mtime_us)
{
    atomic_store(&service.loaded, 1);
    etcl_note_send(notes_fd, &(etcl_note_t){ .kind = ETCL_NOTE_LOADED,
                                             .a_us = mtime_us,
                                             .text = script });
}

static const etcl_runtime_t *start_python(const etcl_worker_t *worker)
{
    /* The runtime borrows it for the life of the process. */
    static etcl_runtime_config_t config;
    const etcl_runtime_t *runtime = etcl_engine_open(worker->group);
    const char *why = NULL;
    apr_pool_t *pool;

    if (!runtime) {
        fail_python();
    }
    etcl_engine_configure(worker->group, &config);
    config.log = etcl_journal_text;
    config.loaded = tell_loaded;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fail(worker, "memory", ENOMEM);
    }
    if (runtime->start(&config, pool, &why) != APR_SUCCESS) {
        etcl_journal_text(ETCL_LOG_ERR, etcl_span(why));
        fail_python();
    }
    return runtime;
}

/* Returns how many scripts do not load. Each is told by the runtime. */
static int load_scripts(const etcl_group_t *group,
                        const etcl_runtime_t *runtime)
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

static void tell_ready(int failing)
{
    etcl_note_send(notes_fd, &(etcl_note_t){ .kind = ETCL_NOTE_READY,
                                             .number = (apr_uint32_t)failing });
}

/* A worker whose application does not load is ready, too: its requests are
 * answered with 500. Whether it is wanted the supervisor decides. */
static void serve(int failing)
{
    const etcl_worker_t *worker = service.worker;
    const etcl_group_t *group = worker->group;
    apr_status_t rv;

    rv = etcl_park_open(&service.park, worker->listen_fd, group);
    if (rv != APR_SUCCESS) {
        fail(worker, "epoll", rv);
    }
    rv = etcl_serve_start(&service);
    if (rv == APR_SUCCESS) {
        rv = etcl_probe_start(service.runtime,
                              group->options.deadlock_timeout > 0);
    }
    if (rv != APR_SUCCESS) {
        fail(worker,
             "request threads; threads= and stack-size= say how many "
             "and how big",
             rv);
    }
    etcl_heart_serve(&service);
    tell_ready(failing);
}

static void run_service(void) __attribute__((noreturn));

/* threads=0: the scripts are what the process is for, and it ends when they
 * do. The supervisor starts it again. */
static void run_service(void)
{
    const etcl_group_t *group = service.worker->group;
    int failing;

    etcl_heart_service();
    tell_ready(0);
    failing = load_scripts(group, service.runtime);
    etcl_heart_stopping();
    service.runtime->stop(etcl_note_why(ETCL_WHY_SHUTDOWN));
    _exit(failing ? EXIT_NO_START : 0);
}

static apr_uint32_t enter_roster(const etcl_worker_t *worker)
{
    apr_int64_t threads = worker->group->options.threads;
    etcl_roster_slot_t self;

    etcl_roster_begin(worker->roster, worker->slot, (apr_uint32_t)getpid(),
                      threads ? (apr_uint32_t)threads : 1, etcl_clock_us());
    etcl_roster_read(worker->roster, worker->slot, &self);
    return self.incarnation;
}

void etcl_worker_run(const etcl_worker_t *worker)
{
    apr_status_t rv;

    notes_fd = worker->control_fd;
    service.ledger = etcl_ledger_open(worker->ledger_fd);
    if (!arrange_fds(worker)) {
        fail(worker, "descriptors", errno);
    }
    service.worker = worker;
    service.incarnation = enter_roster(worker);
    rv = etcl_heart_start(worker);
    if (rv != APR_SUCCESS) {
        fail(worker, "monitor thread", rv);
    }
    etcl_environment_limit(worker->group);
    service.runtime = start_python(worker);
    if (!worker->group->options.threads) {
        run_service();
    }
    serve(load_scripts(worker->group, service.runtime));
    etcl_retire_run(&service);
}

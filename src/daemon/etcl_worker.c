/* The set-up of a worker, from fork to ready. It ends in etcl_retire.c; what
 * happens between is etcl_park.c and etcl_serve.c. */

#include "etcl_worker.h"
#include "etcl_clock.h"
#include "etcl_ending.h"
#include "etcl_environment.h"
#include "etcl_fds.h"
#include "etcl_heart.h"
#include "etcl_journal.h"
#include "etcl_load.h"
#include "etcl_probe.h"
#include "etcl_retire.h"
#include "etcl_serve.h"
#include "etcl_warm.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* How a worker ends whose start failed; the supervisor backs off. */
#define EXIT_NO_START 1

/* An orphan has a parent again at once, unless the machine is very busy. */
#define ADOPTED_MS 1000

static etcl_service_t service;
static apr_int64_t began_us;

/* Descriptors 1 and 2 are what the application's programs inherit, and no
 * other. The log itself is the supervisor's: whoever holds its descriptor can
 * empty the file, and change how Apache writes to it. */
static int arrange_fds(const etcl_worker_t *worker)
{
    int keep[] = { worker->log_fd, worker->control_fd, worker->listen_fd,
                   worker->ledger_fd };
    int printed = etcl_fds_print(worker->out_fd, worker->err_fd);

    etcl_fds_keep(keep, sizeof(keep) / sizeof(*keep));
    return printed;
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

static void tell_ready(int failing)
{
    etcl_note_send(service.worker->control_fd,
                   &(etcl_note_t){ .kind = ETCL_NOTE_READY,
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
    service.warms_up = group->page.script && !failing;
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
    failing += etcl_warm_wait(&service, began_us);
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

    etcl_ending_service();
    tell_ready(0);
    failing = etcl_load_scripts(group, service.runtime);
    etcl_ending_stopping();
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

void etcl_worker_begin(const etcl_worker_t *worker, int printed)
{
    apr_status_t rv;

    began_us = etcl_clock_us();
    etcl_journal_open(worker->log_fd, worker->group->log_level);
    if (!printed) {
        fail(worker, "descriptors", errno);
    }
    etcl_note_send(worker->control_fd,
                   &(etcl_note_t){ .kind = ETCL_NOTE_BORN });
    etcl_load_tell(worker->control_fd, &service.loaded);
    service.ledger = etcl_ledger_open(worker->ledger_fd);
    if (worker->ledger_fd >= 0) {
        close(worker->ledger_fd);
    }
    service.worker = worker;
    service.incarnation = enter_roster(worker);
    rv = etcl_heart_start(worker);
    if (rv != APR_SUCCESS) {
        fail(worker, "monitor thread", rv);
    }
    etcl_environment_limit_time(worker->group);
}

void etcl_worker_run(const etcl_worker_t *worker)
{
    const etcl_group_t *group = worker->group;

    etcl_worker_begin(worker, arrange_fds(worker));
    etcl_environment_limit_memory(group);
    service.runtime = etcl_load_python(group, 0);
    if (!service.runtime) {
        _exit(EXIT_NO_START);
    }
    if (!group->options.threads) {
        run_service();
    }
    serve(etcl_load_scripts(group, service.runtime));
    etcl_retire_run(&service);
}

/* An application may ask who its parent is: what forked it is ending. */
static void wait_for_parent(pid_t supervisor)
{
    const struct timespec nap = { .tv_nsec = 1000000 };
    int i;

    for (i = 0; i < ADOPTED_MS && getppid() != supervisor; i++) {
        nanosleep(&nap, NULL);
    }
}

void etcl_worker_serve(const etcl_runtime_t *runtime, int failing,
                       pid_t supervisor)
{
    service.runtime = runtime;
    wait_for_parent(supervisor);
    serve(failing);
    etcl_retire_run(&service);
}

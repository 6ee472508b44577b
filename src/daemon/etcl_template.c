/* The life of a template. For each worker it forks twice: a copy of itself,
 * which no handler of the application hears of, and from this the worker, as
 * os.fork() would. The copy ends, so that the worker is an orphan and goes to
 * the supervisor (etcl_nursery.c). The template itself stays as it was. */

#include "etcl_template.h"
#include "etcl_caught.h"
#include "etcl_environment.h"
#include "etcl_fds.h"
#include "etcl_journal.h"
#include "etcl_load.h"
#include "etcl_order.h"
#include "etcl_worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NO_START 1

static const etcl_template_t *self;
static etcl_worker_t worker; /* that is being born */
static atomic_int loaded;

static void fail(const char *what) __attribute__((noreturn));

static void fail(const char *what)
{
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0280: the template of group %s (pid %ld) cannot go "
                     "on: %s: %s",
                     self->group->name, (long)getpid(), what, strerror(errno));
    _exit(EXIT_NO_START);
}

/* Whoever started this process may have ended before it was asked to tell. */
static void follow(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) {
        _exit(EXIT_NO_START);
    }
}

static void arrange_fds(void)
{
    const etcl_ends_t *ends = &self->ends;
    int keep[] = { ends->log_fd, ends->control_fd };
    int printed = etcl_fds_print(ends->out_fd, ends->err_fd);

    etcl_fds_keep(keep, sizeof(keep) / sizeof(*keep));
    etcl_journal_open(ends->log_fd, self->group->log_level);
    if (!printed) {
        fail("descriptors");
    }
}

static void tell(etcl_note_kind_t kind, int number)
{
    etcl_note_send(
        self->ends.control_fd,
        &(etcl_note_t){ .kind = kind, .number = (apr_uint32_t)number });
}

/* The template's own descriptors become those of the worker, whose heart
 * beats before Python does anything: it may be stuck there. */
static void be_born(void *unused)
{
    int ours[] = { self->ends.log_fd, self->ends.control_fd, worker.out_fd,
                   worker.err_fd };
    int printed = etcl_fds_print(worker.out_fd, worker.err_fd);
    size_t i;

    for (i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
        close(ours[i]);
    }
    etcl_worker_begin(&worker, printed);
}

static void fork_worker(const etcl_runtime_t *runtime, int failing,
                        pid_t supervisor) __attribute__((noreturn));

static void fork_worker(const etcl_runtime_t *runtime, int failing,
                        pid_t supervisor)
{
    pid_t pid = runtime->fork(be_born, NULL);

    if (!pid) {
        etcl_worker_serve(runtime, failing, supervisor);
    }
    if (pid < 0) {
        fail("fork");
    }
    _exit(0);
}

static void close_order(const etcl_order_fds_t *fds)
{
    close(fds->control_fd);
    close(fds->listen_fd);
    close(fds->out_fd);
    close(fds->err_fd);
    close(fds->log_fd);
    if (fds->ledger_fd >= 0) {
        close(fds->ledger_fd);
    }
}

/* What does not come of it the supervisor sees by the end of the control
 * socket, which the copy holds as well. */
static void bear(const etcl_runtime_t *runtime, int failing, int slot,
                 const etcl_order_fds_t *fds)
{
    pid_t template = getpid(), supervisor = getppid(), copy;

    worker = (etcl_worker_t){ .group = self->group,
                              .roster = self->roster,
                              .slot = slot,
                              .control_fd = fds->control_fd,
                              .listen_fd = fds->listen_fd,
                              .out_fd = fds->out_fd,
                              .err_fd = fds->err_fd,
                              .log_fd = fds->log_fd,
                              .ledger_fd = fds->ledger_fd };
    copy = _Fork();
    if (!copy) {
        follow(template);
        fork_worker(runtime, failing, supervisor);
    }
    close_order(fds);
    if (copy < 0) {
        fail("fork");
    }
    while (waitpid(copy, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void take_orders(const etcl_runtime_t *runtime, int failing)
    __attribute__((noreturn));

static void take_orders(const etcl_runtime_t *runtime, int failing)
{
    etcl_order_fds_t fds;
    apr_status_t rv;
    int slot;

    do {
        rv = etcl_order_recv(self->ends.control_fd, &slot, &fds);
        if (rv == APR_SUCCESS) {
            bear(runtime, failing, slot, &fds);
        }
    } while (rv != APR_EOF);
    _exit(0);
}

void etcl_template_run(const etcl_template_t *template)
{
    const etcl_runtime_t *runtime;
    pid_t parent = getppid();
    int failing;

    self = template;
    arrange_fds();
    follow(parent);
    etcl_caught_prepare();
    etcl_load_tell(self->ends.control_fd, &loaded);
    etcl_environment_limit_memory(self->group);
    runtime = etcl_load_python(self->group, 1);
    if (!runtime) {
        _exit(EXIT_NO_START);
    }
    failing = etcl_load_scripts(self->group, runtime);
    if (runtime->settle() != APR_SUCCESS) {
        tell(ETCL_NOTE_REFUSED, 0);
        _exit(EXIT_NO_START);
    }
    tell(ETCL_NOTE_READY, failing);
    take_orders(runtime, failing);
}

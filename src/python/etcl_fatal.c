/* A signal handler, so nothing here allocates, locks or asks for the GIL. It
 * writes to descriptor 2, whose lines the supervisor puts into the log, and
 * then has the signal do what it did before. */

#include "etcl_fatal.h"

#include "etcl_python.h"
#include "etcl_threads.h"

#include <signal.h>
#include <unistd.h>

static const int numbers[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

static struct sigaction before[NSIG];

/* CPython's, for its own faulthandler; not every build lets it out. */
extern void _Py_DumpTraceback(int fd, PyThreadState *state)
    __attribute__((weak));

static void put(const char *text)
{
    if (write(2, text, strlen(text)) < 0) {
        return; /* nobody reads it any more */
    }
}

static void tell_stack(const etcl_seat_t *seat)
{
    put("\n");
    put("ETCL0355: in the interpreter of application-group ");
    put(seat->interp->name);
    put(":\n");
    _Py_DumpTraceback(2, seat->state);
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
    const etcl_seat_t *seat = etcl_threads_crashed();

    if (seat && seat->interp->next && _Py_DumpTraceback) {
        tell_stack(seat);
    }
    sigaction(number, &before[number], NULL);
    raise(number);
}

void etcl_fatal_watch(void)
{
    struct sigaction action = { .sa_flags = SA_NODEFER | SA_SIGINFO };
    unsigned int i;

    action.sa_sigaction = on_fatal;
    sigemptyset(&action.sa_mask);
    for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        sigaction(numbers[i], &action, &before[numbers[i]]);
    }
}

/* Dumps the Python stack of a thread by CPython's own faulthandler: a signal
 * makes it write the stack of the thread that receives it, without the GIL,
 * even while that thread is stuck in C. The text comes through a pipe and is
 * read with a bound. Inside a sub-interpreter before 3.12, faulthandler knows
 * only the frames that the thread has in the main one. */

#include "etcl_dump.h"

#include "etcl_say.h"
#include "etcl_threads.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define DUMP_BYTES 65536
#define FIRST_MS 500 /* until the thread begins to write */
#define QUIET_MS 20  /* no more text for so long: complete */

#define ONE_SIGNAL (SIGRTMAX - 2)
#define ALL_SIGNAL (SIGRTMAX - 3)

static int pipe_fds[2] = { -1, -1 };
static pthread_mutex_t dumping = PTHREAD_MUTEX_INITIALIZER;

/* dump_channel(): (signal for one thread, signal for all, fd to write to). */
static PyObject *dump_channel(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (pipe_fds[0] < 0 && pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK)) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return Py_BuildValue("(iii)", ONE_SIGNAL, ALL_SIGNAL, pipe_fds[1]);
}

PyMethodDef etcl_dump_methods[] = {
    { "dump_channel", dump_channel, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

void etcl_dump_unblock(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, ONE_SIGNAL);
    sigaddset(&set, ALL_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* The signals write to a number, which now means a pipe of this process. */
void etcl_dump_renew(void)
{
    int fds[2];

    if (pipe_fds[0] < 0 || pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
        return;
    }
    dup3(fds[0], pipe_fds[0], O_CLOEXEC);
    dup3(fds[1], pipe_fds[1], O_CLOEXEC);
    close(fds[0]);
    close(fds[1]);
}

static apr_size_t collect(char *text)
{
    struct pollfd wait = { .fd = pipe_fds[0], .events = POLLIN };
    apr_size_t len = 0;

    while (len < DUMP_BYTES && poll(&wait, 1, len ? QUIET_MS : FIRST_MS) > 0) {
        ssize_t got = read(pipe_fds[0], text + len, DUMP_BYTES - len);

        if (got <= 0) {
            break;
        }
        len += (apr_size_t)got;
    }
    return len;
}

static void say_stack(const char *text, apr_size_t len)
{
    static const char title[] = "ETCL0323: Python stack, innermost call first";

    while (len && text[len - 1] == '\n') {
        len--;
    }
    if (!len) {
        etcl_say_process(ETCL_LOG_NOTICE, "%s: not available", title);
        return;
    }
    etcl_say_process(ETCL_LOG_NOTICE, "%s", title);
    etcl_say_text(NULL, ETCL_LOG_NOTICE, (etcl_span_t){ text, len });
}

void etcl_dump_stack(etcl_exchange_t *x)
{
    static char text[DUMP_BYTES]; /* under the lock */

    pthread_mutex_lock(&dumping);
    if (pipe_fds[0] >= 0 && etcl_threads_kill(x, x ? ONE_SIGNAL : ALL_SIGNAL)) {
        say_stack(text, collect(text));
    }
    pthread_mutex_unlock(&dumping);
}

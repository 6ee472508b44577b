/* The guard against forked copies of the application that come back into the
 * server. It only counts and ends; who compares the count is etcl_turn.h. */

#include "etcl_fork.h"

#include "etcl_say.h"

#include <pthread.h>
#include <unistd.h>

static unsigned int forks;

static void count_fork(void)
{
    forks++;
}

void etcl_fork_init(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

unsigned int etcl_fork_count(void)
{
    return forks;
}

void etcl_fork_end(void)
{
    etcl_say_process(ETCL_LOG_WARNING,
                     "ETCL0320: the application called os.fork() and its "
                     "child, pid %ld, came back into the server: the child "
                     "is ended (end it yourself with os._exit())",
                     (long)getpid());
    _exit(1);
}

/* Starts threads that live as long as their process. What they do is said in
 * the rooms that start them. */

#include "etcl_thread.h"

#include <limits.h>
#include <pthread.h>

static size_t at_least(apr_int64_t stack_len)
{
    return stack_len < PTHREAD_STACK_MIN ? (size_t)PTHREAD_STACK_MIN
                                         : (size_t)stack_len;
}

apr_status_t etcl_thread_start(void *(*run)(void *), void *data,
                               apr_int64_t stack_len)
{
    pthread_attr_t attr;
    pthread_t thread;
    apr_status_t rv;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (stack_len) {
        pthread_attr_setstacksize(&attr, at_least(stack_len));
    }
    rv = pthread_create(&thread, &attr, run, data);
    pthread_attr_destroy(&attr);
    return rv;
}

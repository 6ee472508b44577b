/* A thread that looks at all replies now and then while some linger, and
 * sleeps otherwise. Under load it wakes 200 times a second, whatever the
 * number of requests. What a reply may do is etcl_reply.c's. */

#include "etcl_linger.h"
#include "etcl_clock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE 262144

static struct {
    const etcl_service_t *service;
    _Atomic apr_uint32_t began; /* since the last look; the thread sleeps on
                                   it while it is 0 */
} linger;

static void send_late(apr_int64_t now_us)
{
    const etcl_service_t *service = linger.service;
    int i, count = atomic_load(&service->duty_count);

    for (i = 0; i < count; i++) {
        if (!etcl_reply_hurry(service->duties[i].reply,
                              now_us - ETCL_LINGER_US)) {
            atomic_store(&linger.began, 1);
        }
    }
}

static void *run_linger(void *unused)
{
    for (;;) {
        while (!atomic_exchange(&linger.began, 0)) {
            syscall(SYS_futex, &linger.began, FUTEX_WAIT_PRIVATE, 0, NULL, NULL,
                    0);
        }
        usleep(ETCL_LINGER_US);
        send_late(etcl_clock_us());
    }
    return unused;
}

void etcl_linger_begin(void)
{
    if (!atomic_load(&linger.began) && !atomic_exchange(&linger.began, 1)) {
        syscall(SYS_futex, &linger.began, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

apr_status_t etcl_linger_start(const etcl_service_t *service)
{
    pthread_attr_t attr;
    pthread_t thread;
    apr_status_t rv;

    linger.service = service;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    rv = pthread_create(&thread, &attr, run_linger, NULL);
    pthread_attr_destroy(&attr);
    return rv;
}

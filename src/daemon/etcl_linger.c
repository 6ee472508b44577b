/* A thread that looks at all replies now and then while some linger, and
 * sleeps otherwise. Under load it wakes 200 times a second, whatever the
 * number of requests. What a reply may do is etcl_outbox.c's. */

#include "etcl_linger.h"
#include "etcl_clock.h"
#include "etcl_thread.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

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
        if (!etcl_outbox_hurry(&service->duties[i].reply->box,
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
    linger.service = service;
    return etcl_thread_start(run_linger, NULL, ETCL_THREAD_SMALL);
}

/* Retiring loses nothing (src/README.rst): links are shut before anything is
 * waited for, and Python is stopped when no call runs any more, or none is
 * given more time. */

#include "etcl_retire.h"
#include "etcl_clock.h"
#include "etcl_ending.h"
#include "etcl_guard.h"
#include "etcl_journal.h"

#include <unistd.h>

#define REST_US 100000 /* how soon a more urgent order is noticed */

/* Returns how many calls are still running when the time is over. */
static int finish_calls(etcl_service_t *service)
{
    apr_int64_t left_us;
    int busy = 0;

    while (busy >= 0) {
        left_us = etcl_ending_get().calls_until_us - etcl_clock_us();
        if (left_us <= 0) {
            return busy;
        }
        busy = etcl_park_rest(&service->park,
                              left_us < REST_US ? left_us : REST_US);
    }
    return 0;
}

/* A request that had its time is not begun again elsewhere. */
static void cut_calls(const etcl_service_t *service, int busy)
{
    if (busy) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0251: worker %d of group %s (pid %ld) ends with "
                         "%d requests unfinished: their time, "
                         "graceful-timeout, is over",
                         service->worker->slot, service->worker->group->name,
                         (long)getpid(), busy);
        etcl_guard_cut(502);
    }
}

void etcl_retire_run(etcl_service_t *service)
{
    etcl_ending_t order;

    etcl_ending_wait();
    etcl_park_shut(&service->park);
    cut_calls(service, finish_calls(service));
    order = etcl_ending_get();
    etcl_ending_stopping();
    service->runtime->stop(etcl_note_why(order.why));
    _exit(0);
}

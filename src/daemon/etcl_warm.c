/* Makes the call of warm-up= and an exchange that forgets the answer but its
 * status. The call is in no duty and in no count: it is nobody's request. */

#include "etcl_warm.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_key.h"
#include "etcl_page.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define AGENT "mod_etcl warm-up"

static struct {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int is_done;
    int failed;
} warm = { .lock = PTHREAD_MUTEX_INITIALIZER,
           .changed = PTHREAD_COND_INITIALIZER };

/* The answer so far. */
typedef struct {
    etcl_exchange_t base; /* first */
    int status;           /* of its head; 0: none yet */
} silence_t;

static apr_status_t read_nothing(etcl_exchange_t *x, char *into, apr_size_t max,
                                 int whole, apr_size_t *got)
{
    *got = 0;
    return APR_EOF;
}

static apr_status_t keep_status(etcl_exchange_t *x, const etcl_head_t *head)
{
    ((silence_t *)x)->status = head->status;
    return APR_SUCCESS;
}

static apr_status_t forget_block(etcl_exchange_t *x, etcl_span_t block,
                                 unsigned int how)
{
    return APR_SUCCESS;
}

static apr_status_t forget_file(etcl_exchange_t *x, int fd, apr_int64_t offset,
                                apr_int64_t len)
{
    return APR_SUCCESS;
}

static int is_gone(etcl_exchange_t *x)
{
    return 0;
}

static void log_text(etcl_exchange_t *x, etcl_level_t level, etcl_span_t text)
{
    etcl_journal_text(level, text);
}

static const etcl_exchange_ops_t silence_ops = {
    .read = read_nothing,
    .begin = keep_status,
    .write = forget_block,
    .send_file = forget_file,
    .gone = is_gone,
    .log = log_text,
};

static etcl_pair_t pair(etcl_key_t id, const char *value)
{
    return (etcl_pair_t){ (apr_byte_t)id, etcl_key_name(id), etcl_span(value) };
}

static const char *port_of(const etcl_page_t *page)
{
    if (page->port) {
        return page->port;
    }
    return page->https ? "443" : "80";
}

/* As Apache would put them, for a client on this machine. */
static etcl_answer_t ask_page(const etcl_service_t *service,
                              const etcl_page_t *page, etcl_exchange_t *x)
{
    const etcl_group_t *group = service->worker->group;
    const char *info = page->path + strlen(group->page_mount);
    const char *host = page->host ? page->host : group->page_host;
    const etcl_pair_t pairs[] = {
        { 0, ETCL_SPAN("GATEWAY_INTERFACE"), ETCL_SPAN("CGI/1.1") },
        pair(ETCL_KEY_REQUEST_METHOD, "GET"),
        pair(ETCL_KEY_SCRIPT_NAME, group->page_mount),
        pair(ETCL_KEY_PATH_INFO, info),
        pair(ETCL_KEY_QUERY_STRING, page->query),
        pair(ETCL_KEY_REQUEST_URI, page->uri),
        pair(ETCL_KEY_REQUEST_SCHEME, page->https ? "https" : "http"),
        pair(ETCL_KEY_SERVER_PROTOCOL, "HTTP/1.1"),
        pair(ETCL_KEY_SERVER_NAME, page->name ? page->name : host),
        pair(ETCL_KEY_SERVER_PORT, port_of(page)),
        pair(ETCL_KEY_SERVER_ADDR, "127.0.0.1"),
        pair(ETCL_KEY_SERVER_SOFTWARE,
             group->server_banner ? group->server_banner : ""),
        pair(ETCL_KEY_REMOTE_ADDR, "127.0.0.1"),
        pair(ETCL_KEY_REMOTE_PORT, "0"),
        pair(ETCL_KEY_SCRIPT_FILENAME, group->page.script),
        pair(ETCL_KEY_HTTP_HOST, host),
        pair(ETCL_KEY_HTTP_USER_AGENT, AGENT),
        pair(ETCL_KEY_HTTP_ACCEPT, "*/*"),
        pair(ETCL_KEY_MW_SCRIPT_NAME, group->page_mount),
        pair(ETCL_KEY_MW_PATH_INFO, info),
        pair(ETCL_KEY_MW_REQUEST_HANDLER, "wsgi-script"),
        pair(ETCL_KEY_MW_HANDLER_SCRIPT, ""),
    };
    apr_int64_t now_us = etcl_clock_wall_us();
    const etcl_call_t call = {
        .kind = ETCL_CALL_WSGI,
        .flags = ETCL_CALL_WARM_UP | (page->https ? ETCL_CALL_HTTPS : 0),
        .target = { .script = etcl_span(group->page.script),
                    .app_group = etcl_span(group->page.app_group),
                    .callable = etcl_span(group->page.callable) },
        .request_start_us = now_us,
        .queue_start_us = now_us,
        .daemon_start_us = now_us,
        .pairs = pairs,
        .pair_count = sizeof(pairs) / sizeof(*pairs),
    };
    etcl_answer_t answer;

    etcl_ledger_begin(service->ledger, 0, &call, etcl_clock_us());
    answer = service->runtime->answer(&call, x);
    etcl_ledger_end(service->ledger, 0);
    return answer;
}

/* A page that is not there, or forbids a host, still loads a part of an
 * application. */
static void tell(const etcl_service_t *service, int status, apr_int64_t took_us)
{
    const etcl_worker_t *worker = service->worker;
    const char *name = worker->group->name;
    const char *page = worker->group->options.warm_up;
    const long pid = (long)getpid();

    if (status >= 500) {
        etcl_journal_say(ETCL_LOG_ERR,
                         "ETCL0362: worker %d of group %s (pid %ld) answers "
                         "its warm-up page %s with %d: it counts as one whose "
                         "application does not load",
                         worker->slot, name, pid, page, status);
    } else if (status >= 400) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0363: worker %d of group %s (pid %ld) answers "
                         "its warm-up page %s with %d: it may have loaded "
                         "little; name a page that is there, with the host "
                         "that the application expects",
                         worker->slot, name, pid, page, status);
    } else {
        etcl_journal_say(ETCL_LOG_INFO,
                         "ETCL0360: worker %d of group %s (pid %ld) has "
                         "answered its warm-up page %s: %d, after %d ms",
                         worker->slot, name, pid, page, status,
                         (int)(took_us / 1000));
    }
}

/* Returns 1 when it was an error. */
static int ask(const etcl_service_t *service, const etcl_page_t *page)
{
    silence_t silence = { .base.ops = &silence_ops };
    apr_int64_t began_us = etcl_clock_us();
    etcl_answer_t answer = ask_page(service, page, &silence.base);
    int status = silence.status;

    if (answer.end != ETCL_ANSWER_DONE) {
        status = answer.end == ETCL_ANSWER_FAILED ? answer.status : 500;
    }
    tell(service, status, etcl_clock_us() - began_us);
    return status >= 500;
}

static void finish(int failed)
{
    pthread_mutex_lock(&warm.lock);
    warm.is_done = 1;
    warm.failed = failed;
    pthread_cond_broadcast(&warm.changed);
    pthread_mutex_unlock(&warm.lock);
}

void etcl_warm_ask(etcl_service_t *service)
{
    const char *stated = service->worker->group->options.warm_up;
    etcl_page_t page;
    apr_pool_t *pool;

    if (!service->warms_up) {
        return;
    }
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        finish(1);
        return;
    }
    if (etcl_page_parse(stated, pool, &page) == APR_SUCCESS) {
        finish(ask(service, &page));
    } else {
        finish(1);
    }
    apr_pool_destroy(pool);
}

static apr_int64_t limit_of(const etcl_group_t *group, apr_int64_t began_us)
{
    apr_int64_t startup_us = group->options.startup_timeout * 800000;
    apr_int64_t limit_us = etcl_clock_us() + ETCL_WARM_US;

    return startup_us && began_us + startup_us < limit_us
               ? began_us + startup_us
               : limit_us;
}

/* Returns 1 when it was answered in time. */
static int wait_until(apr_int64_t limit_us)
{
    const struct timespec limit = { .tv_sec = limit_us / 1000000,
                                    .tv_nsec = limit_us % 1000000 * 1000 };
    int rv = 0;

    pthread_mutex_lock(&warm.lock);
    while (!warm.is_done && rv != ETIMEDOUT) {
        rv = pthread_cond_clockwait(&warm.changed, &warm.lock, CLOCK_MONOTONIC,
                                    &limit);
    }
    rv = warm.is_done;
    pthread_mutex_unlock(&warm.lock);
    return rv;
}

/* Its thread goes on with it, and is missing until then. */
int etcl_warm_wait(const etcl_service_t *service, apr_int64_t began_us)
{
    const etcl_worker_t *worker = service->worker;

    if (!service->warms_up) {
        return 0;
    }
    if (wait_until(limit_of(worker->group, began_us))) {
        return warm.failed;
    }
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0364: worker %d of group %s (pid %ld) has not "
                     "answered its warm-up page %s in time: it counts as one "
                     "whose application does not load",
                     worker->slot, worker->group->name, (long)getpid(),
                     worker->group->options.warm_up);
    return 1;
}

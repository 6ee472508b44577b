/* How long the bridge takes for one call: a hello application through the
 * recording exchange, with the 36 variables of a browser's request, of which
 * some change from request to request.
 *
 *     bridge [calls]     prints ns per call, the median of nine rounds */

#include "etcl_clock.h"
#include "etcl_key.h"
#include "etcl_runtime.h"
#include "fake_exchange.h"

#include <apr_general.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern const etcl_runtime_t etcl_runtime;

#define ROUNDS 9

static const char script[] =
    "def application(environ, start_response):\n"
    "    start_response('200 OK', [('Content-Type', 'text/plain'),\n"
    "                              ('Content-Length', '13')])\n"
    "    return [b'Hello, world!']\n";

static const char *const variables[][2] = {
    { "REQUEST_METHOD", "GET" },
    { "SCRIPT_NAME", "" },
    { "PATH_INFO", "/articles/2024/some-title" },
    { "QUERY_STRING", "page=2&order=date" },
    { "REQUEST_URI", "/articles/2024/some-title?page=2&order=date" },
    { "REQUEST_SCHEME", "https" },
    { "SERVER_PROTOCOL", "HTTP/1.1" },
    { "SERVER_NAME", "www.example.org" },
    { "SERVER_PORT", "443" },
    { "SERVER_ADDR", "192.0.2.7" },
    { "SERVER_ADMIN", "webmaster@example.org" },
    { "SERVER_SOFTWARE", "Apache/2.4.71 (Debian)" },
    { "REMOTE_ADDR", "198.51.100.23" },
    { "REMOTE_PORT", "51234" },
    { "DOCUMENT_ROOT", "/var/www/html" },
    { "CONTEXT_DOCUMENT_ROOT", "/var/www/html" },
    { "CONTEXT_PREFIX", "" },
    { "SCRIPT_FILENAME", "/srv/etcl/src/etcl/wsgi.py" },
    { "HTTP_HOST", "www.example.org" },
    { "HTTP_USER_AGENT",
      "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox" },
    { "HTTP_ACCEPT", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8" },
    { "HTTP_ACCEPT_ENCODING", "gzip, deflate, br" },
    { "HTTP_ACCEPT_LANGUAGE", "en-US,en;q=0.5" },
    { "HTTP_COOKIE", "sessionid=0123456789abcdef0123456789abcdef; theme=1" },
    { "HTTP_REFERER", "https://www.example.org/articles/2024/" },
    { "HTTP_SEC_FETCH_DEST", "document" },
    { "HTTP_SEC_FETCH_MODE", "navigate" },
    { "HTTP_SEC_FETCH_SITE", "same-origin" },
    { "HTTP_UPGRADE_INSECURE_REQUESTS", "1" },
    { "mod_wsgi.request_handler", "wsgi-script" },
    { "mod_wsgi.handler_script", "" },
    { "mod_wsgi.script_name", "" },
    { "mod_wsgi.path_info", "/articles/2024/some-title" },
    { "mod_wsgi.listener_port", "443" },
    { "mod_wsgi.server_pid", "4711" },
    { "mod_wsgi.request_id", "Zx3mHq8AAQEAAB2kAAAA" },
};

#define PAIRS (sizeof(variables) / sizeof(*variables))

static etcl_pair_t pairs[PAIRS];
static char uri[2][64];

static void log_line(etcl_level_t level, etcl_span_t text)
{
    fprintf(stderr, "%d %.*s\n", level, (int)text.len, text.ptr);
}

static etcl_call_t make_call(const char *path)
{
    etcl_target_t target = { etcl_span(path),
                             { "", 0 },
                             etcl_span("application") };
    size_t i;

    for (i = 0; i < PAIRS; i++) {
        pairs[i].key = etcl_span(variables[i][0]);
        pairs[i].value = etcl_span(variables[i][1]);
        pairs[i].id = (apr_byte_t)etcl_key_find(pairs[i].key);
    }
    return (etcl_call_t){ .kind = ETCL_CALL_WSGI,
                          .target = target,
                          .pairs = pairs,
                          .pair_count = PAIRS };
}

/* Of a request, the path, the port and the id are new. */
static void vary(long i)
{
    int len = snprintf(uri[0], sizeof(uri[0]), "/articles/%ld", i);

    pairs[2].value = (etcl_span_t){ uri[0], (apr_size_t)len };
    pairs[4].value = pairs[32].value = pairs[2].value;
    pairs[13].value = (etcl_span_t){ uri[0] + 8, (apr_size_t)len - 8 };
    pairs[35].value = pairs[13].value;
}

static double run(const etcl_call_t *call, fake_exchange_t *fake, long calls,
                  int varying)
{
    apr_int64_t start = etcl_clock_us();
    long i;

    for (i = 0; i < calls; i++) {
        fake->sent.len = fake->head.len = fake->event_count = 0;
        if (varying) {
            vary(100000 + i);
        }
        if (etcl_runtime.answer(call, &fake->base).end != ETCL_ANSWER_DONE) {
            fprintf(stderr, "the application failed\n");
            exit(EXIT_FAILURE);
        }
    }
    return (double)(etcl_clock_us() - start) * 1000.0 / (double)calls;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void measure(const char *name, const etcl_call_t *call,
                    fake_exchange_t *fake, long calls, int varying)
{
    double rounds[ROUNDS];
    int i;

    for (i = 0; i < ROUNDS; i++) {
        rounds[i] = run(call, fake, calls, varying);
    }
    qsort(rounds, ROUNDS, sizeof(*rounds), by_value);
    printf("%-28s %7.0f ns per call (least %.0f)\n", name, rounds[ROUNDS / 2],
           rounds[0]);
}

int main(int argc, char **argv)
{
    static etcl_runtime_config_t config = { .process_group = "bench",
                                            .threads = 1,
                                            .processes = 1,
                                            .utf8_mode = 1,
                                            .restrict_signal = 1,
                                            .log = log_line };
    long calls = argc > 1 ? atol(argv[1]) : 20000;
    char path[] = "/tmp/etcl-bench-XXXXXX";
    int fd = mkstemp(path);
    static fake_exchange_t fake;
    const char *why = "no temporary file";
    etcl_call_t call;
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (fd < 0 || write(fd, script, sizeof(script) - 1) < 0 ||
        etcl_runtime.start(&config, pool, &why)) {
        fprintf(stderr, "%s\n", why);
        return EXIT_FAILURE;
    }
    fake_exchange_init(&fake);
    call = make_call(path);
    measure("the same request again", &call, &fake, calls, 0);
    measure("5 of 36 variables differ", &call, &fake, calls, 1);
    fake_exchange_done(&fake);
    unlink(path);
    return EXIT_SUCCESS;
}

/* Starts the runtime in this program and asks it. */

#include "etcl_python.h"
#include "bridge.h"

#include <apr_general.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTS_MAX 4096

static char folder[] = "/tmp/etcl-bridge-XXXXXX";
static pid_t owner;
static etcl_buffer_t process_log;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void log_line(etcl_level_t level, etcl_span_t text)
{
    char number[8];

    snprintf(number, sizeof(number), "%d ", level);
    pthread_mutex_lock(&lock);
    etcl_buffer_add(&process_log, etcl_span(number));
    if (text.len) {
        etcl_buffer_add(&process_log, text);
    }
    etcl_buffer_add(&process_log, ETCL_SPAN("\n"));
    pthread_mutex_unlock(&lock);
}

static etcl_runtime_config_t config = { .process_group = "tests",
                                        .threads = 4,
                                        .processes = 2,
                                        .multithread = 1,
                                        .multiprocess = 1,
                                        .utf8_mode = 1,
                                        .restrict_signal = 1,
                                        .destroy_interpreter = 1,
                                        .apache_version = { 2, 4, 57 },
                                        .log = log_line };

etcl_runtime_config_t *bridge_config(void)
{
    return &config;
}

static void remove_folder(void)
{
    char command[100];

    if (getpid() == owner) {
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        if (system(command)) {
            fprintf(stderr, "%s is left behind\n", folder);
        }
    }
}

void bridge_start(void)
{
    static int started;
    apr_pool_t *pool;
    const char *why = NULL;

    if (started) {
        return;
    }
    started = 1;
    owner = getpid();
    etcl_buffer_init(&process_log, 1 << 24);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    atexit(remove_folder);
    apr_pool_create(&pool, NULL);
    if (etcl_runtime.start(&config, pool, &why)) {
        fprintf(stderr, "%s\n%s\n", why, bridge_peek());
        exit(EXIT_FAILURE);
    }
}

const char *bridge_folder(void)
{
    return folder;
}

const char *bridge_peek(void)
{
    return fake_exchange_text(&process_log);
}

const char *bridge_log(void)
{
    static char *text;

    free(text);
    text = strdup(bridge_peek());
    process_log.len = 0;
    return text;
}

/* The name follows from the text, so that a script is loaded once. */
const char *bridge_script(const char *code)
{
    static __thread char path[200];
    char fresh[220];
    unsigned long hash = 5381;
    const char *at;
    FILE *file;

    for (at = code; *at; at++) {
        hash = hash * 33 + (unsigned char)*at;
    }
    snprintf(path, sizeof(path), "%s/s%lx.py", folder, hash);
    if (access(path, F_OK)) {
        snprintf(fresh, sizeof(fresh), "%s.%d", path, (int)gettid());
        file = fopen(fresh, "w");
        ck_assert_ptr_nonnull(file);
        fputs(code, file);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_eq(rename(fresh, path), 0);
    }
    return path;
}

etcl_answer_t bridge_ask(const request_t *request, fake_exchange_t *fake)
{
    etcl_pair_t pairs[600];
    const char *method = request->method ? request->method : "GET";
    const char *callable =
        request->callable ? request->callable : "application";
    etcl_call_t call = {
        .kind = ETCL_CALL_WSGI,
        .flags = request->flags,
        .target = { etcl_span(bridge_script(request->code)),
                    request->group ? etcl_span(request->group) : ETCL_SPAN(""),
                    etcl_span(callable) },
        .body_len = request->body_len,
        .pairs = pairs,
        .pair_count = request->pair_count + 1,
    };

    ck_assert_uint_lt(request->pair_count, 600);
    pairs[0] = (etcl_pair_t){ ETCL_KEY_REQUEST_METHOD,
                              ETCL_SPAN("REQUEST_METHOD"), etcl_span(method) };
    if (request->pair_count) {
        memcpy(pairs + 1, request->pairs, request->pair_count * sizeof(*pairs));
    }
    return etcl_runtime.answer(&call, &fake->base);
}

etcl_answer_t bridge_get(const char *code, fake_exchange_t *fake)
{
    request_t request = { .code = code };

    return bridge_ask(&request, fake);
}

void bridge_run(const char *code)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int rv = PyRun_SimpleString(code);

    PyGILState_Release(state);
    ck_assert_int_eq(rv, 0);
}

static int has(const char *text, const char *part)
{
    return part ? strstr(text, part) != NULL : !*text;
}

void bridge_check_row(const row_t *row, const char *method)
{
    request_t request = { .code = row->code, .method = method };
    WITH_FAKE(fake);
    etcl_answer_t answer = bridge_ask(&request, &fake);
    const char *head = fake_exchange_text(&fake.head);
    const char *log = fake_exchange_text(&fake.log);
    const char *body = fake_exchange_text(&fake.sent);

    if (answer.end != row->end || answer.status != row->status ||
        !has(head, row->head) || !has(log, row->log) ||
        (row->body && strcmp(body, row->body) != 0)) {
        ck_abort_msg("%s: end %d status %d\nhead: %s\nbody: %.300s\nlog: %s",
                     row->name, answer.end, answer.status, head, body, log);
    }
    ck_assert_int_eq(fake.races, 0);
}

TCase *bridge_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_unchecked_fixture(tests, bridge_start, NULL);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tests;
}

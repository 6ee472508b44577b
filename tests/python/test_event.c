/* What applications get from `import mod_wsgi`: events, the data of a
 * request, metrics, interruption. Each test has a process of its own. */

#include "etcl_python.h"
#include "bridge.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A script whose answer is the repr of `value`, computed in the request. */
#define SCRIPT(before, value)                                                  \
    "import mod_wsgi\n" before "\ndef application(environ, start_response):\n" \
    "    body = repr(" value ").encode()\n"                                    \
    "    start_response('200 OK', [('X-Own', '1')])\n"                         \
    "    return [body]\n"

static const etcl_pair_t id_pair = { ETCL_KEY_MW_REQUEST_ID,
                                     { "mod_wsgi.request_id", 19 },
                                     { "an-id", 5 } };

static etcl_answer_t ask(const char *code, fake_exchange_t *fake)
{
    request_t request = { .code = code, .pairs = &id_pair, .pair_count = 1 };

    return bridge_ask(&request, fake);
}

/* ---- the module */

static const struct {
    const char *code;
    const char *want;
} values[] = {
    { SCRIPT("", "mod_wsgi.version"), "(6, 0, 5)" },
    { SCRIPT("import mod_etcl", "mod_etcl is mod_wsgi"), "True" },
    { SCRIPT("", "(mod_wsgi.process_group, mod_wsgi.application_group)"),
      "('tests', '')" },
    { SCRIPT("", "(mod_wsgi.maximum_processes, mod_wsgi.threads_per_process)"),
      "(2, 4)" },
    { SCRIPT("", "(issubclass(mod_wsgi.RequestTimeout, Exception),"
                 " mod_wsgi.RequestTimeout.__mro__[1].__name__)"),
      "(False, 'BaseException')" },
    { SCRIPT("", "mod_wsgi.request_data() is mod_wsgi.request_data()"),
      "True" },
    { SCRIPT("", "list(mod_wsgi.active_requests)"), "['an-id']" },
    { SCRIPT("", "mod_wsgi.active_requests['an-id'] is"
                 " mod_wsgi.request_data()"),
      "True" },
    { SCRIPT("", "(type(mod_wsgi.active_requests).__name__,"
                 " isinstance(mod_wsgi.active_requests, dict),"
                 " len(mod_wsgi.active_requests),"
                 " 'an-id' in mod_wsgi.active_requests,"
                 " dict(mod_wsgi.active_requests),"
                 " bool(mod_wsgi.active_requests))"),
      "('dict', True, 1, True, {'an-id': {}}, True)" },
    { SCRIPT("", "mod_wsgi.request_metrics()"), "None" },
    { SCRIPT("", "mod_wsgi.server_metrics()"), "None" },
    { SCRIPT("import apache", "(apache.version, apache.description,"
                              " apache.mpm_name, apache.build_date)"),
      "((2, 4, 57), 'Apache/2.4.57', '', '')" },
    { SCRIPT("import logging; log = logging.Logger('x');"
             " log.addHandler(mod_wsgi.LogHandler())",
             "log.error('words')"),
      "None" },
};

START_TEST(the_module_says)
{
    WITH_FAKE(fake);

    ask(values[_i].code, &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), values[_i].want);
}
END_TEST

START_TEST(a_record_begins_with_its_place)
{
    WITH_FAKE(fake);

    ask(values[sizeof(values) / sizeof(*values) - 1].code, &fake);
    ck_assert_ptr_nonnull(
        strstr(fake_exchange_text(&fake.log), ".py(4): words"));
}
END_TEST

START_TEST(outside_a_request_there_is_no_data)
{
    bridge_run("import mod_wsgi\n"
               "assert not mod_wsgi.active_requests\n"
               "try:\n    mod_wsgi.request_data()\n"
               "except RuntimeError: pass\n"
               "else: raise AssertionError\n");
}
END_TEST

/* ---- events */

#define LISTEN                                                                 \
    "events = []\n"                                                            \
    "def listen(name, **event):\n"                                             \
    "    events.append((name, event))\n"                                       \
    "mod_wsgi.subscribe_events(listen)\n"

START_TEST(a_request_has_three_events)
{
    const char *code =
        SCRIPT(LISTEN, "[(name, sorted(event)) for name, event in events]");
    WITH_FAKE(first);
    WITH_FAKE(fake);
    const char *text;

    ask(code, &first);
    ask(code, &fake);
    text = fake_exchange_text(&fake.sent);
    ck_assert_ptr_nonnull(strstr(
        text, "('request_started', ['application_object', "
              "'application_start', 'callable_object', 'daemon_connects', "
              "'daemon_restarts', 'daemon_start', 'queue_start', "
              "'request_data', 'request_environ', 'request_id', "
              "'request_start', 'server_pid', 'thread_id'])"));
    ck_assert_ptr_nonnull(
        strstr(text, "('response_started', ['exception_info', 'request_data', "
                     "'request_id', 'response_headers', 'response_status'])"));
    ck_assert_ptr_nonnull(strstr(
        text, "('request_finished', ['application_finish', "
              "'application_start', 'application_time', 'cpu_system_time', "
              "'cpu_time', 'cpu_user_time', 'daemon_connects', "
              "'daemon_restarts', 'daemon_start', 'gil_wait_count', "
              "'gil_wait_time', 'input_length', 'input_reads', 'input_time', "
              "'output_length', 'output_time', 'output_writes', "
              "'queue_start', 'request_data', 'request_id', 'request_start', "
              "'server_pid', 'status', 'thread_id'])"));
}
END_TEST

START_TEST(a_subscriber_may_replace_the_application)
{
    WITH_FAKE(fake);

    ask(SCRIPT("def other(environ, start_response):\n"
               "    start_response('200 OK', [])\n"
               "    return [b'other']\n"
               "@mod_wsgi.subscribe_events\n"
               "def listen(name, **event):\n"
               "    if name == 'request_started':\n"
               "        return {'application_object': other}\n",
               "1"),
        &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "other");
}
END_TEST

START_TEST(an_error_of_a_subscriber_is_logged_and_harmless)
{
    WITH_FAKE(fake);

    ask(SCRIPT("@mod_wsgi.subscribe_events\n"
               "def listen(name, **event):\n"
               "    if name == 'request_started': raise SystemExit(3)\n"
               "    if name == 'response_started': 1 / 0\n" LISTEN,
               "len(events)"),
        &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "1");
    ck_assert_ptr_nonnull(strstr(fake_exchange_text(&fake.log),
                                 "ETCL0333: a subscriber of request_started"));
    ck_assert_ptr_nonnull(
        strstr(fake_exchange_text(&fake.log), "ZeroDivisionError"));
}
END_TEST

START_TEST(an_exception_is_an_event)
{
    WITH_FAKE(fake);
    etcl_answer_t answer =
        ask(SCRIPT("@mod_wsgi.subscribe_events\n"
                   "def listen(name, **event):\n"
                   "    print(name, event.get('exception_info', [0])[0],"
                   " event.get('status'))\n",
                   "1 / 0"),
            &fake);
    const char *log = fake_exchange_text(&fake.log);

    ck_assert_int_eq(answer.status, 500);
    ck_assert_ptr_nonnull(
        strstr(log, "request_exception <class 'ZeroDivisionError'> None"));
    ck_assert_ptr_nonnull(strstr(log, "request_finished 0 500"));
}
END_TEST

START_TEST(a_signal_and_the_end_are_events)
{
    WITH_FAKE(fake);

    ask(SCRIPT("import os\n"
               "say = lambda name, **event: os.write(2, repr((name, event))"
               ".encode())\n"
               "mod_wsgi.subscribe_signals(say)\n"
               "mod_wsgi.subscribe_shutdown(say)\n",
               "1"),
        &fake);
    ck_assert_int_ge(dup2(open(bridge_script("# out\n"), 2), 2), 0);
    etcl_runtime.signal(SIGHUP);
    etcl_runtime.probe();
    etcl_runtime.stop("maximum_requests");
    {
        char text[200] = "";

        ck_assert_int_gt(pread(2, text, sizeof(text) - 1, 0), 0);
        ck_assert_str_eq(
            text, "('process_signal', {'signame': 'SIGHUP', 'signum': 1})"
                  "('process_stopping', "
                  "{'shutdown_reason': 'maximum_requests'})");
    }
}
END_TEST

START_TEST(metrics_add_up)
{
    WITH_FAKE(start);
    WITH_FAKE(one);
    WITH_FAKE(failed);
    WITH_FAKE(fake);

    ask(SCRIPT("", "mod_wsgi.start_recording_metrics()"), &start);
    ask(SCRIPT("", "2"), &one);
    ask(SCRIPT("", "1 / 0"), &failed);
    ask(SCRIPT("", "(lambda m: (m['request_count'], m['status_2xx'],"
                   " m['status_5xx'], sum(m['application_time_buckets']),"
                   " len(m['queue_time_buckets']), m['output_writes'],"
                   " sum(m['request_threads_completed']),"
                   " mod_wsgi.process_metrics()['request_count'],"
                   " mod_wsgi.process_metrics()['active_requests'],"
                   " mod_wsgi.request_metrics()['request_count']))"
                   "(mod_wsgi.request_metrics())"),
        &fake);
    ck_assert_str_eq(fake_exchange_text(&fake.sent),
                     "(2, 1, 1, 2, 65, 1, 2, 3, 1, 0)");
}
END_TEST

/* ---- RequestTimeout */

#define COMPUTE                                                                \
    "import mod_wsgi, time\n"                                                  \
    "def compute():\n"                                                         \
    "    end = time.monotonic() + 20\n"                                        \
    "    while time.monotonic() < end: sum(range(100))\n"

typedef struct {
    const char *code;
    fake_exchange_t *fake;
    etcl_answer_t answer;
} job_t;

static void *work(void *data)
{
    job_t *job = data;

    job->answer = bridge_get(job->code, job->fake);
    return NULL;
}

static etcl_answer_t interrupt(const char *code, fake_exchange_t *fake)
{
    job_t job = { .code = code, .fake = fake };
    pthread_t thread;
    int tries;

    bridge_script(code);
    pthread_create(&thread, NULL, work, &job);
    for (tries = 0; tries < 1500; tries++) {
        usleep(20000);
        if (!etcl_runtime.interrupt(&fake->base)) {
            break;
        }
    }
    pthread_join(thread, NULL);
    return job.answer;
}

START_TEST(an_interrupted_application_is_a_504)
{
    WITH_FAKE(fake);
    WITH_FAKE(next);
    etcl_answer_t answer = interrupt(
        COMPUTE "def application(environ, start_response):\n    compute()\n",
        &fake);

    ck_assert_int_eq(answer.end, ETCL_ANSWER_FAILED);
    ck_assert_int_eq(answer.status, 504);
    ck_assert_ptr_nonnull(
        strstr(fake_exchange_text(&fake.log), "3 ETCL0332: the application"));
    ck_assert_int_eq(bridge_get(HELLO "    return [b'x']\n", &next).end,
                     ETCL_ANSWER_DONE);
}
END_TEST

START_TEST(an_application_may_answer_its_interruption)
{
    WITH_FAKE(fake);
    etcl_answer_t answer =
        interrupt(COMPUTE "def application(environ, start_response):\n"
                          "    try: compute()\n"
                          "    except mod_wsgi.RequestTimeout as e:\n"
                          "        start_response('200 OK', [])\n"
                          "        return [b'caught']\n",
                  &fake);

    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "caught");
}
END_TEST

START_TEST(an_interrupted_stream_breaks_off)
{
    WITH_FAKE(fake);
    etcl_answer_t answer =
        interrupt(COMPUTE "def application(environ, start_response):\n"
                          "    start_response('200 OK', [])\n"
                          "    yield b'begin'\n"
                          "    compute()\n",
                  &fake);

    ck_assert_int_eq(answer.end, ETCL_ANSWER_ABORTED);
    ck_assert_str_eq(fake_exchange_text(&fake.sent), "begin");
}
END_TEST

START_TEST(a_thread_in_another_interpreter_is_interrupted)
{
    request_t request = { .code = HELLO "    return [b'x']\n",
                          .group = "aside" };
    WITH_FAKE(fake);

    ck_assert_int_eq(etcl_runtime.interrupt(&fake.base), APR_NOTFOUND);
    ck_assert_int_eq(bridge_ask(&request, &fake).end, ETCL_ANSWER_DONE);
    ck_assert_int_eq(etcl_runtime.interrupt(&fake.base), APR_NOTFOUND);
}
END_TEST

/* Many short requests, interrupted at random: none of them may end by what
 * was meant for the one before, and each says what happened to it. */
static int stopping;

static void *serve_many(void *data)
{
    fake_exchange_t *fake = data;
    int i, odd = 0;

    for (i = 0; i < 1500; i++) {
        etcl_answer_t answer;

        fake->log.len = fake->sent.len = fake->head.len = 0;
        fake->event_count = 0;
        answer = bridge_get(
            HELLO "    return [b'x' * bool(sum(range(9999)))]\n", fake);
        odd += answer.end != ETCL_ANSWER_DONE && answer.status != 504;
    }
    __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
    return (void *)(size_t)odd;
}

START_TEST(interrupts_and_requests_do_not_mix)
{
    WITH_FAKE(fake);
    pthread_t thread;
    void *odd;
    long count = 0;

    bridge_run("import sys; sys.setswitchinterval(1e-5)\n");
    bridge_get(HELLO "    return [b'x' * bool(sum(range(9999)))]\n", &fake);
    pthread_create(&thread, NULL, serve_many, &fake);
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        count += !etcl_runtime.interrupt(&fake.base);
    }
    pthread_join(thread, &odd);
    ck_assert_ptr_null(odd);
    ck_assert_int_gt(count, 0);
    /* Nothing is left over for code that is no request at all. */
    bridge_run("sum(range(100000))\n");
}
END_TEST

Suite *suite_event(void)
{
    Suite *suite = suite_create("event");
    TCase *tests = bridge_case(suite, "event");

    add_rows(tests, the_module_says, values);
    tcase_add_test(tests, a_record_begins_with_its_place);
    tcase_add_test(tests, outside_a_request_there_is_no_data);
    tcase_add_test(tests, a_request_has_three_events);
    tcase_add_test(tests, a_subscriber_may_replace_the_application);
    tcase_add_test(tests, an_error_of_a_subscriber_is_logged_and_harmless);
    tcase_add_test(tests, an_exception_is_an_event);
    tcase_add_test(tests, a_signal_and_the_end_are_events);
    tcase_add_test(tests, metrics_add_up);
    tcase_add_test(tests, an_interrupted_application_is_a_504);
    tcase_add_test(tests, an_application_may_answer_its_interruption);
    tcase_add_test(tests, an_interrupted_stream_breaks_off);
    tcase_add_test(tests, a_thread_in_another_interpreter_is_interrupted);
    tcase_add_test(tests, interrupts_and_requests_do_not_mix);
    return suite;
}

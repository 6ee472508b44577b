/* A thread of its own is Python's main thread in an Apache child: it starts
 * Python, loads what is to be loaded ahead, and ends Python, whichever thread
 * of whichever MPM asks for that. It takes no signal and answers no call. */

#include "etcl_embedded.h"
#include "etcl_config.h"
#include "etcl_log.h"
#include "etcl_runtimes.h"
#include "etcl_scoreboard.h"
#include "etcl_tuning.h"

#include <ap_mpm.h>
#include <dlfcn.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <unixd.h>

#define STOP_SECONDS 5

typedef enum { ABSENT, STARTING, READY, BROKEN, ENDING, ENDED } state_t;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static state_t state;                 /* guarded by `mutex` */
static const etcl_runtime_t *running; /* atomic; NULL until READY */
static int calls;                     /* atomic; in Python, or before it */
static etcl_runtime_config_t config;
static const char *runtime_path; /* NULL: `runtime_why` says why not */
static const char *runtime_why;

static void set_state(state_t to)
{
    pthread_mutex_lock(&mutex);
    state = to;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void log_outside(etcl_level_t level, etcl_span_t text)
{
    etcl_log_server(ap_server_conf, level, text);
}

static const etcl_runtime_t *refuse(const char *why)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, ap_server_conf,
                 "ETCL0172: this Apache process cannot run Python: %s", why);
    return NULL;
}

/* RTLD_GLOBAL: extension modules of distributions are not linked with
 * libpython and expect its symbols in the process. */
static const etcl_runtime_t *open_runtime(void)
{
    const etcl_runtime_t *runtime;
    void *object;

    if (!runtime_path) {
        return refuse(runtime_why);
    }
    object = dlopen(runtime_path, RTLD_NOW | RTLD_GLOBAL);
    if (!object) {
        return refuse(dlerror());
    }
    runtime = dlsym(object, ETCL_RUNTIME_SYMBOL);
    if (!runtime || runtime->abi != ETCL_RUNTIME_ABI) {
        return refuse("the runtime is of another version than mod_etcl.so; "
                      "run `make install` again");
    }
    return runtime;
}

/* What only the process itself knows. */
static void complete_config(void)
{
    const etcl_main_t *own = etcl_config_main();

    if (own->python_eggs.text) {
        setenv("PYTHON_EGG_CACHE", own->python_eggs.text, 1);
    }
    config.threads = etcl_tuning_mpm(AP_MPMQ_MAX_THREADS, 1);
    config.processes = etcl_tuning_mpm(AP_MPMQ_MAX_DAEMONS, 1);
    config.multithread = etcl_tuning_mpm(AP_MPMQ_IS_THREADED, 0) != 0;
    config.multiprocess = config.processes > 1;
    config.mpm_name = ap_show_mpm();
    config.build_date = ap_get_server_built();
    config.mpm_threads = config.threads;
    config.mpm_processes = config.processes;
    config.log = log_outside;
    config.scoreboard = own->server_metrics.flag ? etcl_scoreboard_write : NULL;
}

static void load_ahead(const etcl_runtime_t *runtime)
{
    const apr_array_header_t *all = etcl_config_register()->imports;
    int i;

    for (i = 0; i < all->nelts; ++i) {
        const etcl_import_t *each = &APR_ARRAY_IDX(all, i, etcl_import_t);
        const etcl_target_t target = { .script = etcl_span(each->script),
                                       .app_group = etcl_span(each->app_group),
                                       .callable = etcl_span(each->callable) };

        if (!*each->process_group && each->app_group) {
            runtime->load(&target);
        }
    }
}

static const etcl_runtime_t *start_python(void)
{
    const etcl_runtime_t *runtime = open_runtime();
    const char *why = NULL;
    apr_pool_t *pool;

    if (!runtime || apr_pool_create(&pool, NULL)) {
        return NULL;
    }
    complete_config();
    if (runtime->start(&config, pool, &why)) {
        return refuse(why ? why : "it did not start");
    }
    load_ahead(runtime);
    return runtime;
}

static void *keep_python(void *data)
{
    const etcl_runtime_t *runtime = start_python();

    (void)data;
    __atomic_store_n(&running, runtime, __ATOMIC_RELEASE);
    set_state(runtime ? READY : BROKEN);
    if (!runtime) {
        return NULL;
    }
    pthread_mutex_lock(&mutex);
    while (state != ENDING) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    runtime->stop("");
    set_state(ENDED);
    return NULL;
}

/* The signals of the process are the MPM's. */
static int start_keeper(void)
{
    sigset_t all, before;
    pthread_t thread;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, NULL, keep_python, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error) {
        pthread_detach(thread);
    }
    return error;
}

static const etcl_runtime_t *get_runtime(void)
{
    const etcl_runtime_t *runtime = __atomic_load_n(&running, __ATOMIC_ACQUIRE);

    if (runtime) {
        return runtime;
    }
    pthread_mutex_lock(&mutex);
    if (state == ABSENT) {
        state = start_keeper() ? BROKEN : STARTING;
    }
    while (state == STARTING) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return __atomic_load_n(&running, __ATOMIC_ACQUIRE);
}

/* Clean-up of pchild. Prefork runs it in a signal handler, in the midst of
 * whatever the process was doing: so nothing is touched, and nothing waited
 * for, while a call is running. Exit callbacks then do not run. */
static apr_status_t end_python(void *data)
{
    struct timespec until;
    int late = 0;

    (void)data;
    if (!__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
        return APR_SUCCESS;
    }
    if (__atomic_load_n(&calls, __ATOMIC_ACQUIRE)) {
        return APR_SUCCESS;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_SECONDS;
    set_state(ENDING);
    pthread_mutex_lock(&mutex);
    while (state != ENDED && !late) {
        late = pthread_cond_timedwait(&changed, &mutex, &until);
    }
    pthread_mutex_unlock(&mutex);
    if (late) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                     "ETCL0173: Python did not end within %d s: this Apache "
                     "process ends without waiting for it longer",
                     STOP_SECONDS);
    }
    return APR_SUCCESS;
}

etcl_answer_t etcl_embedded_answer(const etcl_call_t *call, etcl_exchange_t *x)
{
    etcl_answer_t answer = { ETCL_ANSWER_FAILED, HTTP_INTERNAL_SERVER_ERROR, 0,
                             -1 };
    const etcl_runtime_t *runtime;

    __atomic_add_fetch(&calls, 1, __ATOMIC_ACQ_REL);
    runtime = get_runtime();
    if (runtime) {
        answer = runtime->answer(call, x);
    }
    __atomic_sub_fetch(&calls, 1, __ATOMIC_ACQ_REL);
    return answer;
}

static int has_imports(void)
{
    const apr_array_header_t *all = etcl_config_register()->imports;
    int i;

    for (i = 0; i < all->nelts; ++i) {
        if (!*APR_ARRAY_IDX(all, i, etcl_import_t).process_group) {
            return 1;
        }
    }
    return 0;
}

void etcl_embedded_child_init(apr_pool_t *pchild, server_rec *server)
{
    (void)server;
    apr_pool_cleanup_register(pchild, NULL, end_python, apr_pool_cleanup_null);
    if (has_imports() &&
        !etcl_config_flag(&etcl_config_main()->restrict_embedded, 0)) {
        get_runtime();
    }
}

static void name_account(apr_pool_t *pool)
{
    const uid_t uid = geteuid() ? geteuid() : ap_unixd_config.user_id;
    const struct passwd *entry = getpwuid(uid);

    if (entry) {
        config.user = apr_pstrdup(pool, entry->pw_name);
        config.user_home = apr_pstrdup(pool, entry->pw_dir);
    }
}

int etcl_embedded_prepare(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *server)
{
    const etcl_main_t *own = etcl_config_main();
    const char *home = own->python_home.text;
    ap_version_t version;

    (void)plog;
    (void)ptemp;
    (void)server;
    config = (etcl_runtime_config_t){ .process_group = "", .utf8_mode = -1 };
    if (home) {
        config.python_home = etcl_runtimes_home(home, pconf);
    }
    config.python_path = own->python_path.text;
    runtime_path = NULL;
    runtime_why = etcl_runtimes_choose(config.python_home, config.python_path,
                                       pconf, &runtime_path);
    etcl_tuning_child(&config, pconf);
    name_account(pconf);
    config.server_banner = ap_get_server_banner();
    ap_get_server_revision(&version);
    config.apache_version[0] = version.major;
    config.apache_version[1] = version.minor;
    config.apache_version[2] = version.patch;
    return OK;
}

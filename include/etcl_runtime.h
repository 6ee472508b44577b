/* The only door of a runtime: CPython and the WSGI bridge in one shared
 * object per Python X.Y, loaded with RTLD_GLOBAL by a worker, or by an Apache
 * child at its first embedded request. One symbol goes out, `etcl_runtime`. */

#ifndef ETCL_RUNTIME_H
#define ETCL_RUNTIME_H

#include "etcl_call.h"
#include "etcl_exchange.h"

#include <sys/types.h>

#define ETCL_RUNTIME_ABI 4u
#define ETCL_RUNTIME_SYMBOL "etcl_runtime"

/**
 * One <WSGIInterpreterOptions> block that concerns this process. Numbers are
 * -1, texts NULL, the interval 0 where the block says nothing. Ordered from
 * least to most specific; later ones win.
 */
typedef struct {
    const char *app_group;   /* NULL: every interpreter; "" the main one */
    const char *python_path; /* before what came so far */
    double switch_interval;
    int own_gil;        /* WSGIPerInterpreterGIL */
    int free_threading; /* WSGIFreeThreading */
    int restrict_stdin;
    int restrict_stdout;
    int restrict_signal;
} etcl_rule_t;

/**
 * How an interpreter is to be set up. Texts may be NULL: not stated.
 *
 * Owns     borrowed for the life of the process.
 */
typedef struct {
    const char *process_group;   /* "" in an Apache child */
    const char *python_home;     /* a venv, or an installation's prefix */
    const char *python_path;     /* dir:dir, each through site.addsitedir */
    const char *home;            /* put first in sys.path */
    const char *user;            /* the account, for os.environ; else NULL */
    const char *user_home;       /* its home directory; else NULL */
    const char *server_banner;   /* for apache.description; else NULL */
    const char *hash_seed;       /* "random", digits, or NULL */
    const char *const *warnings; /* -W filters, ended by NULL; or NULL */
    int threads;                 /* request threads of this process */
    int processes;               /* of the group */
    int multithread;             /* wsgi.multithread */
    int multiprocess;            /* wsgi.multiprocess */
    int run_once;                /* wsgi.run_once */
    int optimize;                /* 0, 1, 2 */
    int write_bytecode;          /* 0 is -B */
    int utf8_mode;               /* 1 on, 0 off, -1 as the locale says */
    int restrict_stdin;
    int restrict_stdout;
    int restrict_signal;
    int destroy_interpreter;  /* 0: no finalization at exit */
    int own_gil;              /* WSGIPerInterpreterGIL */
    int free_threading;       /* WSGIFreeThreading */
    int case_sensitive;       /* WSGICaseSensitivity */
    int service;              /* threads=0: scripts run in the main thread */
    int forks;                /* `settle` and `fork` will be called */
    const etcl_rule_t *rules; /* rule_count of them */
    int rule_count;
    double switch_interval; /* seconds; 0 leaves CPython's */
    int apache_version[3];  /* for environ['apache.version'] */
    const char *mpm_name;   /* "event", for apache.mpm_name; else NULL */
    const char *build_date; /* of httpd, for apache.build_date; else NULL */
    int mpm_processes;      /* for apache.maximum_processes; 0 not known */
    int mpm_threads;        /* for apache.threads_per_process; likewise */
    /**
     * A log line outside any request, in the process's own log. Any thread,
     * with or without the GIL.
     */
    void (*log)(etcl_level_t level, etcl_span_t text);
    /**
     * A script was loaded: the file's modification time is what the code in
     * memory was made of. Lets the supervisor watch it. 0: the script asks,
     * by its reload_required(), to be loaded again. May be NULL.
     */
    void (*loaded)(etcl_span_t script, apr_int64_t mtime_us);
    /**
     * Write Apache's scoreboard as JSON, for mod_wsgi.server_metrics(). NULL:
     * not permitted (WSGIServerMetrics), or out of reach, as of a daemon.
     *
     * Returns  the length of the text; above `max`: try with more room
     */
    apr_size_t (*scoreboard)(char *into, apr_size_t max);
} etcl_runtime_config_t;

/**
 * The table. All functions but `start` need `start` to have succeeded.
 *
 * Context  `start`, `load`, `stop`: the thread that started, without the GIL.
 *          `answer`: any thread, without the GIL; takes it and gives it back.
 */
typedef struct {
    apr_uint32_t abi;   /* ETCL_RUNTIME_ABI */
    const char *python; /* "3.11.2", of the headers it was built with */
    /**
     * Start Python. Never ends the process: a wrong python_home or a broken
     * installation is reported (PyStatus), after a check before the start.
     *
     * Returns  APR_SUCCESS, or APR_EGENERAL with `*why` (in `pool`) a
     *          sentence with cause and remedy, number included.
     */
    apr_status_t (*start)(const etcl_runtime_config_t *config, apr_pool_t *pool,
                          const char **why);
    /**
     * Load a script into its interpreter, so that a call finds it there. An
     * empty callable is an import script: nothing is looked for in it. With
     * config->service it runs to its end in the calling thread, and SIGTERM
     * or SIGINT raises SystemExit in it.
     * What went wrong is written to config->log, classified.
     *
     * Returns  APR_SUCCESS, APR_EGENERAL: it does not load.
     */
    apr_status_t (*load)(const etcl_target_t *target);
    /**
     * Make ready for `fork`, after `load`: collect garbage, and keep what is
     * left out of later collections, so that its pages stay shared.
     *
     * Returns  APR_SUCCESS, or APR_EGENERAL: a fork would not survive, since
     *          a module started a thread, or there is a second interpreter.
     *          It is said in config->log, with the module's name.
     */
    apr_status_t (*settle)(void);
    /**
     * fork(), with all that Python and applications have to do around it
     * (os.register_at_fork). In the child `born` is called first, before
     * anything of Python runs there.
     *
     * Context  as `load`, after `settle`; the process has one thread
     * Returns  as fork() does, with errno
     */
    pid_t (*fork)(void (*born)(void *), void *data);
    /** Answer a call. Always returns; never lets a Python error escape. */
    etcl_answer_t (*answer)(const etcl_call_t *call, etcl_exchange_t *x);
    /**
     * Write the Python stack of the thread that runs `x`, or of all threads
     * when `x` is NULL, to config->log.
     */
    void (*dump)(etcl_exchange_t *x);
    /**
     * Raise mod_wsgi.RequestTimeout in the thread that runs `x`, once; it
     * appears when that thread next runs Python code. An answer that ends of
     * it before its head has status 504.
     *
     * Context  any thread without the GIL; waits for the GIL.
     * Returns  APR_SUCCESS, APR_NOTFOUND: `x` is not running
     */
    apr_status_t (*interrupt)(etcl_exchange_t *x);
    /**
     * Take the GIL of the main interpreter and drop it again: returns only
     * if Python can still be entered (deadlock-timeout).
     */
    void (*probe)(void);
    /** Publish process_signal for SIGHUP or SIGUSR2 to subscribers. */
    void (*signal)(int number);
    /**
     * Run shutdown callbacks (process_stopping with `reason`, a word of
     * mod_wsgi's such as "shutdown_signal"; "" in an Apache child) and
     * finalization in the calling thread. The caller bounds the time: it ends
     * the process when this does not return.
     */
    void (*stop)(const char *reason);
} etcl_runtime_t;

#endif

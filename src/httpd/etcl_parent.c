/* The life of groups as the Apache parent sees it. Runs no loop of its own:
 * httpd calls when a child ended (other-child), now and then (monitor), and
 * when the configuration ends (clean-up of pconf). */

#include "etcl_parent.h"
#include "etcl_clock.h"
#include "etcl_daemon.h"
#include "etcl_groups.h"
#include "etcl_nudge.h"
#include "etcl_retain.h"
#include "etcl_spawn.h"
#include "etcl_runtimes.h"
#include "etcl_stale.h"
#include "etcl_succession.h"
#include "etcl_tuning.h"

#include <ap_mpm.h>
#include <apr_portable.h>
#include <mpm_common.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unixd.h>

#define HANDOVER_US (60 * (apr_int64_t)APR_USEC_PER_SEC)
#define LONG_LIFE_US (60 * (apr_int64_t)APR_USEC_PER_SEC)
#define LONG_PAUSE_US (4 * (apr_int64_t)APR_USEC_PER_SEC)
#define KILL_AFTER_US (2 * (apr_int64_t)APR_USEC_PER_SEC)

/* Of this loading of the module. */
static etcl_retain_t *retain;
static apr_pool_t *pconf_now, *plog_now;
static pid_t parent_pid;

etcl_live_t *etcl_parent_lives(void)
{
    return retain ? retain->lives : NULL;
}

int etcl_parent_is_here(void)
{
    return getpid() == parent_pid;
}

pid_t etcl_parent_pid(void)
{
    return parent_pid;
}

static int is_stopping(void)
{
    int state = AP_MPMQ_STARTING;

    return !ap_mpm_query(AP_MPMQ_MPM_STATE, &state) &&
           state == AP_MPMQ_STOPPING;
}

static void forget(etcl_live_t *live)
{
    etcl_live_t **at = &retain->lives;
    etcl_live_t *each;

    while (*at && *at != live) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = live->next;
    }
    for (each = retain->lives; each; each = each->next) {
        if (each->previous == live) {
            each->previous = live->previous;
        }
    }
    etcl_live_destroy(live);
}

/* The group that took an old one's place, or NULL. */
static const etcl_live_t *find_successor(const etcl_live_t *old)
{
    const etcl_live_t *live;

    for (live = retain->lives; live; live = live->next) {
        if (!live->is_old && !strcmp(live->name, old->name)) {
            return live;
        }
    }
    return NULL;
}

static void watch(etcl_live_t *live);

/* While there is none, nobody takes requests: who kills it once or twice, by
 * hand or for want of memory, should not stop the group. */
static apr_int64_t backoff(etcl_live_t *live)
{
    static const int delays[] = { 0, 0, 0, 1, 2, 4, 8 };
    int last = (int)(sizeof delays / sizeof *delays) - 1;
    int step;

    if (etcl_clock_us() - live->started_us > LONG_LIFE_US) {
        live->failures = 0;
    }
    step = live->failures < last ? live->failures : last;
    ++live->failures;
    return delays[step] * (apr_int64_t)APR_USEC_PER_SEC;
}

/* The old generation serves on, but leaves new code to the next one. */
static void tell_old(const etcl_live_t *old)
{
    ssize_t told = 0;

    if (old->alive_fd >= 0) {
        told = write(old->alive_fd, "", 1);
    }
    (void)told;
}

static void start_again(etcl_live_t *live, int status)
{
    apr_int64_t delay = backoff(live);
    apr_status_t rv;
    char when[32] = "at once";

    if (delay >= LONG_PAUSE_US) {
        etcl_live_rest(live);
    }
    if (delay) {
        apr_snprintf(when, sizeof when, "in %d s",
                     (int)(delay / APR_USEC_PER_SEC));
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                 "ETCL0271: the supervisor of group %s ended (status or "
                 "signal %d); a new one starts %s",
                 live->name, status, when);
    rv = etcl_spawn_supervisor(live, delay);
    if (rv) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, ap_server_conf,
                     "ETCL0272: no process for the supervisor of group %s",
                     live->name);
        return;
    }
    watch(live);
}

/* Whether a process of Apache may still send requests to it. */
static int is_wanted(const etcl_live_t *live)
{
    struct pollfd lifeline = { .fd = live->watch_fd };

    return live->watch_fd >= 0 && poll(&lifeline, 1, 0) >= 0 &&
           !(lifeline.revents & POLLHUP);
}

/* Its workers have gone with it. The requests of its own children get others,
 * with the code that is there now. */
static void old_ended(etcl_live_t *live, int status)
{
    etcl_succession_end(live, find_successor(live));
    if (status == ETCL_EXIT_DONE || status == ETCL_EXIT_FATAL ||
        !is_wanted(live)) {
        forget(live);
        return;
    }
    tell_old(live);
    start_again(live, status);
}

static void supervisor_ended(etcl_live_t *live, int status)
{
    live->proc.pid = 0;
    if (is_stopping()) {
        return;
    }
    if (live->is_old) {
        old_ended(live, status);
        return;
    }
    if (status == ETCL_EXIT_FATAL) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, ap_server_conf,
                     "ETCL0273: group %s cannot work as it is configured; it "
                     "is not started again until Apache is. Its log says why",
                     live->name);
        etcl_live_rest(live);
        return;
    }
    start_again(live, status);
}

/* httpd's other-child call-back. */
static void on_other_child(int reason, void *data, int status)
{
    etcl_live_t *live = data;

    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    apr_proc_other_child_unregister(live);
    supervisor_ended(live, status);
}

static void watch(etcl_live_t *live)
{
    apr_proc_other_child_register(&live->proc, on_other_child, live, NULL,
                                  pconf_now);
}

/* Wait until the supervisors have ended, at most until `deadline_us`. */
static int wait_for_all(apr_int64_t deadline_us)
{
    const struct timespec nap = { 0, 2000000 };
    etcl_live_t *live;
    int left = 0;

    do {
        left = 0;
        for (live = retain->lives; live; live = live->next) {
            if (live->proc.pid > 0 &&
                waitpid(live->proc.pid, NULL, WNOHANG) == live->proc.pid) {
                live->proc.pid = 0;
            }
            left += live->proc.pid > 0;
        }
        if (left) {
            nanosleep(&nap, NULL);
        }
    } while (left && etcl_clock_us() < deadline_us);
    return left;
}

static void kill_all(int number)
{
    etcl_live_t *live;

    for (live = retain->lives; live; live = live->next) {
        if (live->proc.pid > 0) {
            /* A supervisor leads a process group with all its workers. */
            kill(number == SIGKILL ? -live->proc.pid : live->proc.pid, number);
        }
    }
}

/* Stop, or a restart that is not graceful. */
static void end_all(void)
{
    apr_int64_t longest = 0;
    etcl_live_t *live;

    for (live = retain->lives; live; live = live->next) {
        etcl_live_release(live);
        if (live->shutdown_us > longest) {
            longest = live->shutdown_us;
        }
    }
    kill_all(SIGTERM);
    if (wait_for_all(etcl_clock_us() + longest + KILL_AFTER_US)) {
        kill_all(SIGKILL);
        wait_for_all(etcl_clock_us() + KILL_AFTER_US);
    }
    while (retain->lives) {
        forget(retain->lives);
    }
}

static void leave_to_next(void)
{
    etcl_live_t *live;

    for (live = retain->lives; live; live = live->next) {
        if (!live->is_old) {
            live->is_old = 1;
            live->handover_us = etcl_clock_us() + HANDOVER_US;
        }
        etcl_retain_leave(live, plog_now);
    }
}

/* Clean-up of pconf: the configuration ends, and with it this loading of the
 * module. The other-child call-backs were registered later, so APR has dropped
 * them already: none of our code is called after this. */
static apr_status_t end_generation(void *data)
{
    const ap_unixd_mpm_retained_data *mpm = ap_unixd_mpm_get_retained_data();

    (void)data;
    if (!etcl_parent_is_here()) {
        return APR_SUCCESS;
    }
    /* A graceful stop is no restart: nobody comes after. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_DESTROY_CONFIG && mpm &&
        mpm->was_graceful) {
        leave_to_next();
    } else {
        end_all();
    }
    return APR_SUCCESS;
}

int etcl_parent_take_over(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp)
{
    etcl_live_t *live;

    (void)pconf;
    (void)ptemp;
    retain = etcl_retain_get();
    for (live = retain->lives; live; live = live->next) {
        etcl_retain_take(live, plog);
        live->links = NULL;
        live->seat = -1;
    }
    return OK;
}

/* Restarts may follow each other faster than workers load. One old generation
 * of a group is enough to serve meanwhile; the others end with their own
 * children, or they would be more with each restart. Of a service none is kept:
 * it does its work twice then, or holds a port that the new one wants. */
static void keep_one_old(void)
{
    etcl_live_t *live;

    for (live = retain->lives; live; live = live->next) {
        if (live->is_old &&
            (live->is_service ||
             etcl_succession_best(retain->lives, live->name) != live)) {
            etcl_live_release(live);
        }
    }
}

static int log_fd_of(const server_rec *owner)
{
    apr_os_file_t fd = STDERR_FILENO;

    if (owner->error_log) {
        apr_os_file_get(&fd, owner->error_log);
    }
    return fd;
}

static int children_max(void)
{
    int daemons = 1;

    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &daemons) || daemons < 1) {
        daemons = 1;
    }
    return daemons * 2 + 16;
}

static const char *socket_prefix(apr_pool_t *pool)
{
    const char *prefix = etcl_config_main()->socket_prefix.text;

    return prefix ? ap_server_root_relative(pool, prefix)
                  : ap_runtime_dir_relative(pool, "wsgi");
}

static apr_status_t start_member(etcl_member_t *member, int index,
                                 apr_pool_t *pool, const char **why)
{
    const server_rec *owner =
        APR_ARRAY_IDX(member->owners, 0, const server_rec *);
    const etcl_plan_t plan = {
        .prefix = socket_prefix(pool),
        .generation = retain->generation,
        .index = index,
        .children = children_max(),
        .log_fd = log_fd_of(owner),
        .program =
            apr_pstrcat(pool, etcl_runtimes_folder(pool), "/etcld", NULL),
    };
    etcl_live_t *live;
    apr_status_t rv;

    member->group.server_banner = ap_get_server_banner();
    etcl_tuning_group_mpm(&member->group);
    rv = etcl_live_create(&member->group, &plan, pool, &live, why);
    if (rv) {
        return rv;
    }
    live->previous = etcl_succession_best(retain->lives, live->name);
    if (live->previous) {
        tell_old(live->previous);
    }
    live->next = retain->lives;
    retain->lives = live;
    member->live = live;
    *why = "no process for its supervisor";
    rv = etcl_spawn_supervisor(live, 0);
    if (!rv) {
        watch(live);
    }
    return rv;
}

static apr_status_t start_members(apr_pool_t *pool)
{
    const apr_array_header_t *members = etcl_config_register()->members;
    const char *why;
    apr_status_t rv;
    int i;

    if (members->nelts) {
        etcl_stale_remove(socket_prefix(pool), pool);
    }
    for (i = 0; i < members->nelts; ++i) {
        etcl_member_t *member = APR_ARRAY_IDX(members, i, etcl_member_t *);

        rv = start_member(member, i, pool, &why);
        if (rv) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, ap_server_conf,
                         "ETCL0274: group %s cannot be started: %s",
                         member->group.name, why);
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* Supervisors of old generations may have ended while nobody watched, or were
 * never started. */
static void watch_old(void)
{
    etcl_live_t *live, *next;
    int status;

    for (live = retain->lives; live; live = next) {
        next = live->next;
        if (live->proc.pid <= 0) {
            forget(live);
        } else if (waitpid(live->proc.pid, &status, WNOHANG) !=
                   live->proc.pid) {
            watch(live);
        } else {
            live->proc.pid = 0;
            old_ended(live, WIFSIGNALED(status) ? WTERMSIG(status)
                                                : WEXITSTATUS(status));
        }
    }
}

int etcl_parent_start(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *server)
{
    int is_again = retain->lives != NULL;

    (void)ptemp;
    (void)server;
    ap_add_version_component(pconf, "mod_etcl/" ETCL_VERSION);
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_NORMAL) {
        return OK;
    }
    pconf_now = pconf;
    plog_now = plog;
    parent_pid = getpid();
    ++retain->generation;
    apr_pool_cleanup_register(pconf, NULL, end_generation,
                              apr_pool_cleanup_null);
    watch_old();
    keep_one_old();
    if (start_members(pconf)) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (is_again) {
        etcl_nudge_start(pconf);
    }
    return OK;
}

int etcl_parent_monitor(apr_pool_t *pool, server_rec *server)
{
    const etcl_live_t *next;
    etcl_live_t *live;

    (void)pool;
    (void)server;
    for (live = etcl_parent_lives(); live; live = live->next) {
        next = live->is_old ? find_successor(live) : NULL;
        if (live->is_old && live->alive_fd >= 0 &&
            etcl_succession_is_over(live, next)) {
            etcl_succession_end(live, next);
            etcl_live_release(live);
        }
    }
    return DECLINED;
}

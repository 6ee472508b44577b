/* A daemon process group as configured: the options of WSGIDaemonProcess and
 * what the Apache parent resolved for it. Pure: no file, account or socket is
 * looked up here. */

#ifndef ETCL_GROUP_H
#define ETCL_GROUP_H

#include "etcl.h"
#include "etcl_group_options.h"
#include "etcl_runtime.h"

#define ETCL_TYPE_TEXT const char *
#define ETCL_TYPE_PATH const char *
#define ETCL_TYPE_FOLDERS const char *
#define ETCL_TYPE_PAGE const char *
#define ETCL_TYPE_LIST const char *
#define ETCL_TYPE_INT apr_int64_t
#define ETCL_TYPE_SECONDS apr_int64_t
#define ETCL_TYPE_BYTES apr_int64_t
#define ETCL_TYPE_SIZE apr_int64_t
#define ETCL_TYPE_OCTAL apr_int64_t
#define ETCL_TYPE_FLAG apr_int64_t
#define ETCL_TYPE_RELOAD apr_int64_t
#define ETCL_TYPE_FLOAT double
#define ETCL_GROUP_FIELD(field, option, kind, unset, low, high)                \
    ETCL_TYPE_##kind field;

/* The options as stated; `stated` has the bit of an option's place in the
 * table set when it was given. */
typedef struct {
    ETCL_GROUP_OPTIONS(ETCL_GROUP_FIELD)
    apr_uint64_t stated;
} etcl_group_options_t;

/* A script to load before a worker is ready. With an empty callable it is an
 * import script: loaded, and nothing looked for in it. */
typedef struct {
    const char *script;
    const char *app_group;
    const char *callable;
} etcl_preload_t;

#define ETCL_GROUP_SECRET 32
#define ETCL_GROUP_PRELOADS_MAX 1024
#define ETCL_GROUP_RULES_MAX 1024
#define ETCL_GROUP_GIDS_MAX 65536

/* Everything that the daemon program needs to know of its group. Texts are
 * terminated; numbers of accounts are resolved: a daemon looks nothing up. */
typedef struct {
    const char *name;
    etcl_group_options_t options;
    /* Resolved by the Apache parent. */
    const char *runtime;   /* path of cpython-X.Y.so */
    const char *user_name; /* account of the group, NULL: no passwd entry */
    const char *user_home; /* its home directory; or NULL */
    const char *work_dir;  /* where to chdir; or NULL: stay */
    apr_int64_t uid;       /* -1: keep the identity (not started as root) */
    apr_int64_t gid;
    const apr_int64_t *gids; /* all groups, gid included; sorted */
    int gid_count;
    apr_int64_t peer_uid;    /* whom workers accept: Apache's children */
    apr_int64_t timeout_us;  /* of one packet on a link */
    int slots;               /* listening sockets handed over */
    int log_level;           /* httpd's level of the group's server */
    int optimize;            /* WSGIPythonOptimize */
    int write_bytecode;      /* 0 with WSGIDontWriteBytecode On */
    int destroy_interpreter; /* WSGIDestroyInterpreter */
    int restrict_stdin;
    int restrict_stdout;
    int restrict_signal;
    const char *hash_seed; /* WSGIPythonHashSeed; or NULL */
    const char *server_banner;
    const char *const *warnings; /* WSGIPythonWarnings, ended by NULL */
    const etcl_preload_t *preloads;
    int preload_count;
    etcl_preload_t page;      /* what warm-up= asks; script NULL: nothing */
    const char *page_mount;   /* its SCRIPT_NAME */
    const char *page_host;    /* ServerName, if the option names no host */
    int own_gil;              /* WSGIPerInterpreterGIL */
    int free_threading;       /* WSGIFreeThreading */
    int case_sensitive;       /* WSGICaseSensitivity */
    const etcl_rule_t *rules; /* <WSGIInterpreterOptions>, last wins */
    int rule_count;
    int reload; /* WSGIScriptReloading of the server */
    int apache_version[3];
    const char *mpm_name;   /* "event"; or NULL */
    const char *build_date; /* of httpd; or NULL */
    int mpm_processes;      /* of httpd's children at most; 0 not known */
    int mpm_threads;        /* of each; likewise */
    unsigned char secret[ETCL_GROUP_SECRET];
} etcl_group_t;

/** All options unset, all resolved values empty. */
void etcl_group_init(etcl_group_t *group, const char *name);

/**
 * Set one option from its text.
 *
 * Owns     a text value is kept: it must live as long as the group.
 * Returns  APR_SUCCESS
 *          APR_NOTFOUND  no such option; *why names the nearest one
 *          ETCL_EINVAL   *why says what is allowed, e.g. "threads=abc: must
 *                        be a whole number from 0 to 65533"
 *          *why lives in `pool` and is NULL on success.
 */
apr_status_t etcl_group_set(etcl_group_t *group, const char *option,
                            const char *value, apr_pool_t *pool,
                            const char **why);

/** Whether the option was stated (by its name in the directive). */
int etcl_group_states(const etcl_group_t *group, const char *option);

/**
 * The first option in which two definitions differ, or NULL.
 * Compares what was stated, not what was resolved.
 */
const char *etcl_group_differs(const etcl_group_t *a, const etcl_group_t *b);

/**
 * Write a group for its daemon.
 *
 * Shape    "ETCLGRP1", then u32 length + bytes for each field in the order of
 *          the table and the struct; decoded only by the same build.
 * Owns     *out is allocated from `pool`.
 */
apr_status_t etcl_group_encode(const etcl_group_t *group, apr_pool_t *pool,
                               etcl_span_t *out);

/**
 * Read it again.
 *
 * Owns     texts are copied into `pool`.
 * Returns  APR_SUCCESS, ETCL_EPROTO (cut short, not of this build, or a value
 *          that cannot be), ETCL_ELIMIT
 */
apr_status_t etcl_group_decode(etcl_span_t in, apr_pool_t *pool,
                               etcl_group_t *out);

#endif

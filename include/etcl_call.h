/* A call: what Apache asks of Python, as plain data. It is made by src/httpd
 * (embedded mode) or decoded from the wire by src/daemon, and answered by a
 * runtime through an exchange (etcl_exchange.h). */

#ifndef ETCL_CALL_H
#define ETCL_CALL_H

#include "etcl.h"

typedef enum {
    ETCL_CALL_WSGI = 1,           /* application(environ, start_response) */
    ETCL_CALL_CHECK_PASSWORD = 2, /* check_password(environ, user, password) */
    ETCL_CALL_REALM_HASH = 3,     /* get_realm_hash(environ, user, realm) */
    ETCL_CALL_GROUPS = 4,         /* groups_for_user(environ, user) */
    ETCL_CALL_ACCESS = 5,         /* allow_access(environ, host) */
    ETCL_CALL_DISPATCH = 6        /* process_group(environ) and friends */
} etcl_call_kind_t;

/* Bits of `flags`. */
#define ETCL_CALL_HTTPS 0x01u    /* wsgi.url_scheme is https */
#define ETCL_CALL_RELOAD 0x02u   /* WSGIScriptReloading is On */
#define ETCL_CALL_IDLE 0x04u     /* WSGIIgnoreActivity is On */
#define ETCL_CALL_SENDFILE 0x08u /* WSGIEnableSendfile is On */
#define ETCL_CALL_HANDLER 0x10u  /* WSGIHandlerScript: handle_request() */
#define ETCL_CALL_WARM_UP 0x20u  /* a worker's own: on no wire, in no count */

/* One variable of the environ. */
typedef struct {
    apr_byte_t id;     /* a well-known name (etcl_keys.h), else 0 */
    etcl_span_t key;   /* always filled, also when id is not 0 */
    etcl_span_t value; /* bytes as received; Latin-1 (PEP 3333, "Unicode
                          Issues"), but SCRIPT_FILENAME and DOCUMENT_ROOT
                          are file system names */
} etcl_pair_t;

/* What a script is, for a call and for loading it ahead. */
typedef struct {
    etcl_span_t script;    /* absolute path of the file */
    etcl_span_t app_group; /* name of the interpreter; "" is the main one */
    etcl_span_t callable;  /* name in the script's namespace */
} etcl_target_t;

/**
 * A call and everything that Python may know of it.
 *
 * Owns     nothing: every span is borrowed for the time of the call.
 * Units    *_start_us are microseconds since the epoch; body_len is bytes.
 * Source   PEP 3333 "environ Variables"; RFC 3875 section 4.1
 */
typedef struct {
    etcl_call_kind_t kind;
    apr_uint32_t flags;
    etcl_target_t target;
    apr_int64_t body_len;         /* 0 none, -1 unknown: chunked */
    apr_int64_t request_start_us; /* Apache began the request */
    apr_int64_t queue_start_us;  /* it began to wait for a worker; 0 embedded */
    apr_int64_t daemon_start_us; /* the worker took it; 0 embedded */
    const etcl_pair_t *pairs;
    apr_size_t pair_count;
} etcl_call_t;

/*
 * Questions other than ETCL_CALL_WSGI. What the function is given beside the
 * environ comes as pairs of these names, which its environ does not show:
 */
#define ETCL_CALL_USER "etcl.user"         /* CHECK_PASSWORD, _HASH, GROUPS */
#define ETCL_CALL_PASSWORD "etcl.password" /* CHECK_PASSWORD */
#define ETCL_CALL_REALM "etcl.realm"       /* REALM_HASH */
#define ETCL_CALL_HOST "etcl.host"         /* ACCESS */
/* With mod_ssl: "1" on a TLS connection, else ""; then "etcl.ssl.NAME" for
 * each variable of mod_ssl that has a value. The environ shows them as the
 * callables mod_ssl.is_https() and mod_ssl.var_lookup(name). */
#define ETCL_CALL_SSL "etcl.ssl"

/*
 * The verdict is an answer without headers: head.status, and a value as its
 * body. An answer that is not ETCL_ANSWER_DONE counts as 500. What went wrong
 * is in the log of the call already.
 *
 *   CHECK_PASSWORD  200 granted; a value replaces REMOTE_USER, none keeps it
 *                   401 denied; 404 no opinion on this user; 500 error
 *   REALM_HASH      200 with the hash; 404 no such user; 500 error
 *   GROUPS          200 with names, each ended by NUL; none: no group; 500
 *   ACCESS          200 allowed; 403 denied, also by an error of the function;
 *                   404 no opinion; 500 no such function
 *   DISPATCH        200 with three fields, each ended by NUL: process group,
 *                   application group, callable. A field is ETCL_CALL_GIVEN
 *                   and the value, or ETCL_CALL_KEPT alone: the function is
 *                   missing or gave None; 500 error
 *
 * Values hold no other NUL and no line end. Names of users are Latin-1 where
 * they can be, as environ is; everything else is UTF-8.
 */
#define ETCL_CALL_GIVEN '='
#define ETCL_CALL_KEPT '-'

#endif

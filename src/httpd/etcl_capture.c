/* Makes the environ of a request. Order is the rule that keeps it honest:
 * first what the administrator set (SetEnv and friends), then the request's
 * headers under HTTP_, then what only the server knows. */

#include "etcl_capture.h"
#include "etcl_expand.h"
#include "etcl_groups.h"
#include "etcl_key.h"
#include "etcl_ssl.h"
#include "etcl_text.h"
#include "etcl_trust.h"

#include <http_ssl.h>
#include <unistd.h>

#define NAME_MAX_LEN 256

/* The call that is being written. */
typedef struct {
    request_rec *r;
    const etcl_route_t *route;
    etcl_buffer_t *out;
    etcl_trust_t trust;
    apr_uint32_t pairs;
    apr_status_t rv;
    int https;
    int is_early;   /* asked before the request is ready: see put_early */
    int pass_auth;  /* Authorization */
    int pass_proxy; /* Proxy-Authorization */
} capture_t;

static void put(capture_t *c, etcl_key_t id, etcl_span_t name,
                etcl_span_t value)
{
    if (!c->rv) {
        c->rv = etcl_call_pair(c->out, id, name, value);
        ++c->pairs;
    }
}

static void put_known(capture_t *c, etcl_key_t id, const char *value)
{
    if (value) {
        put(c, id, etcl_key_name(id), etcl_span(value));
    }
}

static void put_number(capture_t *c, etcl_key_t id, apr_uint64_t value)
{
    char digits[ETCL_TEXT_NUMBER];

    put_known(c, id, etcl_text_number(value, digits));
}

static void put_named(capture_t *c, etcl_span_t name, const char *value)
{
    put(c, etcl_key_find(name), name, etcl_span(value));
}

static int is_yes(const char *value)
{
    return !strcasecmp(value, "on") || !strcmp(value, "1");
}

/* Names of the server's own: never from a variable (PEP 3333, "environ
 * Variables"). Others that begin with wsgi. may be the administrator's. */
static int is_reserved(const char *name)
{
    static const char *const names[] = {
        "version",     "url_scheme",   "input",    "input_terminated", "errors",
        "multithread", "multiprocess", "run_once", "file_wrapper",
    };
    apr_size_t i;

    if (!strncmp(name, "mod_wsgi.", 9)) {
        return 1;
    }
    for (i = 0; !strncmp(name, "wsgi.", 5) && i < sizeof names / sizeof *names;
         ++i) {
        if (!strcmp(name + 5, names[i])) {
            return 1;
        }
    }
    return 0;
}

static void put_variables(capture_t *c)
{
    const apr_array_header_t *table = apr_table_elts(c->r->subprocess_env);
    const apr_table_entry_t *entry =
        (const apr_table_entry_t *)(void *)table->elts;
    int i;

    for (i = 0; i < table->nelts; ++i, ++entry) {
        if (!entry->key || !entry->val || is_reserved(entry->key)) {
            continue;
        }
        /* HTTPS is told by wsgi.url_scheme. */
        if (!strcmp(entry->key, "HTTPS")) {
            continue;
        }
        put_named(c, etcl_span(entry->key), entry->val);
    }
}

/* Transfer-Encoding too: the application gets the body decoded, and some
 * would decode it again. */
static int is_withheld(const capture_t *c, etcl_span_t name)
{
    if (etcl_text_same(name, ETCL_SPAN("Transfer-Encoding"))) {
        return 1;
    }
    if (etcl_text_same(name, ETCL_SPAN("Authorization"))) {
        return !c->pass_auth;
    }
    if (etcl_text_same(name, ETCL_SPAN("Proxy-Authorization"))) {
        return !c->pass_proxy;
    }
    return 0;
}

static void put_header(capture_t *c, const char *name, const char *value)
{
    etcl_span_t span = etcl_span(name), key;
    char small[NAME_MAX_LEN];
    char *into = small;

    if (etcl_text_same(span, ETCL_SPAN("Content-Type"))) {
        put_known(c, ETCL_KEY_CONTENT_TYPE, value);
        return;
    }
    if (etcl_text_same(span, ETCL_SPAN("Content-Length"))) {
        put_known(c, ETCL_KEY_CONTENT_LENGTH, value);
        return;
    }
    if (!etcl_text_is_cgi_header(span) || is_withheld(c, span)) {
        return;
    }
    value = etcl_trust_value(&c->trust, span, value);
    if (!value) {
        return;
    }
    if (span.len + 5 > sizeof small) {
        into = apr_palloc(c->r->pool, span.len + 5);
    }
    key = (etcl_span_t){ into, etcl_text_cgi_name(span, into) };
    put_named(c, key, value);
}

static void put_headers(capture_t *c)
{
    const apr_array_header_t *table = apr_table_elts(c->r->headers_in);
    const apr_table_entry_t *entry =
        (const apr_table_entry_t *)(void *)table->elts;
    int i;

    for (i = 0; i < table->nelts; ++i, ++entry) {
        if (entry->key && entry->val) {
            put_header(c, entry->key, entry->val);
        }
    }
}

/* The second word of the request line, as it was sent. */
static etcl_span_t raw_target(request_rec *r)
{
    const char *rule, *from;
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    if (core->cgi_var_rules) {
        rule = apr_hash_get(core->cgi_var_rules, "REQUEST_URI",
                            APR_HASH_KEY_STRING);
        if (rule && !strcmp(rule, "current-uri")) {
            return etcl_span(r->uri);
        }
    }
    if (!r->the_request) {
        return etcl_span(r->unparsed_uri);
    }
    from = r->the_request + strcspn(r->the_request, " \t");
    from += strspn(from, " \t");
    return (etcl_span_t){ from, strcspn(from, " \t") };
}

static const char *server_name(request_rec *r)
{
    const char *name = ap_get_server_name_for_url(r);

    return strpbrk(name, "<>&\"") ? ap_escape_html(r->pool, name) : name;
}

/* Of this child, which never changes: the kernel is asked once. */
static apr_uint64_t own_pid(void)
{
    static pid_t pid;
    pid_t known = __atomic_load_n(&pid, __ATOMIC_RELAXED);

    if (!known) {
        known = getpid();
        __atomic_store_n(&pid, known, __ATOMIC_RELAXED);
    }
    return (apr_uint64_t)known;
}

static void put_ends(capture_t *c)
{
    request_rec *r = c->r;
    conn_rec *conn = r->connection;

    put_known(c, ETCL_KEY_SERVER_NAME, server_name(r));
    put_number(c, ETCL_KEY_SERVER_PORT, ap_get_server_port(r));
    put_known(c, ETCL_KEY_SERVER_ADDR, conn->local_ip);
    put_known(c, ETCL_KEY_SERVER_ADMIN, r->server->server_admin);
    put_known(c, ETCL_KEY_SERVER_SOFTWARE, ap_get_server_banner());
    put_known(c, ETCL_KEY_REMOTE_ADDR, r->useragent_ip);
    put_number(c, ETCL_KEY_REMOTE_PORT, r->useragent_addr->port);
    put_known(c, ETCL_KEY_REMOTE_USER, r->user);
    put_known(c, ETCL_KEY_AUTH_TYPE, r->ap_auth_type);
    put_known(c, ETCL_KEY_MW_LISTENER_HOST,
              conn->local_addr->hostname ? conn->local_addr->hostname : "");
    put_number(c, ETCL_KEY_MW_LISTENER_PORT, conn->local_addr->port);
    put_number(c, ETCL_KEY_MW_SERVER_PID, own_pid());
}

static const char *collapsed(request_rec *r)
{
    char *info;

    if (!r->path_info) {
        return "";
    }
    if (!strstr(r->path_info, "//")) {
        return r->path_info;
    }
    info = apr_pstrdup(r->pool, r->path_info);
    ap_no2slash(info);
    return info;
}

/* A path as who answers sees it, or NULL. */
static const char *path_for(const capture_t *c, const char *path)
{
    return c->route->member ? etcl_groups_path(c->route->member, path) : path;
}

/* Auto: a filter may say something about the body in a header. */
static int is_head_mapped(const request_rec *r)
{
    const etcl_setting_t *setting = &etcl_config_dir(r)->map_head;
    const int how = etcl_config_flag(setting, ETCL_AUTO);

    if (!r->header_only || r->method_number != M_GET || how == ETCL_OFF) {
        return 0;
    }
    return how == ETCL_ON ||
           (r->output_filters &&
            r->output_filters->frec->ftype < AP_FTYPE_PROTOCOL);
}

/* SCRIPT_FILENAME: the script; of a handler script, what it is to handle. */
static const char *resource(const capture_t *c)
{
    return c->is_early || c->route->is_handler || c->route->question
               ? c->r->filename
               : c->route->script;
}

static void put_request(capture_t *c)
{
    request_rec *r = c->r;
    const char *name = etcl_expand_script_name(r), *info = collapsed(r);

    put_known(c, ETCL_KEY_REQUEST_METHOD,
              is_head_mapped(r) ? "GET" : r->method);
    put_known(c, ETCL_KEY_SCRIPT_NAME, name);
    put_known(c, ETCL_KEY_PATH_INFO, info);
    put_known(c, ETCL_KEY_QUERY_STRING, r->args ? r->args : "");
    put(c, ETCL_KEY_REQUEST_URI, etcl_key_name(ETCL_KEY_REQUEST_URI),
        raw_target(r));
    put_known(c, ETCL_KEY_REQUEST_SCHEME, ap_http_scheme(r));
    put_known(c, ETCL_KEY_SERVER_PROTOCOL, r->protocol);
    put_known(c, ETCL_KEY_DOCUMENT_ROOT, path_for(c, ap_document_root(r)));
    put_known(c, ETCL_KEY_CONTEXT_PREFIX, ap_context_prefix(r));
    put_known(c, ETCL_KEY_CONTEXT_DOCUMENT_ROOT, ap_context_document_root(r));
    put_known(c, ETCL_KEY_SCRIPT_FILENAME, resource(c));
    put_known(c, ETCL_KEY_MW_REQUEST_ID, r->log_id);
    put_known(c, ETCL_KEY_MW_CONNECTION_ID, r->connection->log_id);
    if (c->is_early) {
        return;
    }
    put_known(c, ETCL_KEY_MW_SCRIPT_NAME, name);
    put_known(c, ETCL_KEY_MW_PATH_INFO, info);
    put_known(c, ETCL_KEY_MW_REQUEST_HANDLER, r->handler);
    put_known(c, ETCL_KEY_MW_HANDLER_SCRIPT,
              c->route->is_handler ? c->route->script : "");
}

/* What mod_ssl.is_https and mod_ssl.var_lookup answer. */
static void put_ssl(capture_t *c)
{
    const char *name, *value;
    int at = 0;

    if (!etcl_ssl_is_here()) {
        return;
    }
    put_named(c, ETCL_SPAN(ETCL_CALL_SSL),
              ap_ssl_conn_is_ssl(c->r->connection) ? "1" : "");
    while ((name = etcl_ssl_next(c->r, &at, &value))) {
        name = apr_pstrcat(c->r->pool, ETCL_CALL_SSL ".", name, NULL);
        put_named(c, etcl_span(name), value);
    }
}

/* What the function of a question is given beside environ. */
static void put_question(capture_t *c)
{
    const etcl_question_t *question = c->route->question;
    const struct {
        const char *name, *value;
    } given[] = {
        { ETCL_CALL_USER, question->user },
        { ETCL_CALL_PASSWORD, question->password },
        { ETCL_CALL_REALM, question->realm },
        { ETCL_CALL_HOST, question->host },
    };
    apr_size_t i;

    for (i = 0; i < sizeof given / sizeof given[0]; ++i) {
        if (given[i].value) {
            put_named(c, etcl_span(given[i].name), given[i].value);
        }
    }
    put_ssl(c);
}

/* Before the handler: no variables were set yet. */
static void put_early(capture_t *c)
{
    request_rec *r = c->r;
    const char *host = ap_get_useragent_host(r, REMOTE_HOST, NULL);

    put_named(c, ETCL_SPAN("SERVER_SIGNATURE"), ap_psignature("", r));
    if (host) {
        put_named(c, ETCL_SPAN("REMOTE_HOST"), host);
    }
}

/* Later than what it replaces. */
static void put_trusted(capture_t *c)
{
    const char *const *of = c->trust.value;

    put_known(c, ETCL_KEY_REMOTE_ADDR, of[ETCL_PROXY_CLIENT]);
    put_known(c, ETCL_KEY_HTTP_HOST, of[ETCL_PROXY_HOST]);
    put_known(c, ETCL_KEY_SERVER_NAME, of[ETCL_PROXY_SERVER]);
    put_known(c, ETCL_KEY_SERVER_PORT, of[ETCL_PROXY_PORT]);
    put_known(c, ETCL_KEY_SCRIPT_NAME, of[ETCL_PROXY_SCRIPT]);
    put_known(c, ETCL_KEY_MW_MOUNT_POINT, of[ETCL_PROXY_SCRIPT]);
}

static void put_redirect(capture_t *c)
{
    const request_rec *from = c->r->prev;

    if (!from) {
        return;
    }
    put_named(c, ETCL_SPAN("REDIRECT_URL"), from->uri);
    if (from->args) {
        put_named(c, ETCL_SPAN("REDIRECT_QUERY_STRING"), from->args);
    }
    if (from->user) {
        put_named(c, ETCL_SPAN("REDIRECT_REMOTE_USER"), from->user);
    }
}

/* An id for the log and the application, when nobody made one yet. */
static void name_request(request_rec *r)
{
    static apr_uint32_t count;
    const char *id = NULL;

    if (r->log_id) {
        return;
    }
    ap_run_generate_log_id(r->connection, r, &id);
    if (!id) {
        id = apr_psprintf(r->pool, "%" APR_UINT64_T_HEX_FMT "%x%x",
                          (apr_uint64_t)r->request_time, (unsigned int)getpid(),
                          __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
    }
    r->log_id = id;
}

static void judge_authorization(capture_t *c)
{
    const core_dir_config *core =
        ap_get_core_module_config(c->r->per_dir_config);

    c->pass_proxy = core->cgi_pass_auth == AP_CGI_PASS_AUTH_ON;
    c->pass_auth = c->route->pass_authorization;
    if (c->is_early) {
        c->pass_auth = c->pass_proxy = 0;
        return;
    }
    if (c->pass_auth < 0) {
        c->pass_auth = !c->r->ap_auth_type;
    }
    c->pass_auth |= c->pass_proxy;
}

static apr_uint32_t flags_of(const capture_t *c)
{
    const etcl_dir_t *dir = etcl_config_dir(c->r);

    return (c->https ? ETCL_CALL_HTTPS : 0) |
           (c->route->reload ? ETCL_CALL_RELOAD : 0) |
           (c->route->is_handler ? ETCL_CALL_HANDLER : 0) |
           (etcl_config_flag(&dir->ignore_activity, 0) ? ETCL_CALL_IDLE : 0) |
           (etcl_config_flag(&dir->enable_sendfile, 0) ? ETCL_CALL_SENDFILE
                                                       : 0);
}

static void put_head(capture_t *c, apr_int64_t body_len)
{
    const etcl_question_t *question = c->route->question;
    const etcl_call_t call = {
        .kind = question ? question->kind : ETCL_CALL_WSGI,
        .flags = flags_of(c),
        .target = { .script = etcl_span(c->route->script),
                    .app_group = etcl_span(c->route->app_group),
                    .callable = etcl_span(c->route->callable) },
        .body_len = body_len,
        .request_start_us = c->r->request_time,
        .queue_start_us = apr_time_now(),
    };

    c->rv = etcl_call_begin(c->out, &call);
}

static void judge_https(capture_t *c)
{
    const char *said = apr_table_get(c->r->subprocess_env, "HTTPS");

    if (c->trust.https >= 0) {
        c->https = c->trust.https;
    } else if (said) {
        c->https = is_yes(said);
    } else {
        c->https = !c->trust.header[ETCL_PROXY_SCHEME] &&
                   ap_ssl_conn_is_ssl(c->r->connection);
    }
}

apr_status_t etcl_capture_call(request_rec *r, const etcl_route_t *route,
                               apr_int64_t body_len, etcl_buffer_t *out)
{
    capture_t c = { .r = r, .route = route, .out = out };
    apr_size_t begin = out->len;

    name_request(r);
    c.is_early = route->question && route->question->kind != ETCL_CALL_DISPATCH;
    judge_authorization(&c);
    etcl_trust_judge(r, &c.trust);
    judge_https(&c);
    put_head(&c, body_len);
    if (c.is_early) {
        put_early(&c);
    } else {
        put_variables(&c);
        put_redirect(&c);
    }
    put_headers(&c);
    put_ends(&c);
    put_request(&c);
    put_trusted(&c);
    if (route->question) {
        put_question(&c);
    }
    return c.rv ? c.rv : etcl_call_close(out, begin, c.pairs);
}

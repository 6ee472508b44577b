/* Turns httpd's questions into ours and verdicts into httpd's answers. A
 * password is handed on and never written down. */

#include "etcl_auth.h"
#include "etcl_question.h"

#include <ap_provider.h>
#include <mod_auth.h>

#define GROUP_TYPE "wsgi-group"

static const etcl_aside_t *user_script(request_rec *r)
{
    const etcl_aside_t *aside =
        etcl_question_script(&etcl_config_dir(r)->user_script);

    if (!aside) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0183: the provider wsgi is to check a user, and no "
                      "WSGIAuthUserScript says by which script");
    }
    return aside;
}

static void note_unknown(request_rec *r, const char *user)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "ETCL0184: the script of WSGIAuthUserScript does not know "
                  "the user %s",
                  user);
}

static authn_status check_password(request_rec *r, const char *user,
                                   const char *password)
{
    const etcl_aside_t *aside = user_script(r);
    etcl_question_t question = { .kind = ETCL_CALL_CHECK_PASSWORD,
                                 .user = user,
                                 .password = password };

    switch (aside ? etcl_question_ask(r, aside, &question) : 0) {
    case HTTP_OK:
        if (question.value_len) {
            r->user = question.value;
        }
        return AUTH_GRANTED;
    case HTTP_UNAUTHORIZED:
        return AUTH_DENIED;
    case HTTP_NOT_FOUND:
        note_unknown(r, user);
        return AUTH_USER_NOT_FOUND;
    default:
        return AUTH_GENERAL_ERROR;
    }
}

static authn_status get_realm_hash(request_rec *r, const char *user,
                                   const char *realm, char **out)
{
    const etcl_aside_t *aside = user_script(r);
    etcl_question_t question = { .kind = ETCL_CALL_REALM_HASH,
                                 .user = user,
                                 .realm = realm };

    switch (aside ? etcl_question_ask(r, aside, &question) : 0) {
    case HTTP_OK:
        *out = question.value;
        return AUTH_USER_FOUND;
    case HTTP_NOT_FOUND:
        note_unknown(r, user);
        return AUTH_USER_NOT_FOUND;
    default:
        return AUTH_GENERAL_ERROR;
    }
}

/* Whether a required group is among those of the verdict. */
static int is_member(request_rec *r, const etcl_question_t *question,
                     const char *required)
{
    const char *at, *word;

    while (*required) {
        word = ap_getword_conf(r->pool, &required);
        for (at = question->value; at < question->value + question->value_len;
             at += strlen(at) + 1) {
            if (*word && !strcasecmp(at, word)) {
                return 1;
            }
        }
    }
    return 0;
}

static authz_status judge_groups(request_rec *r,
                                 const etcl_question_t *question,
                                 const char *required)
{
    if (is_member(r, question, required)) {
        return AUTHZ_GRANTED;
    }
    if (!question->value_len) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0186: Require wsgi-group: the user %s is in no "
                      "group",
                      r->user);
    } else {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0187: Require wsgi-group: the user %s is in none "
                      "of the groups %s",
                      r->user, required);
    }
    return AUTHZ_DENIED;
}

static authz_status check_group(request_rec *r, const char *required,
                                const void *parsed)
{
    const etcl_aside_t *aside =
        etcl_question_script(&etcl_config_dir(r)->group_script);
    etcl_question_t question = { .kind = ETCL_CALL_GROUPS, .user = r->user };

    (void)parsed;
    if (!r->user) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (!aside) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0185: Require wsgi-group is to look for groups, "
                      "and no WSGIAuthGroupScript says by which script");
        return AUTHZ_DENIED;
    }
    if (etcl_question_ask(r, aside, &question) != HTTP_OK) {
        return AUTHZ_DENIED;
    }
    return judge_groups(r, &question, required);
}

/* As httpd names the other end: a name only where it knows one. */
static const char *host_of(request_rec *r)
{
    const char *host = ap_get_useragent_host(r, REMOTE_HOST, NULL);

    return host ? host : r->useragent_ip;
}

int etcl_auth_check_access(request_rec *r)
{
    const etcl_aside_t *aside =
        etcl_question_script(&etcl_config_dir(r)->access_script);
    etcl_question_t question = { .kind = ETCL_CALL_ACCESS };
    int status;

    if (!aside) {
        return DECLINED;
    }
    question.host = host_of(r);
    status = etcl_question_ask(r, aside, &question);
    if (status == HTTP_OK) {
        return OK;
    }
    if (status == HTTP_FORBIDDEN) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0188: %s does not let %s have %s", aside->script,
                      question.host, r->uri);
    }
    return status == HTTP_NOT_FOUND ? DECLINED : status;
}

void etcl_auth_offer(apr_pool_t *pool)
{
    static const authn_provider users = {
        .check_password = check_password,
        .get_realm_hash = get_realm_hash,
    };
    static const authz_provider groups = {
        .check_authorization = check_group,
    };

    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, "wsgi",
                              AUTHN_PROVIDER_VERSION, &users,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, GROUP_TYPE,
                              AUTHZ_PROVIDER_VERSION, &groups,
                              AP_AUTH_INTERNAL_PER_CONF);
}

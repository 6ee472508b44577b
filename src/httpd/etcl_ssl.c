/* The variables that mod_ssl documents ("Environment Variables"), looked up
 * only when a script is asked, not for requests. Certificates in PEM are left
 * out but the client's, which is what such scripts decide by. */

#include "etcl_ssl.h"

#include <http_ssl.h>

#define DN_PARTS(X)                                                            \
    X "_C", X "_ST", X "_L", X "_O", X "_OU", X "_CN", X "_T", X "_I", X "_G", \
        X "_S", X "_D", X "_UID", X "_Email"

static const char *const names[] = {
    "HTTPS",
    "SSL_PROTOCOL",
    "SSL_SESSION_ID",
    "SSL_SESSION_RESUMED",
    "SSL_SECURE_RENEG",
    "SSL_CIPHER",
    "SSL_CIPHER_EXPORT",
    "SSL_CIPHER_USEKEYSIZE",
    "SSL_CIPHER_ALGKEYSIZE",
    "SSL_COMPRESS_METHOD",
    "SSL_VERSION_INTERFACE",
    "SSL_VERSION_LIBRARY",
    "SSL_TLS_SNI",
    "SSL_CLIENT_M_VERSION",
    "SSL_CLIENT_M_SERIAL",
    "SSL_CLIENT_S_DN",
    DN_PARTS("SSL_CLIENT_S_DN"),
    "SSL_CLIENT_I_DN",
    DN_PARTS("SSL_CLIENT_I_DN"),
    "SSL_CLIENT_SAN_Email_0",
    "SSL_CLIENT_SAN_DNS_0",
    "SSL_CLIENT_SAN_OTHER_msUPN_0",
    "SSL_CLIENT_V_START",
    "SSL_CLIENT_V_END",
    "SSL_CLIENT_V_REMAIN",
    "SSL_CLIENT_A_SIG",
    "SSL_CLIENT_A_KEY",
    "SSL_CLIENT_CERT",
    "SSL_CLIENT_CERT_RFC4523_CEA",
    "SSL_CLIENT_VERIFY",
    "SSL_SERVER_M_VERSION",
    "SSL_SERVER_M_SERIAL",
    "SSL_SERVER_S_DN",
    DN_PARTS("SSL_SERVER_S_DN"),
    "SSL_SERVER_I_DN",
    DN_PARTS("SSL_SERVER_I_DN"),
    "SSL_SERVER_V_START",
    "SSL_SERVER_V_END",
    "SSL_SERVER_A_SIG",
    "SSL_SERVER_A_KEY",
    "SSL_SRP_USER",
    "SSL_SRP_USERINFO",
};

int etcl_ssl_is_here(void)
{
    return ap_find_linked_module("mod_ssl.c") != NULL;
}

const char *etcl_ssl_next(request_rec *r, int *at, const char **value)
{
    const int count = sizeof names / sizeof names[0];
    const char *name;

    while (*at < count && ap_ssl_conn_is_ssl(r->connection)) {
        name = names[(*at)++];
        *value = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, name);
        if (*value && **value) {
            return name;
        }
    }
    return NULL;
}

/* Names that nearly every environ holds, with the one-byte id by which they
 * travel. An id never changes its meaning within one wire version; new names
 * go to the end (the order below is the id, from 1). */

#ifndef ETCL_KEYS_H
#define ETCL_KEYS_H

#include "etcl.h"

/* X(constant, name in environ) */
#define ETCL_KEYS(X)                                                           \
    X(REQUEST_METHOD, "REQUEST_METHOD")                                        \
    X(SCRIPT_NAME, "SCRIPT_NAME")                                              \
    X(PATH_INFO, "PATH_INFO")                                                  \
    X(QUERY_STRING, "QUERY_STRING")                                            \
    X(REQUEST_URI, "REQUEST_URI")                                              \
    X(REQUEST_SCHEME, "REQUEST_SCHEME")                                        \
    X(SERVER_PROTOCOL, "SERVER_PROTOCOL")                                      \
    X(SERVER_NAME, "SERVER_NAME")                                              \
    X(SERVER_PORT, "SERVER_PORT")                                              \
    X(SERVER_ADDR, "SERVER_ADDR")                                              \
    X(SERVER_ADMIN, "SERVER_ADMIN")                                            \
    X(SERVER_SOFTWARE, "SERVER_SOFTWARE")                                      \
    X(REMOTE_ADDR, "REMOTE_ADDR")                                              \
    X(REMOTE_PORT, "REMOTE_PORT")                                              \
    X(REMOTE_USER, "REMOTE_USER")                                              \
    X(AUTH_TYPE, "AUTH_TYPE")                                                  \
    X(CONTENT_TYPE, "CONTENT_TYPE")                                            \
    X(CONTENT_LENGTH, "CONTENT_LENGTH")                                        \
    X(DOCUMENT_ROOT, "DOCUMENT_ROOT")                                          \
    X(CONTEXT_DOCUMENT_ROOT, "CONTEXT_DOCUMENT_ROOT")                          \
    X(CONTEXT_PREFIX, "CONTEXT_PREFIX")                                        \
    X(SCRIPT_FILENAME, "SCRIPT_FILENAME")                                      \
    X(HTTP_HOST, "HTTP_HOST")                                                  \
    X(HTTP_USER_AGENT, "HTTP_USER_AGENT")                                      \
    X(HTTP_ACCEPT, "HTTP_ACCEPT")                                              \
    X(HTTP_ACCEPT_ENCODING, "HTTP_ACCEPT_ENCODING")                            \
    X(HTTP_ACCEPT_LANGUAGE, "HTTP_ACCEPT_LANGUAGE")                            \
    X(HTTP_ACCEPT_CHARSET, "HTTP_ACCEPT_CHARSET")                              \
    X(HTTP_AUTHORIZATION, "HTTP_AUTHORIZATION")                                \
    X(HTTP_CACHE_CONTROL, "HTTP_CACHE_CONTROL")                                \
    X(HTTP_CONNECTION, "HTTP_CONNECTION")                                      \
    X(HTTP_COOKIE, "HTTP_COOKIE")                                              \
    X(HTTP_DNT, "HTTP_DNT")                                                    \
    X(HTTP_EXPECT, "HTTP_EXPECT")                                              \
    X(HTTP_FORWARDED, "HTTP_FORWARDED")                                        \
    X(HTTP_IF_MATCH, "HTTP_IF_MATCH")                                          \
    X(HTTP_IF_MODIFIED_SINCE, "HTTP_IF_MODIFIED_SINCE")                        \
    X(HTTP_IF_NONE_MATCH, "HTTP_IF_NONE_MATCH")                                \
    X(HTTP_ORIGIN, "HTTP_ORIGIN")                                              \
    X(HTTP_PRAGMA, "HTTP_PRAGMA")                                              \
    X(HTTP_PRIORITY, "HTTP_PRIORITY")                                          \
    X(HTTP_RANGE, "HTTP_RANGE")                                                \
    X(HTTP_REFERER, "HTTP_REFERER")                                            \
    X(HTTP_SEC_FETCH_DEST, "HTTP_SEC_FETCH_DEST")                              \
    X(HTTP_SEC_FETCH_MODE, "HTTP_SEC_FETCH_MODE")                              \
    X(HTTP_SEC_FETCH_SITE, "HTTP_SEC_FETCH_SITE")                              \
    X(HTTP_SEC_FETCH_USER, "HTTP_SEC_FETCH_USER")                              \
    X(HTTP_TE, "HTTP_TE")                                                      \
    X(HTTP_UPGRADE_INSECURE_REQUESTS, "HTTP_UPGRADE_INSECURE_REQUESTS")        \
    X(HTTP_VIA, "HTTP_VIA")                                                    \
    X(HTTP_X_FORWARDED_FOR, "HTTP_X_FORWARDED_FOR")                            \
    X(HTTP_X_FORWARDED_HOST, "HTTP_X_FORWARDED_HOST")                          \
    X(HTTP_X_FORWARDED_PROTO, "HTTP_X_FORWARDED_PROTO")                        \
    X(HTTP_X_REAL_IP, "HTTP_X_REAL_IP")                                        \
    X(HTTP_X_REQUESTED_WITH, "HTTP_X_REQUESTED_WITH")                          \
    X(UNIQUE_ID, "UNIQUE_ID")                                                  \
    X(MW_REQUEST_HANDLER, "mod_wsgi.request_handler")                          \
    X(MW_HANDLER_SCRIPT, "mod_wsgi.handler_script")                            \
    X(MW_SCRIPT_NAME, "mod_wsgi.script_name")                                  \
    X(MW_PATH_INFO, "mod_wsgi.path_info")                                      \
    X(MW_MOUNT_POINT, "mod_wsgi.mount_point")                                  \
    X(MW_LISTENER_HOST, "mod_wsgi.listener_host")                              \
    X(MW_LISTENER_PORT, "mod_wsgi.listener_port")                              \
    X(MW_SERVER_PID, "mod_wsgi.server_pid")                                    \
    X(MW_REQUEST_ID, "mod_wsgi.request_id")                                    \
    X(MW_CONNECTION_ID, "mod_wsgi.connection_id")

#define ETCL_KEY_ENUM(constant, name) ETCL_KEY_##constant,
typedef enum {
    ETCL_KEY_NONE,
    ETCL_KEYS(ETCL_KEY_ENUM) ETCL_KEY_COUNT
} etcl_key_t;
#undef ETCL_KEY_ENUM

#endif

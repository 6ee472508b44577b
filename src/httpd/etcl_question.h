/* A question to a script beside the application: a password, a group, access,
 * dispatch (include/etcl_call.h). Asked in a daemon process group, or of the
 * Python in this process. */

#ifndef ETCL_QUESTION_H
#define ETCL_QUESTION_H

#include "etcl_call.h"
#include "etcl_config.h"

#define ETCL_QUESTION_VALUE_MAX (64 * 1024)

typedef struct {
    etcl_call_kind_t kind;
    const char *user; /* what the function is given; NULL: it is not */
    const char *password;
    const char *realm;
    const char *host;
    int status;           /* the verdict; 0 when there is none */
    char *value;          /* in r->pool; a NUL follows */
    apr_size_t value_len; /* without that NUL */
} etcl_question_t;

/**
 * Ask. Where the script runs: process-group=, else this process; but with
 * WSGIRestrictEmbedded the group that WSGIProcessGroup names.
 *
 * Returns  the status of the verdict, which is not 0; 500 also when it could
 *          not be had: that was logged
 * Context  a request thread; blocks
 */
int etcl_question_ask(request_rec *r, const etcl_aside_t *aside,
                      etcl_question_t *question);

/** The script of a setting that names one, or NULL. */
const etcl_aside_t *etcl_question_script(const etcl_setting_t *setting);

#endif

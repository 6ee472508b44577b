/* Asks the dispatch script and reads its three answers. Whether what it names
 * exists and is allowed is judged as for a directive. */

#include "etcl_dispatch.h"
#include "etcl_question.h"

/* The next field of the verdict; `*out` changes when a value was given. */
static int take_field(char **at, apr_size_t *left, const char **out)
{
    char *end = memchr(*at, '\0', *left);

    if (!end || end == *at ||
        (**at != ETCL_CALL_GIVEN && **at != ETCL_CALL_KEPT)) {
        return 0;
    }
    if (**at == ETCL_CALL_GIVEN) {
        *out = *at + 1;
    }
    *left -= (apr_size_t)(end + 1 - *at);
    *at = end + 1;
    return 1;
}

int etcl_dispatch_ask(request_rec *r, etcl_choice_t *choice)
{
    const etcl_aside_t *aside =
        etcl_question_script(&etcl_config_dir(r)->dispatch_script);
    etcl_question_t question = { .kind = ETCL_CALL_DISPATCH };
    apr_size_t left;
    char *at;

    if (!aside) {
        return OK;
    }
    if (etcl_question_ask(r, aside, &question) != HTTP_OK) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0182: the dispatch script %s did not say where "
                      "%s goes",
                      aside->script, r->uri);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    at = question.value;
    left = question.value_len;
    if (!take_field(&at, &left, &choice->process_group) ||
        !take_field(&at, &left, &choice->application_group) ||
        !take_field(&at, &left, &choice->callable)) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

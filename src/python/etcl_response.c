/* The head of an answer, and bytes behind it, on their way to the exchange.
 * Which bytes, and when, is the business of etcl_body.c and of write(). */

#include "etcl_response.h"

#include "etcl_outside.h"
#include "etcl_threads.h"

#include <inttypes.h>
#include <stdio.h>

/* RFC 9110 sections 15.2, 15.3.5, 15.4.5. */
static int forbids_body(int status)
{
    return status == 204 || status == 304 || (status && status < 200);
}

int etcl_response_is_bodiless(const etcl_turn_t *turn)
{
    return turn->is_head || forbids_body(turn->response.status);
}

int etcl_response_is_full(const etcl_turn_t *turn)
{
    const etcl_response_t *response = &turn->response;

    return response->begun &&
           (etcl_response_is_bodiless(turn) ||
            (response->promised >= 0 && response->sent >= response->promised));
}

int etcl_response_is_last(const etcl_turn_t *turn, apr_int64_t len)
{
    const etcl_response_t *response = &turn->response;

    return response->promised >= 0 &&
           len >= response->promised - response->sent;
}

static PyObject *exception_for(const etcl_interp_t *in, apr_status_t rv)
{
    if (rv == ETCL_EGONE || rv == ETCL_ESHORT) {
        return in->tools.ClientDisconnected;
    }
    if (rv == ETCL_ESTALL || APR_STATUS_IS_TIMEUP(rv)) {
        return in->tools.ClientTimeout;
    }
    if (rv == ETCL_ELIMIT) {
        return in->tools.BodyTooLarge;
    }
    return PyExc_OSError;
}

static const char *words_for(apr_status_t rv)
{
    if (rv == ETCL_EGONE || rv == ETCL_ESHORT) {
        return "the client closed the connection";
    }
    if (rv == ETCL_ESTALL) {
        return "the client sent no data for too long,";
    }
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return "the client took no data for too long,";
    }
    if (rv == ETCL_ELIMIT) {
        return "the request body is above LimitRequestBody; read stopped";
    }
    return "the connection to the client failed";
}

/* "N of M bytes" of what was on its way: the answer, once it began. */
static void count_bytes(const etcl_turn_t *turn, char *out, size_t size)
{
    int answering = turn->response.begun;
    apr_int64_t done = answering ? turn->response.sent : turn->taken;
    apr_int64_t all =
        answering ? turn->response.promised : turn->call->body_len;
    const char *of = answering ? "response" : "request body";

    if (all >= 0) {
        snprintf(out, size, "%" PRId64 " of %" PRId64 " bytes of the %s",
                 (int64_t)done, (int64_t)all, of);
    } else {
        snprintf(out, size, "%" PRId64 " bytes of the %s", (int64_t)done, of);
    }
}

int etcl_response_raise(etcl_turn_t *turn, apr_status_t rv)
{
    char bytes[100];

    if (rv == ETCL_EDENIED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "used after its request was finished");
    } else if (rv == ETCL_EINVAL) {
        PyErr_SetString(PyExc_ValueError,
                        "the server did not accept status and headers");
    } else {
        count_bytes(turn, bytes, sizeof(bytes));
        PyErr_Format(exception_for(turn->seat->interp, rv), "%s after %s",
                     words_for(rv), bytes);
    }
    return -1;
}

/* An answer to HEAD says the length that GET would have, or nothing: an empty
 * list there is no statement (RFC 9110 section 8.6). */
static void state_length(etcl_turn_t *turn, apr_int64_t whole)
{
    etcl_response_t *response = &turn->response;
    int len;

    if (whole < 0 || forbids_body(response->status) ||
        (turn->is_head && !whole)) {
        return;
    }
    len = snprintf(response->length, sizeof(response->length), "%" PRId64,
                   (int64_t)whole);
    response->headers[response->count] =
        (etcl_header_t){ ETCL_SPAN("Content-Length"),
                         { response->length, (apr_size_t)len } };
    response->promised = whole;
}

int etcl_response_begin(etcl_turn_t *turn, apr_int64_t whole)
{
    etcl_response_t *response = &turn->response;
    apr_size_t count = response->count;
    etcl_head_t head;
    apr_status_t rv;

    if (response->begun) {
        return 0;
    }
    if (!response->status) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the application gave its body without calling "
                        "start_response()");
        return -1;
    }
    if (response->promised < 0) {
        state_length(turn, whole);
        count += response->promised >= 0;
    }
    head = (etcl_head_t){ .status = response->status,
                          .reason = response->reason,
                          .headers = response->headers,
                          .header_count = count,
                          .content_length = response->promised };
    rv = etcl_outside_begin(turn, &head);
    if (rv) {
        return etcl_response_raise(turn, rv);
    }
    response->begun = 1;
    return 0;
}

int etcl_response_send(etcl_turn_t *turn, etcl_span_t block, unsigned int how)
{
    etcl_response_t *response = &turn->response;
    apr_status_t rv;

    if (etcl_response_begin(turn, -1)) {
        return -1;
    }
    if (etcl_response_is_bodiless(turn)) {
        return 0;
    }
    if (response->promised >= 0 &&
        (apr_int64_t)block.len > response->promised - response->sent) {
        block.len = (apr_size_t)(response->promised - response->sent);
        response->cut = 1;
    }
    if (!block.len) {
        return 0;
    }
    response->opened = 1;
    rv = etcl_outside_write(turn, block, how);
    if (rv) {
        return etcl_response_raise(turn, rv);
    }
    response->sent += (apr_int64_t)block.len;
    return 0;
}

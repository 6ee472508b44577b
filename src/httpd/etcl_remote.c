/* Finds a worker for a request: lease, link, conversation, and another worker
 * where nothing is lost by that (src/README.rst, "Retiring loses nothing").
 * What is said on a link is etcl_talk.c's. */

#include "etcl_remote.h"
#include "etcl_ahead.h"
#include "etcl_board_notes.h"
#include "etcl_capture.h"
#include "etcl_client.h"
#include "etcl_clock.h"
#include "etcl_fresh.h"
#include "etcl_succession.h"
#include "etcl_talk.h"

#define BURST_US (10 * (apr_int64_t)APR_USEC_PER_SEC)
#define RETRY_AFTER "5"
#define CLIENT_LEFT 499 /* in the access log only */
#define UNBEGUN_MAX 16
#define LOOK_AGAIN_US 10000

/* A request on its way to a worker. */
typedef struct {
    request_rec *r;
    etcl_live_t *own;  /* of the group */
    etcl_live_t *live; /* the same, or the old generation's */
    etcl_talk_t talk;
    etcl_lease_t lease;
    etcl_wish_t wish;
    etcl_client_t client;
    int is_watched; /* the client: whether it is still there */
    etcl_fresh_t fresh;
    int unbegun; /* workers that did not begin it */
    int lost;    /* workers that went in the middle */
} errand_t;

static int is_safe(const request_rec *r)
{
    return r->method_number == M_GET || r->method_number == M_OPTIONS ||
           r->method_number == M_TRACE;
}

/* One line for a burst, however many requests and children it meets. */
static int begins_burst(etcl_burst_t *burst)
{
    const apr_int64_t now = etcl_clock_us();
    apr_int64_t before =
        __atomic_exchange_n(&burst->refused_us, now, __ATOMIC_RELAXED);

    return !before || now - before > BURST_US;
}

static const char *name_slowest(const request_rec *r,
                                const etcl_board_state_t *state)
{
    if (!*state->slowest) {
        return "";
    }
    return apr_psprintf(
        r->pool, "; the slowest is %s, for %d s", state->slowest,
        (int)((etcl_clock_us() - state->slowest_us) / APR_USEC_PER_SEC));
}

static int refuse(errand_t *e, int status, const char *why)
{
    etcl_board_state_t state;

    if (status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(e->r->err_headers_out, "Retry-After", RETRY_AFTER);
    }
    if (!begins_burst(e->live->burst)) {
        return status;
    }
    etcl_board_read(e->live->board, e->live->roster, &state);
    ap_log_rerror(
        APLOG_MARK, APLOG_ERR, 0, e->r,
        "ETCL0150: group %s %s: %d of %d threads busy, %d requests "
        "waiting, the oldest for %d ms%s; %s %s was answered %d, and "
        "more may follow without a line of their own",
        e->live->name, why, state.busy, state.capacity, state.waiting,
        state.waiting ? (int)((etcl_clock_us() - state.oldest_us) / 1000) : 0,
        name_slowest(e->r, &state), e->r->method, e->r->uri, status);
    return status;
}

/* How the last worker of each slot ended, for the log; all of them because
 * the application does not load is the application's error. */
static int no_worker(errand_t *e)
{
    static const char *const ends[] = { "", "exit status", "signal",
                                        "does not load" };
    const char *text = "";
    etcl_roster_slot_t slot;
    int i, others = 0, loads = 0;

    for (i = 0; i < e->live->slots; ++i) {
        if (etcl_roster_read(e->live->roster, i, &slot) ||
            slot.last == ETCL_LAST_NONE) {
            continue;
        }
        loads += slot.last == ETCL_LAST_LOAD;
        others += slot.last != ETCL_LAST_LOAD;
        text = apr_psprintf(e->r->pool, "%s; worker %d: %s %u", text, i,
                            ends[slot.last], slot.last_detail);
    }
    if (begins_burst(e->live->burst)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, e->r,
                      "ETCL0151: no worker of group %s is ready or "
                      "starting%s; the group's log says why",
                      e->live->name, text);
    }
    if (loads && !others) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_table_setn(e->r->err_headers_out, "Retry-After", RETRY_AFTER);
    return HTTP_SERVICE_UNAVAILABLE;
}

static int has_left(errand_t *e)
{
    return e->is_watched && etcl_client_has_left(&e->client);
}

/* Or the old generation, in whose queue this one waits, serves no more. */
static int stops_waiting(void *data)
{
    errand_t *e = data;
    const int is_old = e->live != e->own;

    if (is_old &&
        etcl_succession_choose(e->own, e->live, &e->wish) != e->live) {
        return 1;
    }
    return has_left(e);
}

/* Workers to ask, with the code that is wanted. */
static apr_status_t await_code(errand_t *e)
{
    for (;;) {
        e->live = etcl_succession_choose(e->own, e->live, &e->wish);
        if (e->live->seat < 0) {
            return ETCL_EDENIED;
        }
        if (etcl_fresh_is_served(e->r, e->live, &e->fresh)) {
            return APR_SUCCESS;
        }
        if (has_left(e)) {
            return ETCL_EGONE;
        }
        apr_sleep(LOOK_AGAIN_US);
    }
}

/* After a wait comes a last look at the client, before a worker is asked. */
static apr_status_t lease_if_wanted(errand_t *e)
{
    apr_status_t rv;

    do {
        rv = await_code(e);
        if (rv) {
            return rv;
        }
        rv = etcl_board_lease(e->live->board, e->live->roster, e->live->seat,
                              &e->wish, &e->lease);
    } while (rv == ETCL_EGONE && !has_left(e));
    if (!rv && e->lease.waited_us && has_left(e)) {
        etcl_board_give_back(e->live->board, e->live->roster, &e->lease);
        return ETCL_EGONE;
    }
    return rv;
}

/* Nobody reads an answer. */
static int client_left(errand_t *e)
{
    request_rec *r = e->r;

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "ETCL0157: the client left while %s %s waited for a worker "
                  "of group %s; none was asked",
                  r->method, r->uri, e->live->name);
    r->connection->aborted = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
    r->status = CLIENT_LEFT;
    r->status_line = "499 Client Closed Request";
    return DONE;
}

static int lease(errand_t *e)
{
    switch (lease_if_wanted(e)) {
    case ETCL_EGONE:
        return client_left(e);
    case ETCL_EDENIED:
        return refuse(e, HTTP_SERVICE_UNAVAILABLE, "has no seat");
    case APR_SUCCESS:
        return OK;
    case ETCL_EFULL:
        return refuse(e, HTTP_SERVICE_UNAVAILABLE, "has a full queue");
    case APR_TIMEUP:
        return refuse(e, HTTP_GATEWAY_TIME_OUT,
                      "let a request wait for all of queue-timeout");
    default:
        return no_worker(e);
    }
}

static apr_uint32_t pid_of(const etcl_live_t *live, int number)
{
    etcl_roster_slot_t slot;

    return etcl_roster_read(live->roster, number, &slot) ? 0 : slot.pid;
}

static etcl_talk_end_t cannot_connect(errand_t *e, apr_status_t rv)
{
    if (rv == ETCL_EREFUSED || rv == APR_ENOMEM) {
        return ETCL_TALK_UNBEGUN;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, e->r,
                  "ETCL0152: no connection to worker %u of group %s at %s",
                  e->talk.pid, e->live->name, e->live->paths[e->lease.slot]);
    return ETCL_TALK_UNBEGUN;
}

static void let_go(errand_t *e)
{
    etcl_kept_t *kept = e->talk.kept;

    e->talk.kept = NULL;
    if (!kept) {
        return;
    }
    if (e->talk.is_clean) {
        etcl_links_give_back(e->live, kept);
    } else {
        etcl_links_drop(kept);
    }
}

static etcl_talk_end_t ask_worker(errand_t *e)
{
    etcl_talk_t *talk = &e->talk;
    etcl_talk_end_t end;
    apr_status_t rv;

    talk->live = e->live;
    talk->pid = pid_of(e->live, e->lease.slot);
    talk->kept = NULL;
    talk->is_clean = talk->has_ended = 0;
    etcl_board_notes_write(e->live->board, &e->lease, etcl_span(e->r->method),
                           etcl_span(e->r->uri));
    rv = etcl_links_borrow(e->live, &e->lease, talk->desk->in, &talk->kept);
    end = rv ? cannot_connect(e, rv) : etcl_talk_run(talk);
    if (!etcl_talk_needs_link(talk)) {
        let_go(e);
    }
    etcl_board_give_back(e->live->board, e->live->roster, &e->lease);
    etcl_talk_finish(talk);
    let_go(e);
    return end;
}

static int worker_lost(errand_t *e)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, e->r,
                  "ETCL0153: worker %u of group %s ended before it answered "
                  "%s %s; the group's log says how",
                  e->talk.pid, e->live->name, e->r->method, e->r->uri);
    return HTTP_BAD_GATEWAY;
}

/* Whether to ask another worker; if not, talk.status is the answer. */
static int goes_on(errand_t *e, etcl_talk_end_t end)
{
    e->wish.avoid_slot = e->lease.slot;
    e->wish.avoid_incarnation = e->lease.incarnation;
    switch (end) {
    case ETCL_TALK_UNBEGUN:
        e->talk.body_sent = !e->talk.body->len;
        if (++e->unbegun <= UNBEGUN_MAX) {
            return 1;
        }
        e->talk.status = refuse(e, HTTP_SERVICE_UNAVAILABLE,
                                "has no worker that takes calls");
        return 0;
    case ETCL_TALK_LOST:
        if ((e->talk.emit->question || is_safe(e->r)) && !e->talk.pulled &&
            !e->lost++) {
            ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, e->r,
                          "ETCL0154: worker %u of group %s ended before it "
                          "answered %s %s; another one is asked",
                          e->talk.pid, e->live->name, e->r->method, e->r->uri);
            return 1;
        }
        e->talk.status = worker_lost(e);
        return 0;
    default:
        return 0;
    }
}

/* response-socket-timeout, for as long as the response takes. */
static apr_interval_time_t limit_client(request_rec *r, apr_int64_t us)
{
    apr_socket_t *client = ap_get_conn_socket(r->connection);
    apr_interval_time_t before = -1;

    if (us > 0 && client && !r->connection->master) {
        apr_socket_timeout_get(client, &before);
        apr_socket_timeout_set(client, us);
    }
    return before;
}

static int run_errand(errand_t *e)
{
    etcl_talk_end_t end;
    int status;

    do {
        status = lease(e);
        if (status != OK) {
            return status;
        }
        end = ask_worker(e);
    } while (goes_on(e, end));
    return e->talk.status;
}

static int cannot_capture(request_rec *r, apr_status_t rv)
{
    if (rv == ETCL_ELIMIT) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "ETCL0155: the headers and variables of a request are "
                      "more than a call may hold");
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* The client's own doing: not the application's, not the group's. */
static int body_broke_off(const errand_t *e, apr_status_t rv)
{
    const etcl_body_t *body = e->talk.body;

    if (!body->status) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, e->r,
                  "ETCL0156: the body of %s %s %s after %" APR_INT64_T_FMT
                  " bytes; no worker of group %s was asked",
                  e->r->method, e->r->uri,
                  rv == ETCL_ELIMIT   ? "was found above LimitRequestBody"
                  : rv == ETCL_ESTALL ? "did not come in time"
                                      : "broke off",
                  body->taken, e->live->name);
    return body->status;
}

/* The call, and a small body, before a worker is asked. */
static int prepare(errand_t *e, const etcl_route_t *route)
{
    const int is_waited = e->live->is_buffered;
    etcl_talk_t *talk = &e->talk;
    etcl_buffer_t *call = &talk->desk->call;
    apr_status_t rv = etcl_capture_call(e->r, route, talk->body->len, call);

    if (rv) {
        return cannot_capture(e->r, rv);
    }
    talk->inline_at = call->len;
    talk->body_sent = !talk->body->len;
    rv = etcl_ahead_read(talk->body, is_waited, call, &talk->has_inline);
    if (rv) {
        return body_broke_off(e, rv);
    }
    if (is_waited && talk->has_inline) {
        etcl_call_stamp(call, 0, apr_time_now());
    }
    return OK;
}

/* What is asked of the queue. Clients of questions are not watched: their
 * verdict is one of several. */
static void begin_wish(errand_t *e, const etcl_route_t *route)
{
    const apr_int64_t queue_us = e->live->queue_us;

    e->client =
        (etcl_client_t){ .r = e->r,
                         .since_us = etcl_clock_us(),
                         .is_read = e->talk.has_inline || e->talk.body_sent };
    e->is_watched = !route->question;
    e->wish = (etcl_wish_t){ .avoid_slot = -1,
                             .has_left = stops_waiting,
                             .client = e };
    if (queue_us) {
        e->wish.deadline_us = etcl_clock_us() + queue_us;
    }
    e->fresh = etcl_fresh_wish(route);
}

static int send_errand(errand_t *e, const etcl_route_t *route)
{
    apr_interval_time_t before;
    int status = prepare(e, route);

    if (status == OK) {
        begin_wish(e, route);
        before = limit_client(e->r, e->live->response_us);
        status = run_errand(e);
        limit_client(e->r, before);
    }
    return e->talk.body->status && status != OK ? e->talk.body->status : status;
}

int etcl_remote_answer(request_rec *r, const etcl_route_t *route,
                       etcl_body_t *body)
{
    errand_t e = { .r = r,
                   .own = route->member->live,
                   .live = route->member->live };
    etcl_desk_t *desk = etcl_desk_borrow();
    etcl_emit_t emit;
    int status;

    if (!desk) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    etcl_emit_init(&emit, r, route->question);
    e.talk = (etcl_talk_t){ .r = r, .desk = desk, .body = body, .emit = &emit };
    status = send_errand(&e, route);
    if (route->question) {
        etcl_desk_wipe(desk);
    }
    etcl_desk_give_back(desk);
    return etcl_emit_settle(&emit, status);
}

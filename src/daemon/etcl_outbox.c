/* Sends packets. A packet, and what is known of it afterwards, are one step
 * for whoever takes over. What is put into a packet is said in other rooms. */

#include "etcl_outbox.h"
#include "etcl_clock.h"
#include "etcl_linger.h"
#include "etcl_message.h"

#include <stdlib.h>
#include <sys/socket.h>

apr_status_t etcl_outbox_create(etcl_outbox_t *box)
{
    *box = (etcl_outbox_t){ .head_at = -1 };
    pthread_mutex_init(&box->sending, NULL);
    box->out.ptr = malloc(ETCL_PACKET_MAX);
    return box->out.ptr ? APR_SUCCESS : APR_ENOMEM;
}

void etcl_outbox_begin(etcl_outbox_t *box, etcl_link_t *link,
                       apr_uint32_t serial)
{
    box->link = link;
    box->broken = APR_SUCCESS;
    box->out.len = 0;
    box->out.serial = serial;
    box->head_at = -1;
    box->left = 0;
}

static etcl_span_t held(const etcl_outbox_t *box)
{
    return (etcl_span_t){ box->out.ptr, box->out.len };
}

static void forget_held(etcl_outbox_t *box)
{
    box->left |= box->head_at >= 0;
    box->head_at = -1;
    box->out.len = 0;
}

static apr_status_t send_held(etcl_outbox_t *box, int fd, int nowait)
{
    apr_status_t rv;

    pthread_mutex_lock(&box->sending);
    rv = etcl_link_send(box->link, held(box), fd, nowait);
    if (rv == APR_SUCCESS) {
        forget_held(box);
    }
    pthread_mutex_unlock(&box->sending);
    return rv;
}

apr_status_t etcl_outbox_send(etcl_outbox_t *box, int fd)
{
    apr_status_t rv;

    if (box->broken != APR_SUCCESS) {
        return box->broken;
    }
    if (!box->out.len) {
        return APR_SUCCESS;
    }
    rv = send_held(box, fd, 0);
    if (rv == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    box->broken = APR_STATUS_IS_TIMEUP(rv) ? APR_TIMEUP : ETCL_EGONE;
    return box->broken;
}

apr_status_t etcl_outbox_try(etcl_outbox_t *box)
{
    apr_status_t rv = send_held(box, -1, 1);

    if (rv != APR_SUCCESS && !APR_STATUS_IS_EAGAIN(rv)) {
        box->broken = rv = ETCL_EGONE;
    }
    return rv;
}

apr_status_t etcl_outbox_pass(etcl_outbox_t *box, etcl_span_t packet)
{
    apr_status_t rv;

    pthread_mutex_lock(&box->sending);
    rv = etcl_link_send(box->link, packet, -1, 1);
    pthread_mutex_unlock(&box->sending);
    return rv;
}

apr_status_t etcl_outbox_room(etcl_outbox_t *box, apr_size_t len)
{
    return etcl_packet_room(&box->out) < len ? etcl_outbox_send(box, -1)
                                             : APR_SUCCESS;
}

void etcl_outbox_commit(etcl_outbox_t *box)
{
    pthread_mutex_lock(&box->sending);
    box->left = 1;
    pthread_mutex_unlock(&box->sending);
}

void etcl_outbox_linger(etcl_outbox_t *box)
{
    atomic_store(&box->lingers_us, etcl_clock_us());
    etcl_linger_begin();
}

void etcl_outbox_stay(etcl_outbox_t *box)
{
    if (atomic_load(&box->lingers_us)) {
        pthread_mutex_lock(&box->sending);
        atomic_store(&box->lingers_us, 0);
        pthread_mutex_unlock(&box->sending);
    }
}

/* An error is found again, and told, by the thread of the call. */
int etcl_outbox_hurry(etcl_outbox_t *box, apr_int64_t before_us)
{
    apr_int64_t since_us = atomic_load(&box->lingers_us);

    if (!since_us || pthread_mutex_trylock(&box->sending)) {
        return !since_us;
    }
    since_us = atomic_load(&box->lingers_us);
    if (since_us && since_us <= before_us &&
        etcl_link_send(box->link, held(box), -1, 1) == APR_SUCCESS) {
        forget_held(box);
        atomic_store(&box->lingers_us, 0);
        since_us = 0;
    }
    pthread_mutex_unlock(&box->sending);
    return !since_us;
}

/* The packet is small, and the thread that should have sent one has not: there
 * is room for it. */
static void send_abort(const etcl_outbox_t *box, int status)
{
    const etcl_answer_t answer = { .end = ETCL_ANSWER_FAILED,
                                   .status = status,
                                   .promised = -1 };
    char bytes[ETCL_FRAME_HEAD + ETCL_OUTBOX_FIXED];
    etcl_packet_t packet = { .ptr = bytes, .serial = box->out.serial };

    if (etcl_end_encode(&answer, &packet) == APR_SUCCESS) {
        etcl_link_send(box->link, (etcl_span_t){ bytes, packet.len }, -1, 1);
    }
}

/* With the lock taken by its thread, a packet is on its way, and stuck: what
 * has left of the answer is all that leaves. */
void etcl_outbox_take_over(etcl_outbox_t *box, int status)
{
    if (!pthread_mutex_trylock(&box->sending)) {
        if (status && !box->left) {
            send_abort(box, status);
        }
        shutdown(box->link->fd, SHUT_RDWR);
        pthread_mutex_unlock(&box->sending);
    } else {
        shutdown(box->link->fd, SHUT_RDWR);
    }
}

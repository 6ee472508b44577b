/* Keeps idle links by slot, and greets workers on new ones. A link of a worker
 * that has been replaced is closed when it is met. */

#include "etcl_links.h"
#include "etcl_clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_AGAIN_US 200000

struct etcl_links_t {
    pthread_mutex_t mutex;
    int slots;
    etcl_kept_t *idle[];
};

etcl_links_t *etcl_links_create(int slots)
{
    etcl_links_t *links =
        calloc(1, sizeof *links + (size_t)slots * sizeof(etcl_kept_t *));

    if (links) {
        links->slots = slots;
        pthread_mutex_init(&links->mutex, NULL);
    }
    return links;
}

void etcl_links_drop(etcl_kept_t *kept)
{
    etcl_link_close(&kept->link);
    etcl_view_close(&kept->view);
    free(kept);
}

/* Takes those of other incarnations out of a list, which is returned. */
static etcl_kept_t *take_stale(etcl_kept_t **list, apr_uint32_t incarnation)
{
    etcl_kept_t *stale = NULL, *each;

    while (*list) {
        each = *list;
        if (each->incarnation == incarnation) {
            list = &each->next;
            continue;
        }
        *list = each->next;
        each->next = stale;
        stale = each;
    }
    return stale;
}

static void drop_all(etcl_kept_t *list)
{
    etcl_kept_t *next;

    for (; list; list = next) {
        next = list->next;
        etcl_links_drop(list);
    }
}

void etcl_links_clear(etcl_links_t *links)
{
    etcl_kept_t *list;
    int slot;

    for (slot = 0; slot < links->slots; ++slot) {
        pthread_mutex_lock(&links->mutex);
        list = links->idle[slot];
        links->idle[slot] = NULL;
        pthread_mutex_unlock(&links->mutex);
        drop_all(list);
    }
}

static etcl_kept_t *take_idle(etcl_links_t *links, const etcl_lease_t *lease)
{
    etcl_kept_t *kept, *stale;

    pthread_mutex_lock(&links->mutex);
    stale = take_stale(&links->idle[lease->slot], lease->incarnation);
    kept = links->idle[lease->slot];
    if (kept) {
        links->idle[lease->slot] = kept->next;
    }
    pthread_mutex_unlock(&links->mutex);
    drop_all(stale);
    return kept;
}

static apr_status_t send_hello(const etcl_live_t *live, etcl_kept_t *kept,
                               char *buffer)
{
    etcl_hello_t hello = { .version = ETCL_WIRE_VERSION,
                           .slot = (apr_uint32_t)kept->slot,
                           .incarnation = kept->incarnation };
    etcl_packet_t packet = { .ptr = buffer };
    apr_status_t rv;

    memcpy(hello.secret, live->secret, sizeof hello.secret);
    rv = etcl_hello_encode(&hello, &packet);
    if (rv) {
        return rv;
    }
    return etcl_link_send(&kept->link, (etcl_span_t){ packet.ptr, packet.len },
                          -1, 0);
}

static apr_status_t read_welcome(const etcl_kept_t *kept, etcl_span_t packet)
{
    etcl_frame_t frame;
    etcl_hello_t welcome;
    apr_status_t rv = etcl_frame_next(&packet, &frame);

    if (rv || frame.type != ETCL_FRAME_WELCOME) {
        return ETCL_EPROTO;
    }
    rv = etcl_welcome_decode(frame.payload, &welcome);
    if (rv || welcome.slot != (apr_uint32_t)kept->slot) {
        return ETCL_EPROTO;
    }
    return welcome.incarnation == kept->incarnation ? APR_SUCCESS
                                                    : ETCL_EREFUSED;
}

/* Whether the worker that was leased is still there. The parent keeps every
 * listening socket, so a connection to a slot whose worker has died succeeds,
 * and nobody answers. */
static int is_there(const etcl_live_t *live, const etcl_kept_t *kept)
{
    etcl_roster_slot_t slot;

    return !etcl_roster_read(live->roster, kept->slot, &slot) &&
           slot.incarnation == kept->incarnation &&
           slot.state == ETCL_SLOT_READY;
}

static apr_status_t await_welcome(const etcl_live_t *live, etcl_kept_t *kept,
                                  char *buffer, apr_size_t *got)
{
    apr_int64_t deadline_us = etcl_clock_us() + live->connect_us;
    apr_status_t rv = etcl_link_timeout(&kept->link, LOOK_AGAIN_US);
    int fd = -1;

    while (!rv) {
        rv = etcl_link_recv(&kept->link, buffer, got, &fd, 0);
        if (!APR_STATUS_IS_TIMEUP(rv)) {
            break;
        }
        if (!is_there(live, kept)) {
            return ETCL_EREFUSED;
        }
        rv = etcl_clock_us() < deadline_us ? APR_SUCCESS : APR_TIMEUP;
    }
    if (fd >= 0) {
        close(fd);
        return ETCL_EPROTO;
    }
    return rv;
}

/* A worker that closes instead of answering is retiring, or has died: the
 * call has not begun. */
static apr_status_t greet(const etcl_live_t *live, etcl_kept_t *kept,
                          char *buffer)
{
    apr_size_t got = 0;
    apr_status_t rv = send_hello(live, kept, buffer);

    if (!rv) {
        rv = await_welcome(live, kept, buffer, &got);
    }
    if (rv == ETCL_EPROTO || APR_STATUS_IS_TIMEUP(rv)) {
        return rv;
    }
    return rv ? ETCL_EREFUSED
              : read_welcome(kept, (etcl_span_t){ buffer, got });
}

static apr_status_t connect_to(etcl_live_t *live, const etcl_lease_t *lease,
                               char *buffer, etcl_kept_t **out)
{
    etcl_kept_t *kept = calloc(1, sizeof *kept);
    apr_status_t rv;

    if (!kept) {
        return APR_ENOMEM;
    }
    kept->link.fd = kept->view.fd = -1;
    kept->slot = lease->slot;
    kept->incarnation = lease->incarnation;
    rv = etcl_link_connect(&kept->link, live->paths[lease->slot],
                           live->listener_uid, live->connect_us);
    if (!rv) {
        rv = greet(live, kept, buffer);
    }
    if (!rv) {
        rv = etcl_link_timeout(&kept->link, live->timeout_us);
    }
    if (rv) {
        etcl_links_drop(kept);
        return rv;
    }
    *out = kept;
    return APR_SUCCESS;
}

apr_status_t etcl_links_borrow(etcl_live_t *live, const etcl_lease_t *lease,
                               char *buffer, etcl_kept_t **out)
{
    if (lease->slot < 0 || lease->slot >= live->slots) {
        return ETCL_EPROTO;
    }
    *out = take_idle(live->links, lease);
    return *out ? APR_SUCCESS : connect_to(live, lease, buffer, out);
}

void etcl_links_give_back(etcl_live_t *live, etcl_kept_t *kept)
{
    etcl_links_t *links = live->links;

    pthread_mutex_lock(&links->mutex);
    kept->next = links->idle[kept->slot];
    links->idle[kept->slot] = kept;
    pthread_mutex_unlock(&links->mutex);
}

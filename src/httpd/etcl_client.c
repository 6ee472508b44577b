/* Asks the kernel about the client's socket. What is done about it is for
 * whoever asks. */

#include "etcl_client.h"
#include "etcl_board.h"
#include "etcl_clock.h"

#include <http_ssl.h>
#include <poll.h>

/* An end that comes this soon came with the request. Longer than what the
 * board lets pass before it looks a second time. */
#define WITH_REQUEST_US (2 * ETCL_BOARD_LOOK_US)

/* Streams of HTTP/2 share a connection, which others read: what is known of
 * them stands in their own record. */
static int is_aborted(const conn_rec *c)
{
    return c->aborted || (c->master && c->master->aborted);
}

static int look_at(const conn_rec *c)
{
    struct pollfd entry = { .events = POLLRDHUP };
    apr_socket_t *socket;

    if (c->master) {
        return 0;
    }
    socket = ap_get_conn_socket((conn_rec *)c);
    if (!socket || apr_os_sock_get(&entry.fd, socket) ||
        poll(&entry, 1, 0) != 1) {
        return 0;
    }
    return entry.revents;
}

static int is_reset(int seen)
{
    return (seen & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

int etcl_client_has_closed(const request_rec *r)
{
    return is_aborted(r->connection) || look_at(r->connection);
}

int etcl_client_has_left(void *client)
{
    etcl_client_t *self = client;
    conn_rec *c = self->r->connection;
    const int seen = look_at(c);

    if (is_aborted(c) || is_reset(seen)) {
        return 1;
    }
    if (!(seen & POLLRDHUP)) {
        return 0;
    }
    if (ap_ssl_conn_is_ssl(c)) {
        return 1;
    }
    if (etcl_clock_us() - self->since_us < WITH_REQUEST_US) {
        self->is_half = 1;
    }
    return self->is_read && !self->is_half;
}

/* Says who may speak to a worker. Groups often share one uid, so that this is
 * told by the group's secret. */

#include "etcl_greet.h"
#include "etcl_journal.h"
#include "etcl_message.h"

/* Time does not tell how much of a wrong secret was right. */
static int is_secret(const unsigned char *a, const unsigned char *b)
{
    unsigned int differs = 0;
    int i;

    for (i = 0; i < ETCL_SECRET_LEN; i++) {
        differs |= (unsigned int)(a[i] ^ b[i]);
    }
    return !differs;
}

static apr_status_t check_hello(const etcl_service_t *service,
                                const etcl_hello_t *hello)
{
    const etcl_worker_t *worker = service->worker;

    if (hello->version != ETCL_WIRE_VERSION) {
        return ETCL_EPROTO;
    }
    if (!is_secret(hello->secret, worker->group->secret)) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0249: a process that does not know the secret "
                         "of group %s connected to its worker %d; it was "
                         "refused",
                         worker->group->name, worker->slot);
        return ETCL_EDENIED;
    }
    if (hello->slot != (apr_uint32_t)worker->slot ||
        (hello->incarnation && hello->incarnation != service->incarnation)) {
        return ETCL_EREFUSED;
    }
    return APR_SUCCESS;
}

apr_status_t etcl_greet_answer(const etcl_service_t *service,
                               etcl_span_t packet, etcl_packet_t *out)
{
    etcl_frame_t frame;
    etcl_hello_t hello;
    apr_status_t rv = etcl_frame_next(&packet, &frame);

    if (rv != APR_SUCCESS || frame.type != ETCL_FRAME_HELLO || packet.len) {
        return ETCL_EPROTO;
    }
    rv = etcl_hello_decode(frame.payload, &hello);
    if (rv == APR_SUCCESS) {
        rv = check_hello(service, &hello);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    hello.incarnation = service->incarnation;
    out->len = 0;
    out->serial = 0;
    return etcl_welcome_encode(&hello, out);
}

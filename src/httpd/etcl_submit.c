/* A call into packets, with the body that rides along. What the worker asks for
 * later is etcl_feed.c's. */

#include "etcl_submit.h"

static void open_packet(etcl_talk_t *talk, etcl_packet_t *packet)
{
    *packet = (etcl_packet_t){ .ptr = talk->desk->out,
                               .serial = talk->kept->link.serial };
}

static apr_status_t send_packet(etcl_talk_t *talk, const etcl_packet_t *packet)
{
    return etcl_link_send(&talk->kept->link,
                          (etcl_span_t){ packet->ptr, packet->len }, -1, 0);
}

/* A piece of CALL or of the body that rides along, in as many packets as it
 * takes. The last packet is left to be sent by the caller. Where a call ends,
 * there is room for the body to begin: a worker must see that it comes. */
static apr_status_t add_pieces(etcl_talk_t *talk, etcl_packet_t *packet,
                               etcl_frame_type_t type, etcl_span_t bytes)
{
    const unsigned int more = type == ETCL_FRAME_CALL ? ETCL_FRAME_MORE : 0;
    const unsigned int last = type == ETCL_FRAME_BODY ? ETCL_FRAME_LAST : 0;
    const apr_size_t spare = more ? ETCL_FRAME_HEAD + 1 : 0;
    apr_status_t rv = APR_SUCCESS;
    etcl_span_t piece;

    while (!rv) {
        apr_size_t room = etcl_packet_room(packet);

        if (bytes.len + spare <= room) {
            return etcl_packet_add(packet, type, last, bytes);
        }
        room = bytes.len < room ? bytes.len : room;
        piece = (etcl_span_t){ bytes.ptr, room };
        bytes = (etcl_span_t){ bytes.ptr + room, bytes.len - room };
        if (room) {
            rv = etcl_packet_add(packet, type, more, piece);
        }
        if (!rv) {
            rv = send_packet(talk, packet);
        }
        open_packet(talk, packet);
    }
    return rv;
}

apr_status_t etcl_submit_call(etcl_talk_t *talk)
{
    const etcl_buffer_t *call = &talk->desk->call;
    etcl_packet_t packet;
    apr_status_t rv;

    ++talk->kept->link.serial;
    open_packet(talk, &packet);
    rv = add_pieces(talk, &packet, ETCL_FRAME_CALL,
                    (etcl_span_t){ call->ptr, talk->inline_at });
    if (!rv && talk->has_inline) {
        rv = add_pieces(talk, &packet, ETCL_FRAME_BODY,
                        (etcl_span_t){ call->ptr + talk->inline_at,
                                       call->len - talk->inline_at });
        talk->body_sent = 1;
    }
    return rv ? rv : send_packet(talk, &packet);
}

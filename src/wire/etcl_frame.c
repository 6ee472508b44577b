/* Frames as bytes, both ways. What a payload means is etcl_message.h, and in
 * which order frames may come is for the two ends of a link. */

#include "etcl_frame.h"
#include "etcl_bytes.h"

/* The flags that a type may carry. */
static apr_byte_t flags_of(unsigned int type)
{
    switch (type) {
    case ETCL_FRAME_CALL:
    case ETCL_FRAME_HEAD_:
        return ETCL_FRAME_MORE;
    case ETCL_FRAME_BODY:
        return ETCL_FRAME_LAST | ETCL_FRAME_MORE;
    case ETCL_FRAME_LAID:
        return ETCL_FRAME_LAST;
    default:
        return 0;
    }
}

static int is_known(unsigned int type)
{
    return type >= ETCL_FRAME_HELLO && type <= ETCL_FRAME_TOLD;
}

/* Nothing follows what is the last. */
static int is_frame(unsigned int type, unsigned int flags)
{
    return is_known(type) && !(flags & ~(unsigned int)flags_of(type)) &&
           flags != (ETCL_FRAME_LAST | ETCL_FRAME_MORE);
}

apr_status_t etcl_frame_next(etcl_span_t *packet, etcl_frame_t *out)
{
    etcl_cursor_t in = etcl_cursor(*packet);
    etcl_frame_t frame;
    etcl_span_t magic;

    if (!packet->len) {
        return APR_EOF;
    }
    magic = etcl_cursor_take(&in, 2);
    frame.type = etcl_cursor_u8(&in);
    frame.flags = etcl_cursor_u8(&in);
    frame.serial = etcl_cursor_u32(&in);
    frame.payload = etcl_cursor_text(&in);
    if (in.bad || memcmp(magic.ptr, "ET", 2) ||
        !is_frame(frame.type, frame.flags)) {
        return ETCL_EPROTO;
    }
    *packet = in.rest;
    *out = frame;
    return APR_SUCCESS;
}

apr_size_t etcl_packet_room(const etcl_packet_t *packet)
{
    apr_size_t free_len = ETCL_PACKET_MAX - packet->len;

    return free_len > ETCL_FRAME_HEAD ? free_len - ETCL_FRAME_HEAD : 0;
}

apr_status_t etcl_packet_add(etcl_packet_t *packet, etcl_frame_type_t type,
                             unsigned int flags, etcl_span_t payload)
{
    if (ETCL_PACKET_MAX - packet->len < ETCL_FRAME_HEAD ||
        payload.len > etcl_packet_room(packet)) {
        return ETCL_ELIMIT;
    }
    etcl_bytes_put(packet->ptr + packet->len + ETCL_FRAME_HEAD, payload);
    etcl_packet_close(packet, type, flags, payload.len);
    return APR_SUCCESS;
}

char *etcl_packet_open(etcl_packet_t *packet)
{
    return etcl_packet_room(packet)
               ? packet->ptr + packet->len + ETCL_FRAME_HEAD
               : NULL;
}

void etcl_packet_close(etcl_packet_t *packet, etcl_frame_type_t type,
                       unsigned int flags, apr_size_t len)
{
    char *at = packet->ptr + packet->len;

    at = etcl_bytes_put(at, ETCL_SPAN("ET"));
    at = etcl_bytes_put_u8(at, type);
    at = etcl_bytes_put_u8(at, flags);
    at = etcl_bytes_put_u32(at, packet->serial);
    etcl_bytes_put_u32(at, (apr_uint32_t)len);
    packet->len += ETCL_FRAME_HEAD + len;
}

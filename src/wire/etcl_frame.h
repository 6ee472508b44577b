/* Frames: the records of which packets between an Apache child and a worker
 * are made. Pure functions on bytes; the sockets are etcl_link.h. */

#ifndef ETCL_FRAME_H
#define ETCL_FRAME_H

#include "etcl.h"

#define ETCL_WIRE_VERSION 3u
#define ETCL_FRAME_HEAD 12u
#define ETCL_PACKET_MAX 65536u
#define ETCL_FRAME_MAX (ETCL_PACKET_MAX - ETCL_FRAME_HEAD)

/* Types; the direction is C (Apache child) or W (worker). */
typedef enum {
    ETCL_FRAME_HELLO = 1,   /* C: first packet of a link */
    ETCL_FRAME_WELCOME = 2, /* W: its answer */
    ETCL_FRAME_CALL = 3,    /* C: a call; MORE: continued in the next */
    ETCL_FRAME_BODY = 4,    /* C: bytes of the body; LAST: and its end;
                               MORE: of this PULL another packet follows */
    ETCL_FRAME_BROKEN = 5,  /* C: the body breaks off here */
    ETCL_FRAME_REFUSE = 6,  /* W: not begun, ask another worker */
    ETCL_FRAME_PULL = 7,    /* W: send body */
    ETCL_FRAME_HEAD_ = 8,   /* W: head of the response; MORE: continued */
    ETCL_FRAME_DATA = 9,    /* W: bytes of the response */
    ETCL_FRAME_FILE = 10,   /* W: bytes of a file that rides along (fd) */
    ETCL_FRAME_LOG = 11,    /* W: a log entry of this request */
    ETCL_FRAME_END = 12,    /* W: the answer is complete */
    ETCL_FRAME_ABORT = 13,  /* W: the answer failed or breaks off */
    ETCL_FRAME_WINDOW = 14, /* W: bytes of the response, in the window of the
                               link, which rides along the first time (fd) */
    ETCL_FRAME_LAID = 15,   /* C: bytes of the body lie in the link's tray,
                               which rides along the first time (fd); LAST */
    ETCL_FRAME_ASK = 16,    /* W: is the client still there? */
    ETCL_FRAME_TOLD = 17    /* C: the answer to that */
} etcl_frame_type_t;

/* Bits of `flags`. */
#define ETCL_FRAME_MORE 0x01u /* the payload continues in the next frame */
#define ETCL_FRAME_LAST 0x02u /* BODY, LAID: nothing follows */

typedef struct {
    apr_byte_t type;
    apr_byte_t flags;
    apr_uint32_t serial; /* of the call; 0 in HELLO and WELCOME */
    etcl_span_t payload; /* inside the packet */
} etcl_frame_t;

/**
 * Take the next frame out of `*packet`; the payload stays where it is.
 *
 * Shape    12 bytes: 'E' 'T', u8 type, u8 flags, u32 serial, u32 length,
 *          big-endian; length counts payload bytes only. Frames follow each
 *          other without gaps and end with the packet.
 * Returns  APR_SUCCESS  `*out` is filled, `*packet` is what remains
 *          APR_EOF      the packet is empty
 *          ETCL_EPROTO  wrong magic, type or flags, or cut short
 *          On error nothing is changed.
 * Source   src/README.rst, "The wire"
 */
apr_status_t etcl_frame_next(etcl_span_t *packet, etcl_frame_t *out);

/* A packet under construction. */
typedef struct {
    char *ptr; /* ETCL_PACKET_MAX bytes, the owner's */
    apr_size_t len;
    apr_uint32_t serial; /* put into every frame */
} etcl_packet_t;

/** Bytes of payload that one more frame could hold; 0: full. */
apr_size_t etcl_packet_room(const etcl_packet_t *packet);

/**
 * Append a whole frame.
 *
 * Returns  APR_SUCCESS, ETCL_ELIMIT: no room, nothing appended
 */
apr_status_t etcl_packet_add(etcl_packet_t *packet, etcl_frame_type_t type,
                             unsigned int flags, etcl_span_t payload);

/**
 * Begin a frame whose payload is written in place; etcl_packet_close() fills
 * its length in.
 *
 * Returns  where the payload begins (etcl_packet_room() bytes), or NULL
 */
char *etcl_packet_open(etcl_packet_t *packet);
void etcl_packet_close(etcl_packet_t *packet, etcl_frame_type_t type,
                       unsigned int flags, apr_size_t len);

#endif

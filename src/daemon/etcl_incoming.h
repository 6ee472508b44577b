/* What comes over links to a request thread: packets, and calls made of one or
 * several of them. One per request thread. */

#ifndef ETCL_INCOMING_H
#define ETCL_INCOMING_H

#include "etcl_buffer.h"
#include "etcl_park.h"

typedef struct {
    char *in;               /* ETCL_PACKET_MAX bytes: a CALL lies here */
    char *spare;            /* as many, for what follows it; borrowed */
    etcl_buffer_t pieces;   /* or here, when it came in several packets */
    etcl_buffer_t gathered; /* likewise what rode along beyond one packet */
    /* The latest call. */
    etcl_frame_t call; /* payload: all of it */
    etcl_span_t body;  /* what came with it */
    int whole;         /* nothing of the body is missing */
} etcl_incoming_t;

/** Allocate what lives as long as the thread. APR_ENOMEM. */
apr_status_t etcl_incoming_create(etcl_incoming_t *self, char *spare);

/** Receive a packet; one that brings a descriptor is refused: ETCL_EPROTO.
 *  Else as etcl_link_recv. `out` lies in `self`. */
apr_status_t etcl_incoming_packet(etcl_incoming_t *self, etcl_line_t *line,
                                  int nowait, etcl_span_t *out);

/**
 * Take the call that begins in `packet`; what is missing of it is received.
 *
 * Owns     the call lies in `self` until the next one
 * Returns  APR_SUCCESS, ETCL_EPROTO, ETCL_ELIMIT, APR_ENOMEM, or of the link:
 *          close it
 */
apr_status_t etcl_incoming_call(etcl_incoming_t *self, etcl_line_t *line,
                                etcl_span_t packet);

#endif

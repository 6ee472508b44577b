/* The buffers of one call; kept by the child and used again, for they are too
 * large to be made each time. */

#ifndef ETCL_DESK_H
#define ETCL_DESK_H

#include "etcl_message.h"

typedef struct etcl_desk_t {
    char in[2 * ETCL_PACKET_MAX]; /* what was received and not passed on */
    char out[ETCL_PACKET_MAX];    /* the packet that is being made */
    etcl_buffer_t call; /* the encoded call, for the time of the call */
    etcl_buffer_t head; /* a head that came in pieces */
    etcl_decoder_t decoder;
    struct etcl_desk_t *next;
} etcl_desk_t;

/** Any thread of a child; NULL without memory. */
etcl_desk_t *etcl_desk_borrow(void);
void etcl_desk_give_back(etcl_desk_t *desk);

/** Before it is given back: overwrite a call that held a password. */
void etcl_desk_wipe(etcl_desk_t *desk);

#endif

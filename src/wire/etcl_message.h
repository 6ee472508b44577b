/* What stands in the payloads of frames. Encoders write into a caller's
 * buffer; decoders borrow from the bytes they are given, check every length
 * before they use it, and allocate nothing above what the input holds.
 * Integers are big-endian. Text lengths never include a NUL. */

#ifndef ETCL_MESSAGE_H
#define ETCL_MESSAGE_H

#include "etcl_buffer.h"
#include "etcl_call.h"
#include "etcl_exchange.h"
#include "etcl_keys.h"
#include "etcl_frame.h"

#define ETCL_SECRET_LEN 32
#define ETCL_CALL_MAX (16u * 1024 * 1024) /* an encoded call */
#define ETCL_HEAD_MAX (16u * 1024 * 1024) /* an encoded head */
#define ETCL_PAIRS_MAX 16384u             /* variables, or headers */

typedef struct {
    apr_uint32_t version;
    apr_uint32_t slot;
    apr_uint32_t incarnation; /* as the sender read it in the roster; 0 any */
    unsigned char secret[ETCL_SECRET_LEN]; /* HELLO only */
} etcl_hello_t;

/** HELLO (C): u32 version, u32 slot, u32 incarnation, 32 bytes secret.
 *  WELCOME (W): u32 version, u32 slot, u32 incarnation. */
apr_status_t etcl_hello_encode(const etcl_hello_t *hello,
                               etcl_packet_t *packet);
apr_status_t etcl_welcome_encode(const etcl_hello_t *hello,
                                 etcl_packet_t *packet);
apr_status_t etcl_hello_decode(etcl_span_t payload, etcl_hello_t *out);
apr_status_t etcl_welcome_decode(etcl_span_t payload, etcl_hello_t *out);

/**
 * CALL, step by step, so that a sender writes straight into the buffer:
 * etcl_call_begin, then etcl_call_pair for each variable, then etcl_call_close.
 *
 * Shape    u8 kind, u32 flags, i64 body_len, i64 request_start_us,
 *          i64 queue_start_us, three texts (u32 length, bytes): script,
 *          app_group, callable; u32 count of pairs; then each pair:
 *          u8 id, or 0 and u16 length, name; u32 length, value.
 * Returns  APR_SUCCESS, ETCL_ELIMIT (above ETCL_CALL_MAX), APR_ENOMEM
 */
apr_status_t etcl_call_begin(etcl_buffer_t *buf, const etcl_call_t *call);
apr_status_t etcl_call_pair(etcl_buffer_t *buf, etcl_key_t id, etcl_span_t name,
                            etcl_span_t value);
apr_status_t etcl_call_close(etcl_buffer_t *buf, apr_size_t begin,
                             apr_uint32_t pairs);

/** Set the queue_start_us of the call that begins at `begin` anew: it was made
 *  before it waited for something else. */
void etcl_call_stamp(etcl_buffer_t *buf, apr_size_t begin,
                     apr_int64_t queue_start_us);

/* Room for decoded pairs or headers, reused from call to call. */
typedef struct {
    etcl_pair_t *pairs;     /* malloc'ed by the decoder, grows */
    etcl_header_t *headers; /* likewise */
    apr_size_t pair_size;
    apr_size_t header_size;
} etcl_decoder_t;

void etcl_decoder_init(etcl_decoder_t *decoder);
void etcl_decoder_done(etcl_decoder_t *decoder);
/** Make room for `count` pairs or headers: APR_SUCCESS or APR_ENOMEM. */
apr_status_t etcl_decoder_pairs(etcl_decoder_t *decoder, apr_size_t count);
apr_status_t etcl_decoder_headers(etcl_decoder_t *decoder, apr_size_t count);

/**
 * Decode a whole CALL payload.
 *
 * Owns     spans point into `payload`; `out->pairs` belongs to the decoder
 *          and lives until its next use.
 * Returns  APR_SUCCESS, ETCL_EPROTO, ETCL_ELIMIT, APR_ENOMEM
 */
apr_status_t etcl_call_decode(etcl_decoder_t *decoder, etcl_span_t payload,
                              etcl_call_t *out);

/**
 * HEAD.
 *
 * Shape    u16 status, i64 content_length, u32 length + reason, u32 count of
 *          headers; each u32 length + name, u32 length + value.
 * Returns  of decode: ETCL_EPROTO also for a status, reason, name or value
 *          that etcl_text.h does not accept.
 */
apr_status_t etcl_head_encode(etcl_buffer_t *buf, const etcl_head_t *head);
apr_status_t etcl_head_decode(etcl_decoder_t *decoder, etcl_span_t payload,
                              etcl_head_t *out);

/* PULL: the application reads. */
typedef struct {
    apr_uint64_t want;  /* bytes at most, 1 .. 2^62 */
    apr_uint64_t least; /* 1 .. want: these are waited for, or the end; of what
                           is beyond, only what is there already is sent */
} etcl_pull_t;

apr_status_t etcl_pull_encode(const etcl_pull_t *pull, etcl_packet_t *packet);
apr_status_t etcl_pull_decode(etcl_span_t payload, etcl_pull_t *out);

/* LAID: u32 length; the bytes lie in the tray, from its beginning. */
apr_status_t etcl_laid_encode(apr_size_t len, unsigned int flags,
                              etcl_packet_t *packet);
apr_status_t etcl_laid_decode(etcl_span_t payload, apr_size_t *len);

/* TOLD: u8, 1 when the client has gone, else 0. ASK has no payload. */
apr_status_t etcl_told_encode(int gone, etcl_packet_t *packet);
apr_status_t etcl_told_decode(etcl_span_t payload, int *gone);

/* BROKEN: u8 reason, one of these. */
typedef enum {
    ETCL_BROKEN_GONE = 1,  /* the client closed: ETCL_ESHORT */
    ETCL_BROKEN_STALL = 2, /* it sent nothing for too long: ETCL_ESTALL */
    ETCL_BROKEN_LIMIT = 3  /* above LimitRequestBody: ETCL_ELIMIT */
} etcl_broken_t;

apr_status_t etcl_broken_encode(etcl_broken_t why, etcl_packet_t *packet);
apr_status_t etcl_broken_decode(etcl_span_t payload, etcl_broken_t *out);

/* FILE: i64 offset, i64 length; the descriptor rides with the packet. */
typedef struct {
    apr_int64_t offset;
    apr_int64_t len;
} etcl_file_t;

apr_status_t etcl_file_encode(const etcl_file_t *file, etcl_packet_t *packet);
apr_status_t etcl_file_decode(etcl_span_t payload, etcl_file_t *out);

/* WINDOW: u64 length; the bytes lie in the window of the link, from its
 * beginning (etcl_window.h). Once in a call; with the packet ends what was
 * given of the body, but for END. */
apr_status_t etcl_window_encode(apr_size_t len, etcl_packet_t *packet);
/** Not above ETCL_WINDOW_SIZE, and not 0. */
apr_status_t etcl_window_decode(etcl_span_t payload, apr_size_t *out);

/* LOG: u8 level, then the text. */
apr_status_t etcl_log_encode(etcl_level_t level, etcl_span_t text,
                             etcl_packet_t *packet);
apr_status_t etcl_log_decode(etcl_span_t payload, etcl_level_t *level,
                             etcl_span_t *text);

/* END: i64 sent, i64 promised. ABORT: the same, then u16 status (answer this
 * if no head was sent; 0: break the connection off). */
apr_status_t etcl_end_encode(const etcl_answer_t *answer,
                             etcl_packet_t *packet);
apr_status_t etcl_end_decode(const etcl_frame_t *frame, etcl_answer_t *out);

#endif

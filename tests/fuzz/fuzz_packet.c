/* Any bytes as a packet. Oracles: what is accepted is written again as the
 * same bytes, payloads included; and a packet split at any of its frames
 * gives the same frames as in one piece. */

#include "fuzz.h"
#include "etcl_message.h"

#include <stdlib.h>

static char memory[ETCL_PACKET_MAX];

/* Encode what was decoded into a packet of its own; compare the payloads. */
static void must_be(etcl_packet_t *packet, etcl_span_t payload)
{
    etcl_span_t rest = { packet->ptr, packet->len };
    etcl_frame_t frame;

    FUZZ_MUST(etcl_frame_next(&rest, &frame) == APR_SUCCESS && !rest.len);
    FUZZ_MUST(fuzz_same(frame.payload, payload));
}

static void try_hello(const etcl_frame_t *frame, etcl_packet_t *again)
{
    etcl_hello_t hello;

    if (frame->type == ETCL_FRAME_HELLO
            ? !etcl_hello_decode(frame->payload, &hello) &&
                  !etcl_hello_encode(&hello, again)
            : !etcl_welcome_decode(frame->payload, &hello) &&
                  !etcl_welcome_encode(&hello, again)) {
        must_be(again, frame->payload);
    }
}

static void try_child(const etcl_frame_t *frame, etcl_packet_t *again)
{
    etcl_broken_t why;
    etcl_pull_t pull;

    if (frame->type == ETCL_FRAME_BROKEN
            ? !etcl_broken_decode(frame->payload, &why) &&
                  !etcl_broken_encode(why, again)
            : !etcl_pull_decode(frame->payload, &pull) &&
                  !etcl_pull_encode(&pull, again)) {
        must_be(again, frame->payload);
    }
}

static void try_laid(const etcl_frame_t *frame, etcl_packet_t *again)
{
    apr_size_t len;

    if (!etcl_laid_decode(frame->payload, &len) &&
        !etcl_laid_encode(len, frame->flags, again)) {
        must_be(again, frame->payload);
    }
}

static void try_told(const etcl_frame_t *frame, etcl_packet_t *again)
{
    int gone;

    if (!etcl_told_decode(frame->payload, &gone) &&
        !etcl_told_encode(gone, again)) {
        must_be(again, frame->payload);
    }
}

static void try_answer(const etcl_frame_t *frame, etcl_packet_t *again)
{
    etcl_answer_t answer;
    etcl_file_t file;

    if (frame->type == ETCL_FRAME_FILE
            ? !etcl_file_decode(frame->payload, &file) &&
                  !etcl_file_encode(&file, again)
            : !etcl_end_decode(frame, &answer) &&
                  !etcl_end_encode(&answer, again)) {
        must_be(again, frame->payload);
    }
}

static void try_window(const etcl_frame_t *frame, etcl_packet_t *again)
{
    apr_size_t len;

    if (!etcl_window_decode(frame->payload, &len) &&
        !etcl_window_encode(len, again)) {
        must_be(again, frame->payload);
    }
}

static void try_log(const etcl_frame_t *frame, etcl_packet_t *again)
{
    etcl_level_t level;
    etcl_span_t text;

    if (!etcl_log_decode(frame->payload, &level, &text) &&
        !etcl_log_encode(level, text, again)) {
        must_be(again, frame->payload);
    }
}

static void try_payload(const etcl_frame_t *frame)
{
    etcl_packet_t again = { .ptr = memory, .serial = frame->serial };

    switch (frame->type) {
    case ETCL_FRAME_HELLO:
    case ETCL_FRAME_WELCOME:
        try_hello(frame, &again);
        return;
    case ETCL_FRAME_BROKEN:
    case ETCL_FRAME_PULL:
        try_child(frame, &again);
        return;
    case ETCL_FRAME_LAID:
        try_laid(frame, &again);
        return;
    case ETCL_FRAME_TOLD:
        try_told(frame, &again);
        return;
    case ETCL_FRAME_FILE:
    case ETCL_FRAME_END:
    case ETCL_FRAME_ABORT:
        try_answer(frame, &again);
        return;
    case ETCL_FRAME_WINDOW:
        try_window(frame, &again);
        return;
    case ETCL_FRAME_LOG:
        try_log(frame, &again);
        return;
    }
}

/* Read frames until none is left or one is bad; write the good ones again. */
static apr_status_t walk(etcl_span_t *rest, etcl_packet_t *again)
{
    etcl_frame_t frame;
    apr_status_t rv;

    while ((rv = etcl_frame_next(rest, &frame)) == APR_SUCCESS) {
        again->serial = frame.serial;
        FUZZ_MUST(!etcl_packet_add(again, (etcl_frame_type_t)frame.type,
                                   frame.flags, frame.payload));
        try_payload(&frame);
    }
    return rv;
}

/* The frames of `whole` end at `end`: with its first frame cut off and given
 * on its own, all are still the same. */
static void must_split(etcl_span_t whole, const char *end)
{
    etcl_span_t rest = whole, head;
    etcl_frame_t one, same;

    while (rest.ptr < end) {
        head.ptr = rest.ptr;
        FUZZ_MUST(!etcl_frame_next(&rest, &one));
        head.len = (apr_size_t)(rest.ptr - head.ptr);
        FUZZ_MUST(!etcl_frame_next(&head, &same) && !head.len);
        FUZZ_MUST(one.type == same.type && one.flags == same.flags &&
                  one.serial == same.serial &&
                  fuzz_same(one.payload, same.payload));
    }
    FUZZ_MUST(rest.ptr == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char copy[ETCL_PACKET_MAX];
    etcl_packet_t again = { .ptr = copy };
    etcl_span_t whole = { (const char *)data, size }, rest = whole;
    apr_status_t rv;

    if (size > ETCL_PACKET_MAX) {
        return 0;
    }
    rv = walk(&rest, &again);
    FUZZ_MUST(rv == APR_EOF || rv == ETCL_EPROTO);
    FUZZ_MUST((rv == APR_EOF) == !rest.len);
    FUZZ_MUST(fuzz_same((etcl_span_t){ copy, again.len },
                        (etcl_span_t){ whole.ptr, size - rest.len }));
    must_split(whole, rest.ptr);
    return 0;
}

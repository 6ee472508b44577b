/* Frames: what is accepted, where they split, and that a full packet is full
 * to the byte. */

#include "hostile.h"
#include "rows.h"
#include "etcl_frame.h"

#define HEAD(type, flags, serial, len) "ET" type flags serial len
#define BYTES(literal)                                                         \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

static char memory[ETCL_PACKET_MAX];
static char filler[ETCL_PACKET_MAX];

static etcl_packet_t fresh_packet(apr_uint32_t serial)
{
    return (etcl_packet_t){ .ptr = memory, .serial = serial };
}

static etcl_span_t whole_of(const etcl_packet_t *packet)
{
    return (etcl_span_t){ packet->ptr, packet->len };
}

/* Reads every frame and writes it again: what is accepted has one spelling. */
static apr_status_t decode_packet(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_span_t rest = bytes;
    etcl_frame_t frame;
    apr_status_t rv;

    while ((rv = etcl_frame_next(&rest, &frame)) == APR_SUCCESS) {
        packet.serial = frame.serial;
        ck_assert_int_eq(etcl_packet_add(&packet, (etcl_frame_type_t)frame.type,
                                         frame.flags, frame.payload),
                         APR_SUCCESS);
    }
    if (rv == APR_EOF) {
        hostile_same(whole_of(&packet), bytes);
    }
    return rv == APR_EOF && bytes.len ? APR_SUCCESS : rv;
}

static const struct {
    const char *ptr;
    apr_size_t len;
} bad_frames[] = {
    BYTES("E"),
    BYTES("ET"),
    BYTES(HEAD("\4", "\0", "\0\0\0\1", "\0\0\0")),        /* 11 bytes */
    BYTES(HEAD("\4", "\0", "\0\0\0\1", "\0\0\0\1")),      /* no payload */
    BYTES(HEAD("\4", "\0", "\0\0\0\1", "\0\0\0\3") "ab"), /* too little */
    BYTES(HEAD("\4", "\0", "\0\0\0\1", "\377\377\377\377") "ab"),
    BYTES(HEAD("\4", "\0", "\0\0\0\1", "\200\0\0\2") "ab"),
    BYTES("XT\4\0\0\0\0\1\0\0\0\0"), /* magic */
    BYTES("EX\4\0\0\0\0\1\0\0\0\0"),
    BYTES(HEAD("\0", "\0", "\0\0\0\1", "\0\0\0\0")), /* no such type */
    BYTES(HEAD("\22", "\0", "\0\0\0\1", "\0\0\0\0")),
    BYTES(HEAD("\377", "\0", "\0\0\0\1", "\0\0\0\0")),
    BYTES(HEAD("\4", "\4", "\0\0\0\1", "\0\0\0\0")), /* no such flag */
    BYTES(HEAD("\4", "\200", "\0\0\0\1", "\0\0\0\0")),
    BYTES(HEAD("\4", "\3", "\0\0\0\1", "\0\0\0\0")), /* MORE after LAST */
    BYTES(HEAD("\3", "\2", "\0\0\0\1", "\0\0\0\0")), /* CALL has no LAST */
    BYTES(HEAD("\14", "\1", "\0\0\0\1", "\0\0\0\0")) /* END has neither */
};

START_TEST(frame_next_refuses_a_bad_frame_and_changes_nothing)
{
    etcl_span_t packet = { bad_frames[_i].ptr, bad_frames[_i].len };
    etcl_frame_t frame = { .type = 77, .serial = 42 };

    ck_assert_int_eq(etcl_frame_next(&packet, &frame), ETCL_EPROTO);
    ck_assert_ptr_eq(packet.ptr, bad_frames[_i].ptr);
    ck_assert_uint_eq(packet.len, bad_frames[_i].len);
    ck_assert_uint_eq(frame.type, 77);
    ck_assert_uint_eq(frame.serial, 42);
}
END_TEST

START_TEST(frame_next_takes_one_frame_after_the_other)
{
    etcl_span_t packet =
        ETCL_SPAN(HEAD("\10", "\1", "\1\2\3\4", "\0\0\0\2") "hi" HEAD(
            "\14", "\0", "\1\2\3\4", "\0\0\0\0"));
    etcl_frame_t frame;

    ck_assert_int_eq(etcl_frame_next(&packet, &frame), APR_SUCCESS);
    ck_assert_uint_eq(frame.type, ETCL_FRAME_HEAD_);
    ck_assert_uint_eq(frame.flags, ETCL_FRAME_MORE);
    ck_assert_uint_eq(frame.serial, 0x01020304);
    hostile_same(frame.payload, ETCL_SPAN("hi"));
    ck_assert_int_eq(etcl_frame_next(&packet, &frame), APR_SUCCESS);
    ck_assert_uint_eq(frame.type, ETCL_FRAME_END);
    ck_assert_uint_eq(frame.payload.len, 0);
    ck_assert_int_eq(etcl_frame_next(&packet, &frame), APR_EOF);
}
END_TEST

static const struct {
    etcl_frame_type_t type;
    unsigned int flags;
} good_flags[] = { { ETCL_FRAME_HELLO, 0 },
                   { ETCL_FRAME_WELCOME, 0 },
                   { ETCL_FRAME_CALL, 0 },
                   { ETCL_FRAME_CALL, ETCL_FRAME_MORE },
                   { ETCL_FRAME_BODY, 0 },
                   { ETCL_FRAME_BODY, ETCL_FRAME_LAST },
                   { ETCL_FRAME_BODY, ETCL_FRAME_MORE },
                   { ETCL_FRAME_BROKEN, 0 },
                   { ETCL_FRAME_REFUSE, 0 },
                   { ETCL_FRAME_PULL, 0 },
                   { ETCL_FRAME_HEAD_, 0 },
                   { ETCL_FRAME_HEAD_, 1 },
                   { ETCL_FRAME_DATA, 0 },
                   { ETCL_FRAME_FILE, 0 },
                   { ETCL_FRAME_LOG, 0 },
                   { ETCL_FRAME_END, 0 },
                   { ETCL_FRAME_ABORT, 0 },
                   { ETCL_FRAME_LAID, 0 },
                   { ETCL_FRAME_LAID, ETCL_FRAME_LAST },
                   { ETCL_FRAME_ASK, 0 },
                   { ETCL_FRAME_TOLD, 0 } };

START_TEST(every_type_goes_round_and_stands_cuts_and_flips)
{
    etcl_packet_t packet = fresh_packet(0x80000001u);

    ck_assert_int_eq(etcl_packet_add(&packet, good_flags[_i].type,
                                     good_flags[_i].flags,
                                     ETCL_SPAN("payload")),
                     APR_SUCCESS);
    ck_assert_uint_eq(packet.len, ETCL_FRAME_HEAD + 7);
    hostile_all(decode_packet, whole_of(&packet));
}
END_TEST

/* Bytes of payload in one frame, around what a packet can hold. */
static const struct {
    apr_size_t len;
    apr_status_t want;
} sizes[] = { { 0, APR_SUCCESS },
              { 1, APR_SUCCESS },
              { ETCL_FRAME_MAX - 1, APR_SUCCESS },
              { ETCL_FRAME_MAX, APR_SUCCESS },
              { ETCL_FRAME_MAX + 1, ETCL_ELIMIT },
              { 65535, ETCL_ELIMIT },
              { 65536, ETCL_ELIMIT },
              { 65537, ETCL_ELIMIT } };

START_TEST(packet_add_takes_what_fits_and_nothing_more)
{
    etcl_packet_t packet = fresh_packet(1);
    etcl_span_t payload = { filler, sizes[_i].len };

    ck_assert_int_eq(etcl_packet_add(&packet, ETCL_FRAME_DATA, 0, payload),
                     sizes[_i].want);
    ck_assert_uint_eq(packet.len, sizes[_i].want == APR_SUCCESS
                                      ? ETCL_FRAME_HEAD + sizes[_i].len
                                      : 0);
    if (packet.len) {
        ck_assert_int_eq(decode_packet(whole_of(&packet)), APR_SUCCESS);
    }
}
END_TEST

/* How many bytes are left behind the first frame, and what still fits. */
static const struct {
    apr_size_t left;
    apr_size_t room;
    apr_status_t empty; /* of adding a frame without payload */
} rests[] = { { 0, 0, ETCL_ELIMIT },
              { 11, 0, ETCL_ELIMIT },
              { 12, 0, APR_SUCCESS },
              { 13, 1, APR_SUCCESS },
              { 100, 88, APR_SUCCESS } };

START_TEST(packet_room_is_exact_when_the_packet_fills_up)
{
    etcl_packet_t packet = fresh_packet(1);
    etcl_span_t payload = { filler, ETCL_FRAME_MAX - rests[_i].left };

    etcl_packet_add(&packet, ETCL_FRAME_DATA, 0, payload);
    ck_assert_uint_eq(etcl_packet_room(&packet), rests[_i].room);
    ck_assert_int_eq(etcl_packet_open(&packet) != NULL, rests[_i].room != 0);
    payload.len = rests[_i].room + 1;
    ck_assert_int_eq(etcl_packet_add(&packet, ETCL_FRAME_DATA, 0, payload),
                     ETCL_ELIMIT);
    ck_assert_int_eq(etcl_packet_add(&packet, ETCL_FRAME_BODY, ETCL_FRAME_LAST,
                                     ETCL_SPAN("")),
                     rests[_i].empty);
    ck_assert_int_eq(decode_packet(whole_of(&packet)), APR_SUCCESS);
}
END_TEST

START_TEST(a_frame_written_in_place_is_the_same_as_one_that_was_added)
{
    etcl_packet_t packet = fresh_packet(7);
    char *at = etcl_packet_open(&packet);

    ck_assert_ptr_nonnull(at);
    memcpy(at, "in place", 8);
    etcl_packet_close(&packet, ETCL_FRAME_DATA, 0, 8);
    hostile_same(whole_of(&packet), ETCL_SPAN(HEAD("\11", "\0", "\0\0\0\7",
                                                   "\0\0\0\10") "in place"));
}
END_TEST

START_TEST(frame_next_of_a_packet_above_the_maximum_stays_inside)
{
    etcl_packet_t packet = fresh_packet(1);
    etcl_span_t payload = { filler, ETCL_FRAME_MAX }, rest;
    etcl_frame_t frame;

    etcl_packet_add(&packet, ETCL_FRAME_DATA, 0, payload);
    packet.ptr[8] = 0;
    packet.ptr[9] = 1; /* says 65536 or more, holds 65524 */
    rest = whole_of(&packet);
    ck_assert_int_eq(etcl_frame_next(&rest, &frame), ETCL_EPROTO);
}
END_TEST

Suite *suite_frame(void)
{
    Suite *suite = suite_create("frame");
    TCase *tests = tcase_create("frame");

    tcase_add_rows(tests, frame_next_refuses_a_bad_frame_and_changes_nothing,
                   bad_frames);
    tcase_add_test(tests, frame_next_takes_one_frame_after_the_other);
    tcase_add_rows(tests, every_type_goes_round_and_stands_cuts_and_flips,
                   good_flags);
    tcase_add_rows(tests, packet_add_takes_what_fits_and_nothing_more, sizes);
    tcase_add_rows(tests, packet_room_is_exact_when_the_packet_fills_up, rests);
    tcase_add_test(tests,
                   a_frame_written_in_place_is_the_same_as_one_that_was_added);
    tcase_add_test(tests,
                   frame_next_of_a_packet_above_the_maximum_stays_inside);
    suite_add_tcase(suite, tests);
    return suite;
}

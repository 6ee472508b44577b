/* The messages of fixed shape: round trips, cuts, flips, and the values that
 * cannot be. */

#include "hostile.h"
#include "rows.h"
#include "etcl_message.h"
#include "etcl_tray.h"
#include "etcl_window.h"

static char memory[ETCL_PACKET_MAX];

static etcl_packet_t fresh_packet(void)
{
    return (etcl_packet_t){ .ptr = memory, .serial = 9 };
}

/* The only frame of a packet. */
static etcl_frame_t frame_of(const etcl_packet_t *packet)
{
    etcl_span_t rest = { packet->ptr, packet->len };
    etcl_frame_t frame;

    ck_assert_int_eq(etcl_frame_next(&rest, &frame), APR_SUCCESS);
    ck_assert_uint_eq(rest.len, 0);
    return frame;
}

/* What an encoder made is what was decoded. */
static void same_payload(const etcl_packet_t *packet, etcl_span_t bytes)
{
    hostile_same(frame_of(packet).payload, bytes);
}

static apr_status_t decode_hello(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_hello_t hello;
    apr_status_t rv = etcl_hello_decode(bytes, &hello);

    if (rv == APR_SUCCESS) {
        etcl_hello_encode(&hello, &packet);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_welcome(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_hello_t hello;
    apr_status_t rv = etcl_welcome_decode(bytes, &hello);

    if (rv == APR_SUCCESS) {
        etcl_welcome_encode(&hello, &packet);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_pull(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_pull_t pull;
    apr_status_t rv = etcl_pull_decode(bytes, &pull);

    if (rv == APR_SUCCESS) {
        etcl_pull_encode(&pull, &packet);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_broken(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_broken_t why;
    apr_status_t rv = etcl_broken_decode(bytes, &why);

    if (rv == APR_SUCCESS) {
        etcl_broken_encode(why, &packet);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_file(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_file_t file;
    apr_status_t rv = etcl_file_decode(bytes, &file);

    if (rv == APR_SUCCESS) {
        etcl_file_encode(&file, &packet);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_window(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    apr_size_t len;
    apr_status_t rv = etcl_window_decode(bytes, &len);

    if (rv == APR_SUCCESS) {
        etcl_window_encode(len, &packet);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_log(etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_level_t level;
    etcl_span_t text;
    apr_status_t rv = etcl_log_decode(bytes, &level, &text);

    if (rv == APR_SUCCESS) {
        etcl_log_encode(level, text, &packet);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_answer(etcl_frame_type_t type, etcl_span_t bytes)
{
    static char again[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = again };
    etcl_frame_t frame = { .type = (apr_byte_t)type, .payload = bytes };
    etcl_answer_t answer;
    apr_status_t rv = etcl_end_decode(&frame, &answer);

    if (rv == APR_SUCCESS) {
        etcl_end_encode(&answer, &packet);
        ck_assert_uint_eq(frame_of(&packet).type, type);
        same_payload(&packet, bytes);
    }
    return rv;
}

static apr_status_t decode_end(etcl_span_t bytes)
{
    return decode_answer(ETCL_FRAME_END, bytes);
}

static apr_status_t decode_abort(etcl_span_t bytes)
{
    return decode_answer(ETCL_FRAME_ABORT, bytes);
}

START_TEST(hello_goes_round_with_its_secret)
{
    etcl_hello_t hello = { ETCL_WIRE_VERSION, 3, 0xfffffffeu, { 0 } }, got;
    etcl_packet_t packet = fresh_packet();
    etcl_frame_t frame;

    memset(hello.secret, 0xa5, sizeof(hello.secret));
    ck_assert_int_eq(etcl_hello_encode(&hello, &packet), APR_SUCCESS);
    frame = frame_of(&packet);
    ck_assert_uint_eq(frame.type, ETCL_FRAME_HELLO);
    ck_assert_uint_eq(frame.payload.len, 44);
    ck_assert_int_eq(etcl_hello_decode(frame.payload, &got), APR_SUCCESS);
    ck_assert_uint_eq(got.version, ETCL_WIRE_VERSION);
    ck_assert_uint_eq(got.slot, 3);
    ck_assert_uint_eq(got.incarnation, 0xfffffffeu);
    ck_assert_mem_eq(got.secret, hello.secret, ETCL_SECRET_LEN);
    hostile_all(decode_hello, frame.payload);
}
END_TEST

START_TEST(welcome_carries_no_secret)
{
    etcl_hello_t hello = { 1, 2, 3, { 0x77 } }, got;
    etcl_packet_t packet = fresh_packet();
    etcl_frame_t frame;

    ck_assert_int_eq(etcl_welcome_encode(&hello, &packet), APR_SUCCESS);
    frame = frame_of(&packet);
    ck_assert_uint_eq(frame.type, ETCL_FRAME_WELCOME);
    ck_assert_uint_eq(frame.payload.len, 12);
    ck_assert_int_eq(etcl_welcome_decode(frame.payload, &got), APR_SUCCESS);
    ck_assert_uint_eq(got.incarnation, 3);
    ck_assert_uint_eq(got.secret[0], 0);
    hostile_all(decode_welcome, frame.payload);
}
END_TEST

START_TEST(a_payload_with_a_byte_too_many_is_refused)
{
    static const char zeros[64];
    etcl_packet_t packet = fresh_packet();
    etcl_hello_t hello;

    ck_assert_int_eq(etcl_hello_decode((etcl_span_t){ zeros, 45 }, &hello),
                     ETCL_EPROTO);
    ck_assert_int_eq(etcl_welcome_decode((etcl_span_t){ zeros, 13 }, &hello),
                     ETCL_EPROTO);
    ck_assert_int_eq(decode_file((etcl_span_t){ zeros, 17 }), ETCL_EPROTO);
    ck_assert_int_eq(decode_end((etcl_span_t){ zeros, 17 }), ETCL_EPROTO);
    ck_assert_int_eq(decode_abort((etcl_span_t){ zeros, 19 }), ETCL_EPROTO);
    ck_assert_int_eq(decode_broken(ETCL_SPAN("\1\1")), ETCL_EPROTO);
    ck_assert_int_eq(decode_pull(ETCL_SPAN("\0\0\0\0\0\0\0\1\0\0")),
                     ETCL_EPROTO);
    ck_assert_uint_eq(packet.len, 0);
}
END_TEST

static const struct {
    apr_uint64_t want, least;
    apr_status_t rv;
} pulls[] = { { 0, 0, ETCL_EPROTO },
              { 1, 1, APR_SUCCESS },
              { 1, 0, ETCL_EPROTO },
              { 1, 2, ETCL_EPROTO },
              { 65536, 1, APR_SUCCESS },
              { 65536, 65536, APR_SUCCESS },
              { 0x100000000u, 1, APR_SUCCESS },
              { (apr_uint64_t)1 << 62, 1, APR_SUCCESS },
              { ((apr_uint64_t)1 << 62) + 1, 1, ETCL_EPROTO },
              { APR_UINT64_MAX, 1, ETCL_EPROTO } };

START_TEST(pull_wants_at_least_one_byte_and_at_most_2_to_62)
{
    etcl_pull_t pull = { pulls[_i].want, pulls[_i].least }, got = { 0, 5 };
    etcl_packet_t packet = fresh_packet();
    etcl_span_t payload;

    ck_assert_int_eq(etcl_pull_encode(&pull, &packet), APR_SUCCESS);
    payload = frame_of(&packet).payload;
    ck_assert_uint_eq(frame_of(&packet).type, ETCL_FRAME_PULL);
    ck_assert_int_eq(etcl_pull_decode(payload, &got), pulls[_i].rv);
    if (pulls[_i].rv == APR_SUCCESS) {
        ck_assert_uint_eq(got.want, pulls[_i].want);
        ck_assert_uint_eq(got.least, pulls[_i].least);
        hostile_all(decode_pull, payload);
    } else {
        ck_assert_uint_eq(got.least, 5);
    }
}
END_TEST

static apr_status_t decode_laid(etcl_span_t bytes)
{
    etcl_packet_t packet = fresh_packet();
    apr_size_t len;
    apr_status_t rv = etcl_laid_decode(bytes, &len);

    if (rv == APR_SUCCESS) {
        etcl_laid_encode(len, 0, &packet);
        hostile_same(frame_of(&packet).payload, bytes);
    }
    return rv;
}

static const struct {
    apr_size_t len;
    apr_status_t rv;
} laids[] = { { 0, APR_SUCCESS },
              { 1, APR_SUCCESS },
              { ETCL_TRAY_LEN, APR_SUCCESS },
              { ETCL_TRAY_LEN + 1, ETCL_EPROTO },
              { APR_UINT32_MAX, ETCL_EPROTO } };

START_TEST(no_more_is_laid_than_a_tray_holds)
{
    etcl_packet_t packet = fresh_packet();
    apr_size_t got = 5;

    etcl_laid_encode(laids[_i].len, ETCL_FRAME_LAST, &packet);
    ck_assert_uint_eq(frame_of(&packet).type, ETCL_FRAME_LAID);
    ck_assert_uint_eq(frame_of(&packet).flags, ETCL_FRAME_LAST);
    ck_assert_int_eq(etcl_laid_decode(frame_of(&packet).payload, &got),
                     laids[_i].rv);
    ck_assert_uint_eq(got, laids[_i].rv == APR_SUCCESS ? laids[_i].len : 5);
    if (laids[_i].rv == APR_SUCCESS) {
        hostile_all(decode_laid, frame_of(&packet).payload);
    }
}
END_TEST

START_TEST(told_is_yes_or_no)
{
    const char byte = (char)_i;
    etcl_packet_t packet = fresh_packet();
    int got = 7;

    etcl_told_encode(_i, &packet);
    ck_assert_uint_eq(frame_of(&packet).type, ETCL_FRAME_TOLD);
    ck_assert_int_eq(*frame_of(&packet).payload.ptr, _i != 0);
    ck_assert_int_eq(etcl_told_decode((etcl_span_t){ &byte, 1 }, &got),
                     _i <= 1 ? APR_SUCCESS : ETCL_EPROTO);
    ck_assert_int_eq(got, _i <= 1 ? _i : 7);
    ck_assert_int_eq(etcl_told_decode((etcl_span_t){ "", 0 }, &got),
                     ETCL_EPROTO);
    ck_assert_int_eq(etcl_told_decode((etcl_span_t){ "\0\0", 2 }, &got),
                     ETCL_EPROTO);
}
END_TEST

START_TEST(broken_has_one_of_three_reasons)
{
    const char byte = (char)_i;
    etcl_packet_t packet = fresh_packet();
    etcl_broken_t got;

    etcl_broken_encode((etcl_broken_t)_i, &packet);
    ck_assert_uint_eq(frame_of(&packet).type, ETCL_FRAME_BROKEN);
    ck_assert_int_eq(etcl_broken_decode((etcl_span_t){ &byte, 1 }, &got),
                     _i >= 1 && _i <= 3 ? APR_SUCCESS : ETCL_EPROTO);
    if (_i >= 1 && _i <= 3) {
        ck_assert_int_eq((int)got, _i);
        hostile_all(decode_broken, frame_of(&packet).payload);
    }
}
END_TEST

static const struct {
    etcl_file_t file;
    apr_status_t rv;
} files[] = { { { 0, 0 }, APR_SUCCESS },
              { { 1, 4096 }, APR_SUCCESS },
              { { 0, APR_INT64_MAX }, APR_SUCCESS },
              { { APR_INT64_MAX, 0 }, APR_SUCCESS },
              { { 1, APR_INT64_MAX }, ETCL_EPROTO },
              { { APR_INT64_MAX, 1 }, ETCL_EPROTO },
              { { -1, 5 }, ETCL_EPROTO },
              { { 5, -1 }, ETCL_EPROTO },
              { { APR_INT64_MIN, 1 }, ETCL_EPROTO },
              { { -1, -1 }, ETCL_EPROTO } };

START_TEST(file_is_a_range_whose_end_is_a_number)
{
    etcl_packet_t packet = fresh_packet();
    etcl_file_t got;

    etcl_file_encode(&files[_i].file, &packet);
    ck_assert_uint_eq(frame_of(&packet).type, ETCL_FRAME_FILE);
    ck_assert_int_eq(etcl_file_decode(frame_of(&packet).payload, &got),
                     files[_i].rv);
    if (files[_i].rv == APR_SUCCESS) {
        ck_assert_int_eq(got.offset, files[_i].file.offset);
        ck_assert_int_eq(got.len, files[_i].file.len);
        hostile_all(decode_file, frame_of(&packet).payload);
    }
}
END_TEST

static const struct {
    apr_size_t len;
    apr_status_t rv;
} windows[] = { { 0, ETCL_EPROTO },
                { 1, APR_SUCCESS },
                { ETCL_WINDOW_SIZE, APR_SUCCESS },
                { ETCL_WINDOW_SIZE + 1, ETCL_EPROTO },
                { ~(apr_size_t)0, ETCL_EPROTO } };

START_TEST(window_is_no_longer_than_windows_are)
{
    etcl_packet_t packet = fresh_packet();
    apr_size_t len = 0;

    etcl_window_encode(windows[_i].len, &packet);
    ck_assert_uint_eq(frame_of(&packet).type, ETCL_FRAME_WINDOW);
    ck_assert_int_eq(etcl_window_decode(frame_of(&packet).payload, &len),
                     windows[_i].rv);
    if (windows[_i].rv == APR_SUCCESS) {
        ck_assert_uint_eq(len, windows[_i].len);
        hostile_all(decode_window, frame_of(&packet).payload);
    }
}
END_TEST

START_TEST(log_goes_round_with_any_bytes)
{
    etcl_packet_t packet = fresh_packet();
    etcl_level_t level;
    etcl_span_t text;

    ck_assert_int_eq(
        etcl_log_encode(ETCL_LOG_ERR, ETCL_SPAN("a\n\0\377"), &packet),
        APR_SUCCESS);
    ck_assert_uint_eq(frame_of(&packet).type, ETCL_FRAME_LOG);
    ck_assert_int_eq(etcl_log_decode(frame_of(&packet).payload, &level, &text),
                     APR_SUCCESS);
    ck_assert_int_eq(level, ETCL_LOG_ERR);
    hostile_same(text, ETCL_SPAN("a\n\0\377"));
    hostile_flip(decode_log, frame_of(&packet).payload);
    ck_assert_int_eq(decode_log(ETCL_SPAN("")), ETCL_EPROTO);
    ck_assert_int_eq(decode_log(ETCL_SPAN("\3")), APR_SUCCESS);
}
END_TEST

START_TEST(log_has_a_level_that_a_log_line_may_have)
{
    const char byte = (char)_i;

    ck_assert_int_eq(decode_log((etcl_span_t){ &byte, 1 }),
                     _i >= 2 && _i <= 7 ? APR_SUCCESS : ETCL_EPROTO);
}
END_TEST

START_TEST(log_does_not_fit_into_a_packet_without_room)
{
    static const char text[ETCL_FRAME_MAX];
    etcl_packet_t packet = fresh_packet();

    ck_assert_int_eq(etcl_log_encode(ETCL_LOG_INFO,
                                     (etcl_span_t){ text, sizeof(text) },
                                     &packet),
                     ETCL_ELIMIT);
    ck_assert_uint_eq(packet.len, 0);
    ck_assert_int_eq(etcl_log_encode(ETCL_LOG_INFO,
                                     (etcl_span_t){ text, sizeof(text) - 1 },
                                     &packet),
                     APR_SUCCESS);
    ck_assert_uint_eq(packet.len, ETCL_PACKET_MAX);
    ck_assert_int_eq(etcl_log_encode(ETCL_LOG_INFO, ETCL_SPAN(""), &packet),
                     ETCL_ELIMIT);
}
END_TEST

static const struct {
    etcl_answer_t answer;
    etcl_frame_type_t type;
    apr_status_t rv;
} answers[] = {
    { { ETCL_ANSWER_DONE, 0, 13, 13 }, ETCL_FRAME_END, APR_SUCCESS },
    { { ETCL_ANSWER_DONE, 0, 0, -1 }, ETCL_FRAME_END, APR_SUCCESS },
    { { ETCL_ANSWER_FAILED, 500, 0, -1 }, ETCL_FRAME_ABORT, APR_SUCCESS },
    { { ETCL_ANSWER_FAILED, 504, 0, 9 }, ETCL_FRAME_ABORT, APR_SUCCESS },
    { { ETCL_ANSWER_ABORTED, 0, 5, 9 }, ETCL_FRAME_ABORT, APR_SUCCESS },
    { { ETCL_ANSWER_DONE, 0, -1, 0 }, ETCL_FRAME_END, ETCL_EPROTO },
    { { ETCL_ANSWER_DONE, 0, 0, -2 }, ETCL_FRAME_END, ETCL_EPROTO },
    { { ETCL_ANSWER_FAILED, 399, 0, 0 }, ETCL_FRAME_ABORT, ETCL_EPROTO },
    { { ETCL_ANSWER_FAILED, 400, 0, 0 }, ETCL_FRAME_ABORT, APR_SUCCESS },
    { { ETCL_ANSWER_FAILED, 599, 0, 0 }, ETCL_FRAME_ABORT, APR_SUCCESS },
    { { ETCL_ANSWER_FAILED, 600, 0, 0 }, ETCL_FRAME_ABORT, ETCL_EPROTO },
    { { ETCL_ANSWER_FAILED, 65535, 0, 0 }, ETCL_FRAME_ABORT, ETCL_EPROTO },
    { { ETCL_ANSWER_ABORTED, 0, -5, 9 }, ETCL_FRAME_ABORT, ETCL_EPROTO }
};

START_TEST(the_three_ways_to_end_go_round)
{
    const etcl_answer_t *want = &answers[_i].answer;
    etcl_packet_t packet = fresh_packet();
    etcl_answer_t got;
    etcl_frame_t frame;

    etcl_end_encode(want, &packet);
    frame = frame_of(&packet);
    ck_assert_uint_eq(frame.type, answers[_i].type);
    ck_assert_int_eq(etcl_end_decode(&frame, &got), answers[_i].rv);
    if (answers[_i].rv == APR_SUCCESS) {
        ck_assert_int_eq(got.end, want->end);
        ck_assert_int_eq(got.status, want->status);
        ck_assert_int_eq(got.sent, want->sent);
        ck_assert_int_eq(got.promised, want->promised);
        hostile_all(frame.type == ETCL_FRAME_END ? decode_end : decode_abort,
                    frame.payload);
    }
}
END_TEST

START_TEST(no_message_is_added_to_a_packet_that_is_full)
{
    static const char data[ETCL_FRAME_MAX];
    etcl_packet_t packet = fresh_packet();
    etcl_hello_t hello = { .version = 1 };
    etcl_answer_t answer = { .end = ETCL_ANSWER_DONE };
    etcl_file_t file = { 0, 1 };
    etcl_pull_t pull = { 1, 1 };

    etcl_packet_add(&packet, ETCL_FRAME_DATA, 0,
                    (etcl_span_t){ data, ETCL_FRAME_MAX });
    ck_assert_int_eq(etcl_hello_encode(&hello, &packet), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_welcome_encode(&hello, &packet), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_pull_encode(&pull, &packet), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_broken_encode(ETCL_BROKEN_GONE, &packet),
                     ETCL_ELIMIT);
    ck_assert_int_eq(etcl_file_encode(&file, &packet), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_end_encode(&answer, &packet), ETCL_ELIMIT);
    ck_assert_uint_eq(packet.len, ETCL_PACKET_MAX);
}
END_TEST

Suite *suite_message(void)
{
    Suite *suite = suite_create("message");
    TCase *tests = tcase_create("message");

    tcase_add_test(tests, hello_goes_round_with_its_secret);
    tcase_add_test(tests, welcome_carries_no_secret);
    tcase_add_test(tests, a_payload_with_a_byte_too_many_is_refused);
    tcase_add_rows(tests, pull_wants_at_least_one_byte_and_at_most_2_to_62,
                   pulls);
    tcase_add_rows(tests, no_more_is_laid_than_a_tray_holds, laids);
    tcase_add_loop_test(tests, told_is_yes_or_no, 0, 3);
    tcase_add_loop_test(tests, broken_has_one_of_three_reasons, 0, 6);
    tcase_add_rows(tests, file_is_a_range_whose_end_is_a_number, files);
    tcase_add_rows(tests, window_is_no_longer_than_windows_are, windows);
    tcase_add_test(tests, log_goes_round_with_any_bytes);
    tcase_add_loop_test(tests, log_has_a_level_that_a_log_line_may_have, 0, 10);
    tcase_add_test(tests, log_does_not_fit_into_a_packet_without_room);
    tcase_add_rows(tests, the_three_ways_to_end_go_round, answers);
    tcase_add_test(tests, no_message_is_added_to_a_packet_that_is_full);
    suite_add_tcase(suite, tests);
    return suite;
}

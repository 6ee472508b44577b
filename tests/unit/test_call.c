/* CALL: round trip, cuts, flips, limits, and that whatever is accepted has
 * one spelling only. */

#include "hostile.h"
#include "rows.h"
#include "etcl_bytes.h"
#include "etcl_key.h"
#include "etcl_message.h"

#define AT_FLAGS 1 /* offsets in a CALL */
#define AT_BODY_LEN 5
#define AT_REQUEST_START 13
#define AT_QUEUE_START 21
#define AT_SCRIPT 29

static etcl_buffer_t buf;
static etcl_decoder_t decoder;

static void set_up(void)
{
    etcl_buffer_init(&buf, ETCL_CALL_MAX);
    etcl_decoder_init(&decoder);
}

static void tear_down(void)
{
    etcl_buffer_done(&buf);
    etcl_decoder_done(&decoder);
}

static const etcl_call_t example = {
    .kind = ETCL_CALL_WSGI,
    .flags = ETCL_CALL_HTTPS | ETCL_CALL_RELOAD,
    .target = { { "/srv/wsgi.py", 12 }, { "", 0 }, { "application", 11 } },
    .body_len = -1,
    .request_start_us = 1700000000000000,
    .queue_start_us = 1700000000000100
};

static etcl_span_t whole_of(const etcl_buffer_t *from)
{
    return (etcl_span_t){ from->ptr, from->len };
}

/* A call with a well-known name, one of the application's, and one that has
 * no value. */
static etcl_span_t encode_example(void)
{
    ck_assert_int_eq(etcl_call_begin(&buf, &example), APR_SUCCESS);
    etcl_call_pair(&buf, ETCL_KEY_REQUEST_METHOD, ETCL_SPAN("REQUEST_METHOD"),
                   ETCL_SPAN("GET"));
    etcl_call_pair(&buf, ETCL_KEY_NONE, ETCL_SPAN("SSL_CIPHER"),
                   ETCL_SPAN("\xc3\xa9"));
    etcl_call_pair(&buf, ETCL_KEY_QUERY_STRING, ETCL_SPAN("QUERY_STRING"),
                   ETCL_SPAN(""));
    ck_assert_int_eq(etcl_call_close(&buf, 0, 3), APR_SUCCESS);
    return whole_of(&buf);
}

static void encode_again(const etcl_call_t *call, etcl_buffer_t *out)
{
    apr_size_t i;

    ck_assert_int_eq(etcl_call_begin(out, call), APR_SUCCESS);
    for (i = 0; i < call->pair_count; i++) {
        ck_assert_int_eq(etcl_call_pair(out, (etcl_key_t)call->pairs[i].id,
                                        call->pairs[i].key,
                                        call->pairs[i].value),
                         APR_SUCCESS);
    }
    ck_assert_int_eq(etcl_call_close(out, 0, (apr_uint32_t)call->pair_count),
                     APR_SUCCESS);
}

static apr_status_t decode_call(etcl_span_t bytes)
{
    etcl_buffer_t again;
    etcl_call_t call;
    apr_status_t rv = etcl_call_decode(&decoder, bytes, &call);

    if (rv == APR_SUCCESS) {
        etcl_buffer_init(&again, ETCL_CALL_MAX);
        encode_again(&call, &again);
        hostile_same(whole_of(&again), bytes);
        etcl_buffer_done(&again);
    }
    return rv;
}

START_TEST(a_call_goes_round)
{
    etcl_call_t call;

    ck_assert_int_eq(etcl_call_decode(&decoder, encode_example(), &call),
                     APR_SUCCESS);
    ck_assert_int_eq(call.kind, ETCL_CALL_WSGI);
    ck_assert_uint_eq(call.flags, ETCL_CALL_HTTPS | ETCL_CALL_RELOAD);
    ck_assert_int_eq(call.body_len, -1);
    ck_assert_int_eq(call.request_start_us, 1700000000000000);
    ck_assert_int_eq(call.queue_start_us, 1700000000000100);
    ck_assert_int_eq(call.daemon_start_us, 0);
    hostile_same(call.target.script, ETCL_SPAN("/srv/wsgi.py"));
    hostile_same(call.target.app_group, ETCL_SPAN(""));
    hostile_same(call.target.callable, ETCL_SPAN("application"));
    ck_assert_uint_eq(call.pair_count, 3);
    ck_assert_uint_eq(call.pairs[0].id, ETCL_KEY_REQUEST_METHOD);
    hostile_same(call.pairs[0].key, ETCL_SPAN("REQUEST_METHOD"));
    hostile_same(call.pairs[0].value, ETCL_SPAN("GET"));
    ck_assert_uint_eq(call.pairs[1].id, 0);
    hostile_same(call.pairs[1].key, ETCL_SPAN("SSL_CIPHER"));
    hostile_same(call.pairs[1].value, ETCL_SPAN("\xc3\xa9"));
    hostile_same(call.pairs[2].value, ETCL_SPAN(""));
}
END_TEST

START_TEST(a_call_that_is_cut_or_changed_does_no_harm)
{
    hostile_all(decode_call, encode_example());
}
END_TEST

START_TEST(a_call_with_a_byte_too_many_is_refused)
{
    encode_example();
    etcl_buffer_add(&buf, ETCL_SPAN("x"));
    ck_assert_int_eq(decode_call(whole_of(&buf)), ETCL_EPROTO);
}
END_TEST

START_TEST(a_call_may_begin_behind_something_else)
{
    etcl_call_t call;
    apr_size_t begin;

    etcl_buffer_add(&buf, ETCL_SPAN("twelve bytes"));
    begin = buf.len;
    etcl_call_begin(&buf, &example);
    etcl_call_pair(&buf, ETCL_KEY_NONE, ETCL_SPAN("A"), ETCL_SPAN("b"));
    ck_assert_int_eq(etcl_call_close(&buf, begin, 1), APR_SUCCESS);
    ck_assert_int_eq(
        etcl_call_decode(
            &decoder, (etcl_span_t){ buf.ptr + begin, buf.len - begin }, &call),
        APR_SUCCESS);
    ck_assert_uint_eq(call.pair_count, 1);
    hostile_same(call.pairs[0].key, ETCL_SPAN("A"));
}
END_TEST

static const struct {
    apr_size_t at;
    apr_int64_t value;
    apr_status_t rv;
} numbers[] = { { AT_BODY_LEN, 0, APR_SUCCESS },
                { AT_BODY_LEN, -1, APR_SUCCESS },
                { AT_BODY_LEN, APR_INT64_MAX, APR_SUCCESS },
                { AT_BODY_LEN, -2, ETCL_EPROTO },
                { AT_BODY_LEN, APR_INT64_MIN, ETCL_EPROTO },
                { AT_REQUEST_START, 0, APR_SUCCESS },
                { AT_REQUEST_START, -1, ETCL_EPROTO },
                { AT_QUEUE_START, 0, APR_SUCCESS },
                { AT_QUEUE_START, APR_INT64_MIN, ETCL_EPROTO } };

START_TEST(numbers_of_a_call_are_what_they_can_be)
{
    ck_assert_int_eq(hostile_i64(decode_call, encode_example(), numbers[_i].at,
                                 numbers[_i].value),
                     numbers[_i].rv);
}
END_TEST

START_TEST(kinds_of_a_call_are_those_that_there_are)
{
    encode_example();
    buf.ptr[0] = (char)_i;
    ck_assert_int_eq(decode_call(whole_of(&buf)),
                     _i >= 1 && _i <= 6 ? APR_SUCCESS : ETCL_EPROTO);
}
END_TEST

START_TEST(flags_of_a_call_are_those_that_there_are)
{
    ck_assert_int_eq(
        hostile_u32(decode_call, encode_example(), AT_FLAGS, 1u << _i),
        _i < 5 ? APR_SUCCESS : ETCL_EPROTO);
}
END_TEST

/* Where a length or a count stands, and which values are too much for it. */
static const struct {
    apr_size_t at;
    apr_uint32_t value;
    apr_status_t rv;
} lengths[] = { { AT_SCRIPT, 0xffffffffu, ETCL_EPROTO },
                { AT_SCRIPT, 0x80000000u, ETCL_EPROTO },
                { AT_SCRIPT, 13, ETCL_EPROTO },
                { AT_SCRIPT + 16, 0xffffffffu, ETCL_EPROTO },
                { AT_SCRIPT + 20, 0xffffffffu, ETCL_EPROTO },
                { AT_SCRIPT + 35, 0xffffffffu, ETCL_ELIMIT }, /* pairs */
                { AT_SCRIPT + 35, 16385, ETCL_ELIMIT },
                { AT_SCRIPT + 35, 16384, ETCL_EPROTO },
                { AT_SCRIPT + 35, 4, ETCL_EPROTO },
                { AT_SCRIPT + 35, 2, ETCL_EPROTO },
                { AT_SCRIPT + 40, 0xffffffffu,
                  ETCL_EPROTO }, /* length of "GET" */
                { AT_SCRIPT + 40, 0, ETCL_EPROTO } };

START_TEST(a_length_that_does_not_fit_is_refused_before_it_is_used)
{
    ck_assert_int_eq(hostile_u32(decode_call, encode_example(), lengths[_i].at,
                                 lengths[_i].value),
                     lengths[_i].rv);
    ck_assert_uint_le(decoder.pair_size, 64);
}
END_TEST

static const struct {
    const char *bytes; /* of one pair */
    apr_size_t len;
    apr_status_t rv;
} pairs[] = {
    { "\0\0\1A\0\0\0\1v", 9, APR_SUCCESS },
    { "\0\0\0\0\0\0\1v", 8, ETCL_EPROTO },     /* no name */
    { "\0\0\2A\0\0\0\0\1v", 10, ETCL_EPROTO }, /* NUL in a name */
    { "\1\0\0\0\1v", 6, APR_SUCCESS },         /* REQUEST_METHOD */
    { "\102\0\0\0\1v", 6, APR_SUCCESS },       /* the last id */
    { "\103\0\0\0\1v", 6, ETCL_EPROTO },       /* the one behind it */
    { "\377\0\0\0\1v", 6, ETCL_EPROTO },
    { "\0\377\377A\0\0\0\1v", 9, ETCL_EPROTO } /* name of 64 KiB */
};

START_TEST(a_pair_has_a_name)
{
    etcl_call_begin(&buf, &example);
    etcl_buffer_add(&buf, (etcl_span_t){ pairs[_i].bytes, pairs[_i].len });
    ck_assert_int_eq(etcl_call_close(&buf, 0, 1), APR_SUCCESS);
    ck_assert_int_eq(decode_call(whole_of(&buf)), pairs[_i].rv);
}
END_TEST

START_TEST(a_target_holds_no_nul)
{
    etcl_call_t call = example;

    call.target.script = ETCL_SPAN("/srv/a\0b.py");
    etcl_call_begin(&buf, &call);
    ck_assert_int_eq(etcl_call_close(&buf, 0, 0), APR_SUCCESS);
    ck_assert_int_eq(decode_call(whole_of(&buf)), ETCL_EPROTO);
}
END_TEST

START_TEST(a_name_is_at_most_65535_bytes)
{
    static const char name[65536] = { [0 ... 65535] = 'N' };

    etcl_call_begin(&buf, &example);
    ck_assert_int_eq(etcl_call_pair(&buf, ETCL_KEY_NONE,
                                    (etcl_span_t){ name, 65536 },
                                    ETCL_SPAN("")),
                     ETCL_ELIMIT);
    ck_assert_int_eq(etcl_call_pair(&buf, ETCL_KEY_NONE,
                                    (etcl_span_t){ name, 65535 },
                                    ETCL_SPAN("")),
                     APR_SUCCESS);
    ck_assert_int_eq(etcl_call_close(&buf, 0, 1), APR_SUCCESS);
    ck_assert_int_eq(decode_call(whole_of(&buf)), APR_SUCCESS);
}
END_TEST

START_TEST(a_call_has_at_most_16384_pairs)
{
    int i;

    etcl_call_begin(&buf, &example);
    for (i = 0; i < 16384; i++) {
        etcl_call_pair(&buf, ETCL_KEY_NONE, ETCL_SPAN("A"), ETCL_SPAN("b"));
    }
    ck_assert_int_eq(etcl_call_close(&buf, 0, 16385), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_call_close(&buf, 0, 16384), APR_SUCCESS);
    ck_assert_int_eq(decode_call(whole_of(&buf)), APR_SUCCESS);
    ck_assert_uint_eq(decoder.pair_size, 16384);
}
END_TEST

START_TEST(a_call_of_exactly_its_maximum_passes)
{
    static char value[ETCL_CALL_MAX];
    apr_size_t head_len;

    etcl_call_begin(&buf, &example);
    head_len = buf.len + 1 + 2 + 1 + 4;
    ck_assert_int_eq(
        etcl_call_pair(&buf, ETCL_KEY_NONE, ETCL_SPAN("A"),
                       (etcl_span_t){ value, sizeof(value) - head_len }),
        APR_SUCCESS);
    ck_assert_int_eq(etcl_call_close(&buf, 0, 1), APR_SUCCESS);
    ck_assert_uint_eq(buf.len, ETCL_CALL_MAX);
    ck_assert_int_eq(decode_call(whole_of(&buf)), APR_SUCCESS);
}
END_TEST

START_TEST(a_call_above_its_maximum_is_refused_on_both_sides)
{
    static char value[ETCL_CALL_MAX];
    etcl_buffer_t big;
    etcl_call_t call;

    etcl_buffer_init(&big, 2 * ETCL_CALL_MAX);
    etcl_call_begin(&big, &example);
    ck_assert_int_eq(etcl_call_pair(&big, ETCL_KEY_NONE, ETCL_SPAN("A"),
                                    (etcl_span_t){ value, sizeof(value) }),
                     APR_SUCCESS);
    ck_assert_int_eq(etcl_call_close(&big, 0, 1), ETCL_ELIMIT);
    etcl_bytes_put_u32(big.ptr + AT_SCRIPT + 35, 1);
    ck_assert_int_eq(etcl_call_decode(&decoder, whole_of(&big), &call),
                     ETCL_ELIMIT);
    etcl_buffer_done(&big);
    etcl_buffer_init(&big, 0);
    ck_assert_int_eq(etcl_call_begin(&big, &example), ETCL_ELIMIT);
    etcl_buffer_done(&big);
}
END_TEST

Suite *suite_call(void)
{
    Suite *suite = suite_create("call");
    TCase *tests = tcase_create("call");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_call_goes_round);
    tcase_add_test(tests, a_call_that_is_cut_or_changed_does_no_harm);
    tcase_add_test(tests, a_call_with_a_byte_too_many_is_refused);
    tcase_add_test(tests, a_call_may_begin_behind_something_else);
    tcase_add_rows(tests, numbers_of_a_call_are_what_they_can_be, numbers);
    tcase_add_loop_test(tests, kinds_of_a_call_are_those_that_there_are, 0, 8);
    tcase_add_loop_test(tests, flags_of_a_call_are_those_that_there_are, 0, 32);
    tcase_add_rows(tests,
                   a_length_that_does_not_fit_is_refused_before_it_is_used,
                   lengths);
    tcase_add_rows(tests, a_pair_has_a_name, pairs);
    tcase_add_test(tests, a_target_holds_no_nul);
    tcase_add_test(tests, a_name_is_at_most_65535_bytes);
    tcase_add_test(tests, a_call_has_at_most_16384_pairs);
    tcase_add_test(tests, a_call_of_exactly_its_maximum_passes);
    tcase_add_test(tests, a_call_above_its_maximum_is_refused_on_both_sides);
    suite_add_tcase(suite, tests);
    return suite;
}

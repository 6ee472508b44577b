/* HEAD: round trip, cuts, flips, limits, and texts that no client may see. */

#include "hostile.h"
#include "rows.h"
#include "etcl_bytes.h"
#include "etcl_message.h"

#define AT_LENGTH 2 /* offsets in a HEAD */
#define AT_REASON 10
#define AT_COUNT 16

static etcl_buffer_t buf;
static etcl_decoder_t decoder;

static void set_up(void)
{
    etcl_buffer_init(&buf, ETCL_HEAD_MAX);
    etcl_decoder_init(&decoder);
}

static void tear_down(void)
{
    etcl_buffer_done(&buf);
    etcl_decoder_done(&decoder);
}

static const etcl_header_t headers[] = { { { "Content-Type", 12 },
                                           { "text/plain", 10 } },
                                         { { "Set-Cookie", 10 }, { "a=b", 3 } },
                                         { { "X-Empty", 7 }, { "", 0 } } };

static const etcl_head_t example = { 200, { "OK", 2 }, headers, 3, 13 };

static etcl_span_t whole_of(const etcl_buffer_t *from)
{
    return (etcl_span_t){ from->ptr, from->len };
}

static etcl_span_t encode(const etcl_head_t *head)
{
    etcl_buffer_clear(&buf, ETCL_HEAD_MAX);
    ck_assert_int_eq(etcl_head_encode(&buf, head), APR_SUCCESS);
    return whole_of(&buf);
}

static apr_status_t decode_head(etcl_span_t bytes)
{
    etcl_buffer_t again;
    etcl_head_t head;
    apr_status_t rv = etcl_head_decode(&decoder, bytes, &head);

    if (rv == APR_SUCCESS) {
        etcl_buffer_init(&again, ETCL_HEAD_MAX);
        ck_assert_int_eq(etcl_head_encode(&again, &head), APR_SUCCESS);
        hostile_same(whole_of(&again), bytes);
        etcl_buffer_done(&again);
    }
    return rv;
}

START_TEST(a_head_goes_round_in_the_order_of_its_headers)
{
    etcl_head_t got;
    apr_size_t i;

    ck_assert_int_eq(etcl_head_decode(&decoder, encode(&example), &got),
                     APR_SUCCESS);
    ck_assert_int_eq(got.status, 200);
    hostile_same(got.reason, ETCL_SPAN("OK"));
    ck_assert_int_eq(got.content_length, 13);
    ck_assert_uint_eq(got.header_count, 3);
    for (i = 0; i < 3; i++) {
        hostile_same(got.headers[i].name, headers[i].name);
        hostile_same(got.headers[i].value, headers[i].value);
    }
}
END_TEST

START_TEST(a_head_that_is_cut_or_changed_does_no_harm)
{
    hostile_all(decode_head, encode(&example));
}
END_TEST

START_TEST(a_head_without_reason_and_headers_goes_round)
{
    etcl_head_t head = { .status = 204, .content_length = -1 };

    hostile_all(decode_head, encode(&head));
}
END_TEST

static const struct {
    int status;
    apr_status_t rv;
} statuses[] = { { 0, ETCL_EPROTO },    { 99, ETCL_EPROTO },
                 { 100, APR_SUCCESS },  { 999, APR_SUCCESS },
                 { 1000, ETCL_EPROTO }, { 65535, ETCL_EPROTO } };

START_TEST(a_status_has_three_digits)
{
    etcl_head_t head = example;

    head.status = statuses[_i].status;
    ck_assert_int_eq(decode_head(encode(&head)), statuses[_i].rv);
}
END_TEST

static const struct {
    apr_int64_t length;
    apr_status_t rv;
} content_lengths[] = { { -1, APR_SUCCESS },
                        { 0, APR_SUCCESS },
                        { APR_INT64_MAX, APR_SUCCESS },
                        { -2, ETCL_EPROTO },
                        { APR_INT64_MIN, ETCL_EPROTO } };

START_TEST(a_content_length_is_not_negative_but_for_unknown)
{
    ck_assert_int_eq(hostile_i64(decode_head, encode(&example), AT_LENGTH,
                                 content_lengths[_i].length),
                     content_lengths[_i].rv);
}
END_TEST

static const struct {
    apr_size_t at;
    apr_uint32_t value;
    apr_status_t rv;
} lengths[] = { { AT_REASON, 0xffffffffu, ETCL_EPROTO },
                { AT_REASON, 0x7fffffffu, ETCL_EPROTO },
                { AT_COUNT, 0xffffffffu, ETCL_ELIMIT },
                { AT_COUNT, 16385, ETCL_ELIMIT },
                { AT_COUNT, 16384, ETCL_EPROTO },
                { AT_COUNT, 2, ETCL_EPROTO },
                { AT_COUNT, 4, ETCL_EPROTO },
                { AT_COUNT + 4, 0xffffffffu, ETCL_EPROTO },
                { AT_COUNT + 20, 0xffffffffu, ETCL_EPROTO } };

START_TEST(a_length_that_does_not_fit_is_refused_before_it_is_used)
{
    ck_assert_int_eq(hostile_u32(decode_head, encode(&example), lengths[_i].at,
                                 lengths[_i].value),
                     lengths[_i].rv);
    ck_assert_uint_le(decoder.header_size, 64);
}
END_TEST

#define TEXT(literal)                                                          \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

static const struct {
    etcl_span_t reason;
    etcl_span_t name;
    etcl_span_t value;
    apr_status_t rv;
} texts[] = { { TEXT("Not Found"), TEXT("X-A"), TEXT("a\tb"), APR_SUCCESS },
              { TEXT("\xe9"), TEXT("X-A"), TEXT("\xe9"), APR_SUCCESS },
              { TEXT("O\r\nK"), TEXT("X-A"), TEXT("v"), ETCL_EPROTO },
              { TEXT("O\tK"), TEXT("X-A"), TEXT("v"), ETCL_EPROTO },
              { TEXT("O\0K"), TEXT("X-A"), TEXT("v"), ETCL_EPROTO },
              { TEXT("OK"), TEXT(""), TEXT("v"), ETCL_EPROTO },
              { TEXT("OK"), TEXT("X A"), TEXT("v"), ETCL_EPROTO },
              { TEXT("OK"), TEXT("X:A"), TEXT("v"), ETCL_EPROTO },
              { TEXT("OK"), TEXT("X\nA"), TEXT("v"), ETCL_EPROTO },
              { TEXT("OK"), TEXT("X-\xe9"), TEXT("v"), ETCL_EPROTO },
              { TEXT("OK"), TEXT("X-A"), TEXT("v\r\nSet-Cookie: x"),
                ETCL_EPROTO },
              { TEXT("OK"), TEXT("X-A"), TEXT("v\n"), ETCL_EPROTO },
              { TEXT("OK"), TEXT("X-A"), TEXT("v\0"), ETCL_EPROTO },
              { TEXT("OK"), TEXT("X-A"), TEXT("\x7f"), ETCL_EPROTO } };

START_TEST(texts_of_a_head_cannot_split_a_response)
{
    etcl_header_t header = { texts[_i].name, texts[_i].value };
    etcl_head_t head = { 200, texts[_i].reason, &header, 1, -1 };

    ck_assert_int_eq(decode_head(encode(&head)), texts[_i].rv);
}
END_TEST

START_TEST(a_head_with_a_byte_too_many_is_refused)
{
    encode(&example);
    etcl_buffer_add(&buf, ETCL_SPAN("x"));
    ck_assert_int_eq(decode_head(whole_of(&buf)), ETCL_EPROTO);
}
END_TEST

START_TEST(a_head_has_at_most_16384_headers)
{
    static etcl_header_t many[16385];
    etcl_head_t head = { 200, ETCL_SPAN("OK"), many, 16384, -1 };
    int i;

    for (i = 0; i < 16385; i++) {
        many[i] = headers[1];
    }
    ck_assert_int_eq(decode_head(encode(&head)), APR_SUCCESS);
    head.header_count = 16385;
    ck_assert_int_eq(etcl_head_encode(&buf, &head), ETCL_ELIMIT);
}
END_TEST

START_TEST(a_head_of_exactly_its_maximum_passes)
{
    static char big[ETCL_HEAD_MAX];
    etcl_header_t header = { ETCL_SPAN("X"), { big, ETCL_HEAD_MAX - 29 } };
    etcl_head_t head = { 200, ETCL_SPAN("OK"), &header, 1, -1 };

    memset(big, 'v', sizeof(big));
    ck_assert_int_eq(decode_head(encode(&head)), APR_SUCCESS);
    ck_assert_uint_eq(buf.len, ETCL_HEAD_MAX);
}
END_TEST

START_TEST(a_head_above_its_maximum_is_refused_on_both_sides)
{
    static char big[ETCL_HEAD_MAX];
    etcl_header_t header = { ETCL_SPAN("X"), { big, sizeof(big) } };
    etcl_head_t head = { 200, ETCL_SPAN("OK"), &header, 1, -1 }, got;

    memset(big, 'v', sizeof(big));
    etcl_buffer_done(&buf);
    etcl_buffer_init(&buf, 2 * ETCL_HEAD_MAX);
    ck_assert_int_eq(etcl_head_encode(&buf, &head), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_head_decode(&decoder, whole_of(&buf), &got),
                     ETCL_ELIMIT);
}
END_TEST

Suite *suite_head(void)
{
    Suite *suite = suite_create("head");
    TCase *tests = tcase_create("head");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_head_goes_round_in_the_order_of_its_headers);
    tcase_add_test(tests, a_head_that_is_cut_or_changed_does_no_harm);
    tcase_add_test(tests, a_head_without_reason_and_headers_goes_round);
    tcase_add_rows(tests, a_status_has_three_digits, statuses);
    tcase_add_rows(tests, a_content_length_is_not_negative_but_for_unknown,
                   content_lengths);
    tcase_add_rows(tests,
                   a_length_that_does_not_fit_is_refused_before_it_is_used,
                   lengths);
    tcase_add_rows(tests, texts_of_a_head_cannot_split_a_response, texts);
    tcase_add_test(tests, a_head_with_a_byte_too_many_is_refused);
    tcase_add_test(tests, a_head_has_at_most_16384_headers);
    tcase_add_test(tests, a_head_of_exactly_its_maximum_passes);
    tcase_add_test(tests, a_head_above_its_maximum_is_refused_on_both_sides);
    suite_add_tcase(suite, tests);
    return suite;
}

/* Rules about text, as tables; the classes of bytes, for all 256. */

#include "hostile.h"
#include "rows.h"
#include "etcl_text.h"

#define TEXT(literal)                                                          \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }
#define NO ETCL_EINVAL

static const struct {
    etcl_span_t text;
    apr_status_t rv;
    apr_int64_t value;
} ints[] = { { TEXT("0"), 0, 0 },
             { TEXT("007"), 0, 7 },
             { TEXT("65533"), 0, 65533 },
             { TEXT("-20"), 0, -20 },
             { TEXT("-0"), 0, 0 },
             { TEXT("9223372036854775807"), 0, APR_INT64_MAX },
             { TEXT("9223372036854775808"), NO, 0 },
             { TEXT("-9223372036854775808"), 0, APR_INT64_MIN },
             { TEXT("-9223372036854775809"), NO, 0 },
             { TEXT("18446744073709551616"), NO, 0 },
             { TEXT("92233720368547758070"), NO, 0 },
             { TEXT(""), NO, 0 },
             { TEXT("-"), NO, 0 },
             { TEXT("+1"), NO, 0 },
             { TEXT("--1"), NO, 0 },
             { TEXT(" 1"), NO, 0 },
             { TEXT("1 "), NO, 0 },
             { TEXT("2x"), NO, 0 },
             { TEXT("0x10"), NO, 0 },
             { TEXT("1\0"), NO, 0 },
             { TEXT("abc"), NO, 0 } };

START_TEST(an_integer_is_digits_with_a_minus_at_most)
{
    apr_int64_t value = 4711;

    ck_assert_int_eq(etcl_text_int(ints[_i].text, &value), ints[_i].rv);
    ck_assert_int_eq(value, ints[_i].rv ? 4711 : ints[_i].value);
}
END_TEST

static const struct {
    etcl_span_t text;
    apr_status_t rv;
    apr_int64_t value;
} sizes[] = { { TEXT("0"), 0, 0 },
              { TEXT("1000"), 0, 1000 },
              { TEXT("3K"), 0, 3072 },
              { TEXT("512m"), 0, 536870912 },
              { TEXT("2G"), 0, APR_INT64_C(2147483648) },
              { TEXT("8589934591G"), 0, APR_INT64_C(9223372035781033984) },
              { TEXT("8589934592G"), NO, 0 },
              { TEXT("9223372036854775808"), NO, 0 },
              { TEXT("G"), NO, 0 },
              { TEXT("1T"), NO, 0 },
              { TEXT("1KB"), NO, 0 },
              { TEXT("1 M"), NO, 0 },
              { TEXT("1.5G"), NO, 0 },
              { TEXT("-1M"), NO, 0 },
              { TEXT("3x"), NO, 0 },
              { TEXT("1M\0"), NO, 0 },
              { TEXT(""), NO, 0 } };

START_TEST(a_size_is_digits_and_one_unit_at_most)
{
    apr_int64_t value = 4711;

    ck_assert_int_eq(etcl_text_size(sizes[_i].text, &value), sizes[_i].rv);
    ck_assert_int_eq(value, sizes[_i].rv ? 4711 : sizes[_i].value);
}
END_TEST

static const struct {
    etcl_span_t text;
    apr_status_t rv;
    apr_int64_t value;
} lengths[] = { { TEXT("0"), 0, 0 },
                { TEXT("13"), 0, 13 },
                { TEXT("9223372036854775807"), 0, APR_INT64_MAX },
                { TEXT("9223372036854775808"), NO, 0 },
                { TEXT("99999999999999999999"), NO, 0 },
                { TEXT("-1"), NO, 0 },
                { TEXT("+1"), NO, 0 },
                { TEXT("1,1"), NO, 0 },
                { TEXT("1 1"), NO, 0 },
                { TEXT("1\n"), NO, 0 },
                { TEXT("/"), NO, 0 },
                { TEXT(":"), NO, 0 },
                { TEXT(""), NO, 0 } };

START_TEST(a_content_length_is_digits_within_63_bits)
{
    apr_int64_t value = 4711;

    ck_assert_int_eq(etcl_text_length(lengths[_i].text, &value),
                     lengths[_i].rv);
    ck_assert_int_eq(value, lengths[_i].rv ? 4711 : lengths[_i].value);
}
END_TEST

static const struct {
    etcl_span_t text;
    apr_status_t rv;
    double value;
} floats[] = { { TEXT("0"), 0, 0.0 },
               { TEXT("0.005"), 0, 0.005 },
               { TEXT(".5"), 0, 0.5 },
               { TEXT("10"), 0, 10.0 },
               { TEXT("0.1"), 0, 0.1 },
               { TEXT("123456.789"), 0, 123456.789 },
               { TEXT("999999999999999999"), 0, 1e18 },
               { TEXT("1000000000000000000"), NO, 0 },
               { TEXT(""), NO, 0 },
               { TEXT("."), NO, 0 },
               { TEXT("5."), NO, 0 },
               { TEXT("1.2.3"), NO, 0 },
               { TEXT("-1"), NO, 0 },
               { TEXT("+1"), NO, 0 },
               { TEXT("1e3"), NO, 0 },
               { TEXT("0x1p3"), NO, 0 },
               { TEXT("0,005"), NO, 0 },
               { TEXT("nan"), NO, 0 },
               { TEXT("inf"), NO, 0 },
               { TEXT(" 1"), NO, 0 } };

START_TEST(a_fraction_is_digits_with_one_point_at_most)
{
    double value = 47.11;

    ck_assert_int_eq(etcl_text_float(floats[_i].text, &value), floats[_i].rv);
    ck_assert_double_eq(value, floats[_i].rv ? 47.11 : floats[_i].value);
}
END_TEST

static const struct {
    etcl_span_t text;
    apr_status_t rv;
    int value;
} flags[] = { { TEXT("On"), 0, 1 },    { TEXT("on"), 0, 1 },
              { TEXT("ON"), 0, 1 },    { TEXT("Off"), 0, 0 },
              { TEXT("oFF"), 0, 0 },   { TEXT("1"), NO, 0 },
              { TEXT("yes"), NO, 0 },  { TEXT(""), NO, 0 },
              { TEXT("On "), NO, 0 },  { TEXT("Of"), NO, 0 },
              { TEXT("true"), NO, 0 }, { TEXT("O\0"), NO, 0 } };

START_TEST(a_flag_is_on_or_off)
{
    int value = 47;

    ck_assert_int_eq(etcl_text_flag(flags[_i].text, &value), flags[_i].rv);
    ck_assert_int_eq(value, flags[_i].rv ? 47 : flags[_i].value);
}
END_TEST

static int is_one_of(int byte, const char *set)
{
    return byte && strchr(set, byte) != NULL;
}

static int is_alnum(int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* RFC 9110 5.6.2, 5.5; each byte alone, and in the middle of good ones. */
START_TEST(every_byte_is_judged_as_the_standards_say)
{
    char text[3] = { 'a', (char)_i, 'z' };
    etcl_span_t alone = { text + 1, 1 }, inside = { text, 3 };
    int token = is_alnum(_i) || is_one_of(_i, "!#$%&'*+-.^_`|~");
    int reason = _i >= 0x20 && _i != 0x7f;
    int value = reason || _i == '\t';
    int cgi = is_alnum(_i) || _i == '-';

    ck_assert_int_eq(etcl_text_is_token(alone), token);
    ck_assert_int_eq(etcl_text_is_token(inside), token);
    ck_assert_int_eq(etcl_text_is_value(alone), value);
    ck_assert_int_eq(etcl_text_is_value(inside), value);
    ck_assert_int_eq(etcl_text_is_reason(alone), reason);
    ck_assert_int_eq(etcl_text_is_reason(inside), reason);
    ck_assert_int_eq(etcl_text_is_cgi_header(alone), cgi);
    ck_assert_int_eq(etcl_text_is_cgi_header(inside), cgi);
}
END_TEST

START_TEST(an_empty_value_is_a_value_and_an_empty_name_is_none)
{
    etcl_span_t none = { NULL, 0 };

    ck_assert_int_eq(etcl_text_is_value(none), 1);
    ck_assert_int_eq(etcl_text_is_reason(none), 1);
    ck_assert_int_eq(etcl_text_is_token(none), 0);
    ck_assert_int_eq(etcl_text_is_cgi_header(none), 0);
}
END_TEST

static const struct {
    etcl_span_t line;
    apr_status_t rv;
    int status;
    etcl_span_t reason;
} statuses[] = { { TEXT("200 OK"), 0, 200, TEXT("OK") },
                 { TEXT("404 Not Found"), 0, 404, TEXT("Not Found") },
                 { TEXT("200"), 0, 200, TEXT("") },
                 { TEXT("200 "), 0, 200, TEXT("") },
                 { TEXT("100 Continue"), 0, 100, TEXT("Continue") },
                 { TEXT("999 x"), 0, 999, TEXT("x") },
                 { TEXT("500 F\xe9"), 0, 500, TEXT("F\xe9") },
                 { TEXT("099 x"), NO, 0, TEXT("") },
                 { TEXT("000 x"), NO, 0, TEXT("") },
                 { TEXT("20 OK"), NO, 0, TEXT("") },
                 { TEXT("2000 OK"), NO, 0, TEXT("") },
                 { TEXT("200OK"), NO, 0, TEXT("") },
                 { TEXT("200\tOK"), NO, 0, TEXT("") },
                 { TEXT("200 O\tK"), NO, 0, TEXT("") },
                 { TEXT("200 OK\r\nX: y"), NO, 0, TEXT("") },
                 { TEXT("200 O\0K"), NO, 0, TEXT("") },
                 { TEXT("-20 OK"), NO, 0, TEXT("") },
                 { TEXT(" 200 OK"), NO, 0, TEXT("") },
                 { TEXT("OK"), NO, 0, TEXT("") },
                 { TEXT("20"), NO, 0, TEXT("") },
                 { TEXT(""), NO, 0, TEXT("") } };

START_TEST(a_status_line_is_three_digits_and_a_reason)
{
    etcl_span_t reason = { "", 0 };
    int status = 0;

    ck_assert_int_eq(etcl_text_status(statuses[_i].line, &status, &reason),
                     statuses[_i].rv);
    ck_assert_int_eq(status, statuses[_i].status);
    hostile_same(reason, statuses[_i].reason);
}
END_TEST

static const struct {
    etcl_span_t name;
    int hop;
} hops[] = { { TEXT("Connection"), 1 },
             { TEXT("keep-alive"), 1 },
             { TEXT("PROXY-AUTHENTICATE"), 1 },
             { TEXT("Proxy-Authorization"), 1 },
             { TEXT("TE"), 1 },
             { TEXT("Trailer"), 1 },
             { TEXT("Trailers"), 1 },
             { TEXT("Transfer-Encoding"), 1 },
             { TEXT("Upgrade"), 1 },
             { TEXT("Content-Length"), 0 },
             { TEXT("Connection-X"), 0 },
             { TEXT("T"), 0 },
             { TEXT(""), 0 } };

START_TEST(hop_by_hop_headers_are_known_in_any_case)
{
    ck_assert_int_eq(etcl_text_is_hop_by_hop(hops[_i].name), hops[_i].hop);
}
END_TEST

START_TEST(texts_are_the_same_without_case_in_ascii_only)
{
    ck_assert_int_eq(etcl_text_same(ETCL_SPAN("aZ09"), ETCL_SPAN("Az09")), 1);
    ck_assert_int_eq(etcl_text_same(ETCL_SPAN("a"), ETCL_SPAN("b")), 0);
    ck_assert_int_eq(etcl_text_same(ETCL_SPAN("a"), ETCL_SPAN("ab")), 0);
    ck_assert_int_eq(etcl_text_same(ETCL_SPAN(""), ETCL_SPAN("")), 1);
    ck_assert_int_eq(etcl_text_same(ETCL_SPAN("\xc4"), ETCL_SPAN("\xe4")), 0);
    ck_assert_int_eq(etcl_text_same(ETCL_SPAN("@"), ETCL_SPAN("`")), 0);
    ck_assert_int_eq(etcl_text_same(ETCL_SPAN("["), ETCL_SPAN("{")), 0);
}
END_TEST

static const struct {
    etcl_span_t name;
    int is;
} cgi_headers[] = { { TEXT("Host"), 1 },        { TEXT("X-Forwarded-For"), 1 },
                    { TEXT("X_Forwarded"), 0 }, { TEXT("Proxy"), 0 },
                    { TEXT("pROXY"), 0 },       { TEXT("Proxy-X"), 1 },
                    { TEXT("X.Y"), 0 },         { TEXT("X Y"), 0 } };

START_TEST(a_header_that_could_be_mistaken_for_another_is_dropped)
{
    ck_assert_int_eq(etcl_text_is_cgi_header(cgi_headers[_i].name),
                     cgi_headers[_i].is);
}
END_TEST

START_TEST(a_cgi_name_is_upper_case_with_underscores)
{
    char out[32];
    apr_size_t len = etcl_text_cgi_name(ETCL_SPAN("x-Azaz09-"), out);

    hostile_same((etcl_span_t){ out, len }, ETCL_SPAN("HTTP_X_AZAZ09_"));
}
END_TEST

static const struct {
    etcl_span_t text;
    apr_size_t max;
    etcl_span_t want;
} escapes[] = { { TEXT("plain \\ text\t\xe9"), 99,
                  TEXT("plain \\ text\t\xe9") },
                { TEXT("a\nb\rc"), 99, TEXT("a\\nb\\rc") },
                { TEXT("\0\x1b\x7f"), 99, TEXT("\\x00\\x1b\\x7f") },
                { TEXT("abcdef"), 3, TEXT("abc") },
                { TEXT("a\nb"), 2, TEXT("a") },
                { TEXT("a\0b"), 4, TEXT("a") },
                { TEXT("a\0b"), 5, TEXT("a\\x00") },
                { TEXT("abc"), 0, TEXT("") },
                { TEXT(""), 9, TEXT("") } };

START_TEST(escaped_text_cannot_forge_a_line_and_is_never_cut_in_an_escape)
{
    char out[128];
    apr_size_t len = etcl_text_escape(escapes[_i].text, out, escapes[_i].max);

    hostile_same((etcl_span_t){ out, len }, escapes[_i].want);
}
END_TEST

static const struct {
    apr_uint64_t value;
    const char *want;
} numbers[] = { { 0, "0" },
                { 7, "7" },
                { 10, "10" },
                { 65535, "65535" },
                { APR_UINT64_MAX, "18446744073709551615" } };

START_TEST(a_number_is_written_in_decimal)
{
    char out[ETCL_TEXT_NUMBER];

    ck_assert_str_eq(etcl_text_number(numbers[_i].value, out),
                     numbers[_i].want);
}
END_TEST

Suite *suite_text(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");

    tcase_add_rows(tests, an_integer_is_digits_with_a_minus_at_most, ints);
    tcase_add_rows(tests, a_size_is_digits_and_one_unit_at_most, sizes);
    tcase_add_rows(tests, a_content_length_is_digits_within_63_bits, lengths);
    tcase_add_rows(tests, a_fraction_is_digits_with_one_point_at_most, floats);
    tcase_add_rows(tests, a_flag_is_on_or_off, flags);
    tcase_add_loop_test(tests, every_byte_is_judged_as_the_standards_say, 0,
                        256);
    tcase_add_test(tests, an_empty_value_is_a_value_and_an_empty_name_is_none);
    tcase_add_rows(tests, a_status_line_is_three_digits_and_a_reason, statuses);
    tcase_add_rows(tests, hop_by_hop_headers_are_known_in_any_case, hops);
    tcase_add_test(tests, texts_are_the_same_without_case_in_ascii_only);
    tcase_add_rows(tests,
                   a_header_that_could_be_mistaken_for_another_is_dropped,
                   cgi_headers);
    tcase_add_test(tests, a_cgi_name_is_upper_case_with_underscores);
    tcase_add_rows(
        tests, escaped_text_cannot_forge_a_line_and_is_never_cut_in_an_escape,
        escapes);
    tcase_add_rows(tests, a_number_is_written_in_decimal, numbers);
    suite_add_tcase(suite, tests);
    return suite;
}

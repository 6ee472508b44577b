/* A worker's question for the client: answered, not answered, answered too
 * late, and by a peer that keeps to nothing. */

#include "etcl_alive.h"
#include "etcl_message.h"
#include "etcl_upload.h"

#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERIAL 7

static etcl_reply_t reply;
static etcl_link_t line;
static etcl_window_t window = { .fd = -1 };
static int child; /* the other end */

static void set_up(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    child = pair[0];
    line = (etcl_link_t){ .fd = pair[1], .tray.fd = -1 };
    ck_assert_int_eq(etcl_reply_create(&reply), APR_SUCCESS);
    etcl_reply_begin(&reply, &line, &window, SERIAL, (etcl_span_t){ NULL, 0 },
                     0);
}

static void tear_down(void)
{
    close(child);
    close(line.fd);
}

static void send_bytes(const etcl_packet_t *packet)
{
    ck_assert_int_eq(send(child, packet->ptr, packet->len, 0),
                     (ssize_t)packet->len);
}

static void tell(int gone, apr_uint32_t serial)
{
    char bytes[64];
    etcl_packet_t packet = { .ptr = bytes, .serial = serial };

    etcl_told_encode(gone, &packet);
    send_bytes(&packet);
}

static int ask(void)
{
    return etcl_alive_gone(&reply.base);
}

/* How many questions have come. */
static int questions(void)
{
    char bytes[64];
    etcl_span_t packet = { bytes, 0 };
    etcl_frame_t frame;
    ssize_t len;
    int count = 0;

    while ((len = recv(child, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
        packet = (etcl_span_t){ bytes, (apr_size_t)len };
        ck_assert_int_eq(etcl_frame_next(&packet, &frame), APR_SUCCESS);
        ck_assert_int_eq(frame.type, ETCL_FRAME_ASK);
        count++;
    }
    return count;
}

START_TEST(the_answer_is_heard)
{
    tell(0, SERIAL);
    ck_assert_int_eq(ask(), 0);
    tell(1, SERIAL);
    ck_assert_int_eq(ask(), 1);
    ck_assert_int_eq(questions(), 2);
    ck_assert_int_eq(ask(), 1);
    ck_assert_int_eq(questions(), 0);
}
END_TEST

START_TEST(without_an_answer_it_asks_once_and_the_client_is_there)
{
    ck_assert_int_eq(ask(), 0);
    ck_assert_int_eq(ask(), 0);
    ck_assert_int_eq(questions(), 1);
    tell(1, SERIAL);
    ck_assert_int_eq(ask(), 1);
}
END_TEST

START_TEST(a_reader_of_the_body_meets_the_answer_first)
{
    char bytes[256], into[100];
    etcl_packet_t packet = { .ptr = bytes, .serial = SERIAL };
    apr_size_t got;

    ck_assert_int_eq(ask(), 0);
    tell(1, SERIAL);
    etcl_packet_add(&packet, ETCL_FRAME_BODY, ETCL_FRAME_LAST,
                    ETCL_SPAN("hello"));
    send_bytes(&packet);
    ck_assert_int_eq(etcl_upload_read(&reply.base, into, 5, 1, &got),
                     APR_SUCCESS);
    ck_assert_uint_eq(got, 5);
    ck_assert_mem_eq(into, "hello", 5);
    ck_assert_int_eq(ask(), 1);
}
END_TEST

START_TEST(what_was_not_asked_breaks_the_link)
{
    ck_assert_int_eq(ask(), 0);
    tell(0, SERIAL + 1);
    ck_assert_int_eq(ask(), 1);
    ck_assert_int_eq(reply.box.broken, ETCL_EGONE);
}
END_TEST

START_TEST(a_peer_that_has_gone_is_a_client_that_has)
{
    close(child);
    ck_assert_int_eq(ask(), 1);
    child = -1;
}
END_TEST

START_TEST(a_late_answer_is_known_by_its_call)
{
    char bytes[64];
    etcl_packet_t packet = { .ptr = bytes, .serial = SERIAL };
    etcl_span_t whole;

    etcl_told_encode(0, &packet);
    whole = (etcl_span_t){ bytes, packet.len };
    ck_assert_int_eq(etcl_alive_is_late(whole, SERIAL), 1);
    ck_assert_int_eq(etcl_alive_is_late(whole, SERIAL + 1), 0);
    etcl_packet_add(&packet, ETCL_FRAME_CALL, 0, ETCL_SPAN("call"));
    whole.len = packet.len;
    ck_assert_int_eq(etcl_alive_is_late(whole, SERIAL), 0);
}
END_TEST

Suite *suite_alive(void)
{
    Suite *suite = suite_create("alive");
    TCase *tests = tcase_create("alive");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_answer_is_heard);
    tcase_add_test(tests,
                   without_an_answer_it_asks_once_and_the_client_is_there);
    tcase_add_test(tests, a_reader_of_the_body_meets_the_answer_first);
    tcase_add_test(tests, what_was_not_asked_breaks_the_link);
    tcase_add_test(tests, a_peer_that_has_gone_is_a_client_that_has);
    tcase_add_test(tests, a_late_answer_is_known_by_its_call);
    suite_add_tcase(suite, tests);
    return suite;
}

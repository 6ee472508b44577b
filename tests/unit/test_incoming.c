/* Calls in one packet and in several, and peers that keep to nothing. */

#include "etcl_incoming.h"

#include "rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static etcl_incoming_t incoming;
static etcl_line_t line;
static char spare[ETCL_PACKET_MAX];
static int child; /* the other end */

static void set_up(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    child = pair[0];
    line = (etcl_line_t){ .link = { .fd = pair[1], .tray.fd = -1 } };
    ck_assert_int_eq(etcl_incoming_create(&incoming, spare), APR_SUCCESS);
}

static void tear_down(void)
{
    close(child);
    close(line.link.fd);
    free(incoming.in);
}

/* A letter is a frame, a space the end of a packet: 'c' a call that continues,
 * 'C' its end, 'b' and 'B' of a body, 'O' a call of another serial, 'P' what
 * only a worker says. */
static void send_packets(const char *letters)
{
    char bytes[256];
    etcl_packet_t packet = { .ptr = bytes, .serial = 7 };

    for (;; letters++) {
        if (*letters && *letters != ' ') {
            packet.serial = *letters == 'O' ? 8 : 7;
            etcl_packet_add(&packet,
                            strchr("cCO", *letters)  ? ETCL_FRAME_CALL
                            : strchr("bB", *letters) ? ETCL_FRAME_BODY
                                                     : ETCL_FRAME_PULL,
                            *letters == 'c'   ? ETCL_FRAME_MORE
                            : *letters == 'B' ? ETCL_FRAME_LAST
                                              : 0,
                            (etcl_span_t){ letters, 1 });
            continue;
        }
        ck_assert_int_eq(send(child, bytes, packet.len, 0),
                         (ssize_t)packet.len);
        packet.len = 0;
        if (!*letters) {
            return;
        }
    }
}

static apr_status_t take(void)
{
    etcl_span_t packet;

    ck_assert_int_eq(etcl_incoming_packet(&incoming, &line, 0, &packet),
                     APR_SUCCESS);
    return etcl_incoming_call(&incoming, &line, packet);
}

static const struct {
    const char *packets, *call, *body;
    int whole;
} good[] = { { "C", "C", "", 0 },
             { "CB", "C", "B", 1 },
             { "c c C", "ccC", "", 0 },
             { "c CB", "cC", "B", 1 },
             { "Cb b B", "C", "bbB", 1 } };

START_TEST(a_call_and_what_rides_with_it_are_put_together)
{
    send_packets(good[_i].packets);
    ck_assert_int_eq(take(), APR_SUCCESS);
    ck_assert(etcl_span_is(incoming.call.payload, good[_i].call));
    ck_assert_uint_eq(incoming.body.len, strlen(good[_i].body));
    ck_assert(!incoming.body.len || etcl_span_is(incoming.body, good[_i].body));
    ck_assert_int_eq(incoming.whole, good[_i].whole);
}
END_TEST

static const char *const bad[] = { "B",    "P",    "CC",     "CP",   "cC",
                                   "c O",  "c B",  "c P",    "CBB",  "CbB",
                                   "Cb C", "Cb P", "c Cb O", "Cb BB" };

START_TEST(what_is_no_call_closes_the_link)
{
    send_packets(bad[_i]);
    ck_assert_int_eq(take(), ETCL_EPROTO);
}
END_TEST

START_TEST(a_call_is_not_taken_twice)
{
    line.serial = 7;
    send_packets("C");
    ck_assert_int_eq(take(), ETCL_EPROTO);
}
END_TEST

START_TEST(what_breaks_off_closes_the_link)
{
    send_packets("Cb");
    shutdown(child, SHUT_RDWR);
    ck_assert_int_ne(take(), APR_SUCCESS);
}
END_TEST

Suite *suite_incoming(void)
{
    Suite *suite = suite_create("incoming");
    TCase *tests = tcase_create("incoming");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_rows(tests, a_call_and_what_rides_with_it_are_put_together, good);
    tcase_add_rows(tests, what_is_no_call_closes_the_link, bad);
    tcase_add_test(tests, a_call_is_not_taken_twice);
    tcase_add_test(tests, what_breaks_off_closes_the_link);
    suite_add_tcase(suite, tests);
    return suite;
}

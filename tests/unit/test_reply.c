/* An answer in packets, and what becomes of it when something goes wrong. */

#include "etcl_clock.h"
#include "etcl_message.h"
#include "etcl_reply.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static etcl_reply_t reply;
static etcl_link_t line;
static etcl_window_t window;
static int child; /* the other end */
static char packet[ETCL_PACKET_MAX];

static void set_up(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    child = pair[0];
    line = (etcl_link_t){ .fd = pair[1], .tray.fd = -1 };
    window = (etcl_window_t){ .fd = -1 };
    ck_assert_int_eq(etcl_reply_create(&reply), APR_SUCCESS);
    etcl_reply_begin(&reply, &line, &window, 7, (etcl_span_t){ NULL, 0 }, 1);
}

static void tear_down(void)
{
    etcl_window_destroy(&window);
    close(child);
    close(line.fd);
    free(reply.in);
    free(reply.box.out.ptr);
}

static char letter(const etcl_frame_t *frame)
{
    switch (frame->type) {
    case ETCL_FRAME_HEAD_:
        return frame->flags & ETCL_FRAME_MORE ? 'h' : 'H';
    case ETCL_FRAME_DATA:
        return 'D';
    case ETCL_FRAME_WINDOW:
        return 'W';
    case ETCL_FRAME_LOG:
        return 'L';
    case ETCL_FRAME_END:
        return 'E';
    case ETCL_FRAME_ABORT:
        return 'A';
    default:
        return '?';
    }
}

/* The next packet has these frames; "": none has come; ".": the end. */
static void comes(const char *frames)
{
    ssize_t len = recv(child, packet, sizeof(packet), MSG_DONTWAIT);
    etcl_span_t rest = { packet, len > 0 ? (apr_size_t)len : 0 };
    char found[16] = "";
    etcl_frame_t frame;
    size_t i;

    for (i = 0; i < sizeof(found) - 1 && rest.len; i++) {
        ck_assert_int_eq(etcl_frame_next(&rest, &frame), APR_SUCCESS);
        ck_assert_uint_eq(frame.serial, 7);
        found[i] = letter(&frame);
    }
    ck_assert_str_eq(len ? found : ".", frames);
}

static void begin(void)
{
    etcl_head_t head = { .status = 200, .content_length = -1 };

    ck_assert_int_eq(reply.base.ops->begin(&reply.base, &head), APR_SUCCESS);
}

static apr_status_t give(const char *block, unsigned int how)
{
    return reply.base.ops->write(&reply.base, etcl_span(block), how);
}

static void end(etcl_answer_end_t how)
{
    etcl_answer_t answer = { .end = how, .status = 500, .promised = -1 };

    ck_assert_int_eq(etcl_reply_end(&reply, &answer), APR_SUCCESS);
}

/* Until the socket takes nothing more; returns how many packets it took. */
static int fill_up(void)
{
    int count = 0;

    while (send(line.fd, packet, sizeof(packet), MSG_DONTWAIT) > 0) {
        count++;
    }
    return count;
}

static void drain(int count)
{
    while (count--) {
        ck_assert_int_gt(recv(child, packet, sizeof(packet), 0), 0);
    }
}

START_TEST(a_small_answer_is_one_packet)
{
    begin();
    ck_assert_int_eq(give("a", ETCL_WRITE_HOLD), APR_SUCCESS);
    comes("");
    end(ETCL_ANSWER_DONE);
    comes("HDE");
    comes("");
}
END_TEST

START_TEST(what_is_not_held_leaves_at_once)
{
    begin();
    ck_assert_int_eq(give("a", 0), APR_SUCCESS);
    comes("HD");
    end(ETCL_ANSWER_DONE);
    comes("E");
}
END_TEST

START_TEST(a_long_head_goes_in_pieces)
{
    etcl_header_t header = { ETCL_SPAN("X-Long"), { packet, 60000 } };
    etcl_header_t twice[] = { header, header };
    etcl_head_t head = {
        .status = 200, .headers = twice, .header_count = 2, .content_length = -1
    };

    memset(packet, 'x', sizeof(packet));
    ck_assert_int_eq(reply.base.ops->begin(&reply.base, &head), APR_SUCCESS);
    end(ETCL_ANSWER_DONE);
    comes("h");
    comes("HE");
}
END_TEST

START_TEST(a_large_block_crosses_beside_the_packet)
{
    static char block[200000];

    begin();
    ck_assert_int_eq(reply.base.ops->write(
                         &reply.base, (etcl_span_t){ block, sizeof(block) },
                         ETCL_WRITE_HOLD),
                     APR_SUCCESS);
    end(ETCL_ANSWER_DONE);
    comes("HW");
    comes("E");
}
END_TEST

START_TEST(an_answer_that_fails_in_time_leaves_nothing_of_itself)
{
    begin();
    ck_assert_int_eq(give("a", ETCL_WRITE_HOLD), APR_SUCCESS);
    end(ETCL_ANSWER_FAILED);
    comes("A");
}
END_TEST

START_TEST(an_answer_that_fails_late_breaks_off)
{
    etcl_span_t rest;
    etcl_frame_t frame;
    etcl_answer_t answer;

    begin();
    ck_assert_int_eq(give("a", 0), APR_SUCCESS);
    comes("HD");
    end(ETCL_ANSWER_FAILED);
    rest = (etcl_span_t){ packet,
                          (apr_size_t)recv(child, packet, sizeof(packet), 0) };
    ck_assert_int_eq(etcl_frame_next(&rest, &frame), APR_SUCCESS);
    ck_assert_int_eq(etcl_end_decode(&frame, &answer), APR_SUCCESS);
    ck_assert_int_eq(answer.end, ETCL_ANSWER_ABORTED);
}
END_TEST

START_TEST(what_would_wait_is_not_taken)
{
    int count = fill_up();

    begin();
    ck_assert_int_eq(give("a", ETCL_WRITE_NOWAIT), APR_EAGAIN);
    drain(count);
    ck_assert_int_eq(give("b", ETCL_WRITE_NOWAIT), APR_SUCCESS);
    comes("HD");
    end(ETCL_ANSWER_DONE);
    comes("E");
}
END_TEST

START_TEST(a_log_entry_that_would_wait_is_kept_though_the_answer_fails)
{
    int count = fill_up();

    reply.base.ops->log(&reply.base, ETCL_LOG_ERR, ETCL_SPAN("first"));
    begin();
    ck_assert_int_eq(give("a", ETCL_WRITE_HOLD), APR_SUCCESS);
    drain(count);
    end(ETCL_ANSWER_FAILED);
    comes("LA");
}
END_TEST

START_TEST(a_long_log_entry_is_cut_behind_a_line)
{
    static char text[20001];
    etcl_span_t rest, body;
    etcl_frame_t frame;
    etcl_level_t level;

    memset(text, 'x', sizeof(text) - 1);
    text[9999] = '\n';
    reply.base.ops->log(&reply.base, ETCL_LOG_ERR, etcl_span(text));
    rest = (etcl_span_t){ packet,
                          (apr_size_t)recv(child, packet, sizeof(packet), 0) };
    ck_assert_int_eq(etcl_frame_next(&rest, &frame), APR_SUCCESS);
    ck_assert_int_eq(etcl_log_decode(frame.payload, &level, &body),
                     APR_SUCCESS);
    ck_assert_uint_eq(body.len, 10000);
    comes("L");
}
END_TEST

START_TEST(a_complete_answer_lingers_until_it_is_hurried)
{
    begin();
    ck_assert_int_eq(give("a", ETCL_WRITE_NOWAIT | ETCL_WRITE_LAST),
                     APR_SUCCESS);
    ck_assert_int_eq(etcl_outbox_hurry(&reply.box, 0), 0);
    comes("");
    ck_assert_int_eq(etcl_outbox_hurry(&reply.box, etcl_clock_us()), 1);
    comes("HD");
    end(ETCL_ANSWER_DONE);
    comes("E");
}
END_TEST

START_TEST(a_complete_answer_is_not_hurried_once_its_end_is_there)
{
    begin();
    ck_assert_int_eq(give("a", ETCL_WRITE_NOWAIT | ETCL_WRITE_LAST),
                     APR_SUCCESS);
    end(ETCL_ANSWER_DONE);
    ck_assert_int_eq(etcl_outbox_hurry(&reply.box, etcl_clock_us()), 1);
    comes("HDE");
    comes("");
}
END_TEST

START_TEST(another_answers_where_nothing_has_left)
{
    begin();
    ck_assert_int_eq(give("a", ETCL_WRITE_HOLD), APR_SUCCESS);
    etcl_outbox_take_over(&reply.box, 504);
    comes("A");
    comes(".");
    ck_assert_int_ne(give("b", 0), APR_SUCCESS);
}
END_TEST

START_TEST(another_breaks_off_what_has_begun)
{
    begin();
    ck_assert_int_eq(give("a", 0), APR_SUCCESS);
    comes("HD");
    etcl_outbox_take_over(&reply.box, 504);
    comes(".");
}
END_TEST

Suite *suite_reply(void)
{
    Suite *suite = suite_create("reply");
    TCase *tests = tcase_create("reply");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_small_answer_is_one_packet);
    tcase_add_test(tests, what_is_not_held_leaves_at_once);
    tcase_add_test(tests, a_long_head_goes_in_pieces);
    tcase_add_test(tests, a_large_block_crosses_beside_the_packet);
    tcase_add_test(tests,
                   an_answer_that_fails_in_time_leaves_nothing_of_itself);
    tcase_add_test(tests, an_answer_that_fails_late_breaks_off);
    tcase_add_test(tests, what_would_wait_is_not_taken);
    tcase_add_test(tests,
                   a_log_entry_that_would_wait_is_kept_though_the_answer_fails);
    tcase_add_test(tests, a_long_log_entry_is_cut_behind_a_line);
    tcase_add_test(tests, a_complete_answer_lingers_until_it_is_hurried);
    tcase_add_test(tests,
                   a_complete_answer_is_not_hurried_once_its_end_is_there);
    tcase_add_test(tests, another_answers_where_nothing_has_left);
    tcase_add_test(tests, another_breaks_off_what_has_begun);
    suite_add_tcase(suite, tests);
    return suite;
}

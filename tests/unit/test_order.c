/* Orders to a template: descriptors cross, or nothing is left of them. */

#include "etcl_order.h"
#include "rows.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS 6

static int pair[2];
static int nulls[FDS];

static void open_all(void)
{
    int i;

    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    for (i = 0; i < FDS; i++) {
        nulls[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(nulls[i], 0);
    }
}

static etcl_order_fds_t order_of(int ledger)
{
    return (etcl_order_fds_t){ nulls[0], nulls[1], nulls[2],
                               nulls[3], nulls[4], ledger };
}

static void send_bytes(const void *bytes, size_t len, const int *fds, int count)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(32 * sizeof(int))];
    } extra = { .bytes = "" };
    struct iovec part = { (void *)(apr_uintptr_t)bytes, len };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (count) {
        message.msg_control = extra.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        extra.head =
            (struct cmsghdr){ .cmsg_len = CMSG_LEN((size_t)count * sizeof(int)),
                              .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&extra.head), fds, (size_t)count * sizeof(int));
    }
    ck_assert_int_eq(sendmsg(pair[0], &message, 0), (int)len);
}

static int next_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

START_TEST(an_order_brings_its_slot_and_its_descriptors)
{
    etcl_order_fds_t sent, got;
    int slot = -1;

    open_all();
    sent = order_of(nulls[5]);
    ck_assert_int_eq(etcl_order_send(pair[0], 7, &sent), APR_SUCCESS);
    ck_assert_int_eq(etcl_order_recv(pair[1], &slot, &got), APR_SUCCESS);
    ck_assert_int_eq(slot, 7);
    ck_assert_int_eq(fcntl(got.control_fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(got.ledger_fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_gt(got.ledger_fd, nulls[5]);
}
END_TEST

START_TEST(a_worker_may_do_without_a_ledger)
{
    etcl_order_fds_t sent, got;
    int slot;

    open_all();
    sent = order_of(-1);
    ck_assert_int_eq(etcl_order_send(pair[0], 0, &sent), APR_SUCCESS);
    ck_assert_int_eq(etcl_order_recv(pair[1], &slot, &got), APR_SUCCESS);
    ck_assert_int_eq(fcntl(got.log_fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(got.ledger_fd, -1);
}
END_TEST

/* Bytes of the packet, and how many descriptors come with it. */
static const struct {
    size_t len;
    int count;
} bad_orders[] = {
    { sizeof(int), 0 },       { sizeof(int), 1 }, { sizeof(int), FDS - 2 },
    { sizeof(int), FDS + 6 }, { 1, FDS },
};

START_TEST(an_order_without_all_of_them_is_none_and_leaves_nothing_open)
{
    etcl_order_fds_t got;
    int slot = 0, many[FDS + 6], before, i;

    open_all();
    for (i = 0; i < FDS + 6; i++) {
        many[i] = nulls[0];
    }
    before = next_fd();
    send_bytes(&slot, bad_orders[_i].len, many, bad_orders[_i].count);
    ck_assert_int_eq(etcl_order_recv(pair[1], &slot, &got), ETCL_EPROTO);
    ck_assert_int_eq(next_fd(), before);
}
END_TEST

START_TEST(a_supervisor_that_has_gone_is_the_end)
{
    etcl_order_fds_t got;
    int slot;

    open_all();
    close(pair[0]);
    ck_assert_int_eq(etcl_order_recv(pair[1], &slot, &got), APR_EOF);
}
END_TEST

START_TEST(a_template_that_has_gone_gets_no_orders)
{
    etcl_order_fds_t sent;

    open_all();
    sent = order_of(nulls[5]);
    close(pair[1]);
    ck_assert_int_ne(etcl_order_send(pair[0], 0, &sent), APR_SUCCESS);
}
END_TEST

Suite *suite_order(void)
{
    Suite *suite = suite_create("order");
    TCase *tests = tcase_create("order");

    tcase_add_test(tests, an_order_brings_its_slot_and_its_descriptors);
    tcase_add_test(tests, a_worker_may_do_without_a_ledger);
    tcase_add_loop_test(
        tests, an_order_without_all_of_them_is_none_and_leaves_nothing_open, 0,
        (int)(sizeof(bad_orders) / sizeof(*bad_orders)));
    tcase_add_test(tests, a_supervisor_that_has_gone_is_the_end);
    tcase_add_test(tests, a_template_that_has_gone_gets_no_orders);
    suite_add_tcase(suite, tests);
    return suite;
}

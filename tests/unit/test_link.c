/* Links on real sockets: what a peer can do to us, and what we can rely on
 * when a peer retires or dies. */

#include "hostile.h"
#include "etcl_clock.h"
#include "etcl_link.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static char folder[32];
static char path[64];
static char memory[ETCL_PACKET_MAX];
static etcl_link_t here, there;

static void set_up(void)
{
    int ends[2];

    strcpy(folder, "/tmp/etcl-link-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
    here = (etcl_link_t){ .fd = ends[0] };
    there = (etcl_link_t){ .fd = ends[1] };
}

static void tear_down(void)
{
    etcl_link_close(&here);
    etcl_link_close(&there);
    unlink(path);
    rmdir(folder);
}

static int open_fds(void)
{
    int fd, count = 0;

    for (fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static apr_status_t recv_here(etcl_span_t *packet, int *fd, int nowait)
{
    packet->ptr = memory;
    return etcl_link_recv(&here, memory, &packet->len, fd, nowait);
}

static void assert_recv(const char *want)
{
    etcl_span_t packet;
    int fd;

    ck_assert_int_eq(recv_here(&packet, &fd, 0), APR_SUCCESS);
    ck_assert_int_eq(fd, -1);
    hostile_same(packet, etcl_span(want));
}

static void assert_no_recv(apr_status_t want, int nowait)
{
    etcl_span_t packet;
    int fd = 77;

    ck_assert_int_eq(recv_here(&packet, &fd, nowait), want);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(packet.len, 0);
}

/* As many descriptors as wanted, as a hostile peer would send them. */
static void send_fds(const char *text, int count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec part = { memory, strlen(text) };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen =
                                  CMSG_SPACE((size_t)count * sizeof(int)) };
    struct cmsghdr *entry = CMSG_FIRSTHDR(&message);
    int i;

    memcpy(memory, text, strlen(text));
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    for (i = 0; i < count; i++) {
        memcpy(CMSG_DATA(entry) + (size_t)i * sizeof(int), &there.fd,
               sizeof(int));
    }
    ck_assert_int_ge(sendmsg(there.fd, &message, 0), 0);
}

START_TEST(packets_keep_their_bounds_and_their_order)
{
    ck_assert_int_eq(etcl_link_send(&there, ETCL_SPAN("one"), -1, 0),
                     APR_SUCCESS);
    ck_assert_int_eq(etcl_link_send(&there, ETCL_SPAN("two"), -1, 1),
                     APR_SUCCESS);
    assert_recv("one");
    assert_recv("two");
    assert_no_recv(APR_EAGAIN, 1);
}
END_TEST

START_TEST(a_packet_of_64_kib_passes_and_one_byte_more_does_not)
{
    static char big[ETCL_PACKET_MAX + 1];
    etcl_span_t packet;
    int fd;

    big[ETCL_PACKET_MAX - 1] = 'z';
    etcl_link_send(&there, (etcl_span_t){ big, ETCL_PACKET_MAX }, -1, 0);
    ck_assert_int_eq(recv_here(&packet, &fd, 0), APR_SUCCESS);
    ck_assert_uint_eq(packet.len, ETCL_PACKET_MAX);
    ck_assert_int_eq(memory[ETCL_PACKET_MAX - 1], 'z');
    etcl_link_send(&there, (etcl_span_t){ big, sizeof(big) }, -1, 0);
    assert_no_recv(ETCL_EPROTO, 0);
}
END_TEST

START_TEST(a_descriptor_arrives_with_its_packet_and_closes_on_exec)
{
    struct stat sent, got;
    etcl_span_t packet;
    int fd, file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    etcl_link_send(&there, ETCL_SPAN("before"), -1, 0);
    ck_assert_int_eq(etcl_link_send(&there, ETCL_SPAN("with"), file, 0),
                     APR_SUCCESS);
    etcl_link_send(&there, ETCL_SPAN("behind"), -1, 0);
    assert_recv("before");
    ck_assert_int_eq(recv_here(&packet, &fd, 0), APR_SUCCESS);
    hostile_same(packet, ETCL_SPAN("with"));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fd, file);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    fstat(file, &sent);
    fstat(fd, &got);
    ck_assert_uint_eq(sent.st_ino, got.st_ino);
    assert_recv("behind");
    close(fd);
    close(file);
}
END_TEST

static const int floods[] = { 2, 3, 4, 5, 8, 64 };

START_TEST(a_flood_of_descriptors_is_refused_and_leaves_none_behind)
{
    int before = open_fds();

    send_fds("flood", floods[_i]);
    assert_no_recv(ETCL_EPROTO, 0);
    ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(descriptors_with_an_empty_packet_are_closed)
{
    int before = open_fds();

    send_fds("", 1);
    assert_no_recv(APR_EOF, 0);
    ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(a_descriptor_of_a_packet_too_big_is_closed)
{
    static char big[ETCL_PACKET_MAX + 1];
    int before = open_fds();

    etcl_link_send(&there, (etcl_span_t){ big, sizeof(big) }, here.fd, 0);
    assert_no_recv(ETCL_EPROTO, 0);
    ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(waiting_to_receive_ends_at_the_timeout)
{
    apr_int64_t before = etcl_clock_us(), took;

    ck_assert_int_eq(etcl_link_timeout(&here, 50000), APR_SUCCESS);
    assert_no_recv(APR_TIMEUP, 0);
    took = etcl_clock_us() - before;
    ck_assert_int_ge(took, 40000);
    ck_assert_int_lt(took, 2000000);
    ck_assert_int_eq(here.timeout_us, 50000);
    ck_assert_int_eq(etcl_link_timeout(&here, 0), APR_SUCCESS);
    ck_assert_int_eq(here.timeout_us, 0);
}
END_TEST

START_TEST(waiting_to_send_ends_at_the_timeout_and_nowait_does_not_wait)
{
    apr_status_t rv = APR_SUCCESS;
    int packets = 0;

    while (rv == APR_SUCCESS && packets++ < 10000) {
        rv = etcl_link_send(&there, ETCL_SPAN("fill"), -1, 1);
    }
    ck_assert_int_eq(rv, APR_EAGAIN);
    etcl_link_timeout(&there, 50000);
    ck_assert_int_eq(etcl_link_send(&there, ETCL_SPAN("late"), -1, 0),
                     APR_TIMEUP);
}
END_TEST

START_TEST(a_peer_that_closed_is_the_end_of_file)
{
    etcl_link_send(&there, ETCL_SPAN("last words"), -1, 0);
    etcl_link_close(&there);
    assert_recv("last words");
    assert_no_recv(APR_EOF, 0);
    assert_no_recv(APR_EOF, 1);
    ck_assert_int_eq(etcl_link_send(&here, ETCL_SPAN("x"), -1, 0), APR_EPIPE);
}
END_TEST

/* The kernel reports the unread packet before it gives what was sent. */
START_TEST(words_of_a_peer_that_did_not_listen_are_not_lost)
{
    etcl_link_send(&here, ETCL_SPAN("never read"), -1, 0);
    etcl_link_send(&there, ETCL_SPAN("answer"), -1, 0);
    etcl_link_close(&there);
    assert_recv("answer");
    assert_no_recv(APR_EOF, 0);
}
END_TEST

START_TEST(sending_to_a_peer_that_died_is_not_received_twice_over)
{
    etcl_link_send(&here, ETCL_SPAN("never read"), -1, 0);
    etcl_link_close(&there);
    ck_assert_int_eq(etcl_link_send(&here, ETCL_SPAN("a"), -1, 0), APR_EPIPE);
    ck_assert_int_eq(etcl_link_send(&here, ETCL_SPAN("b"), -1, 0), APR_EPIPE);
}
END_TEST

/* "Retiring loses nothing": after SHUT_RD the kernel refuses new packets, the
 * queued ones are still read, and the answers still get through. */
START_TEST(a_worker_that_retires_refuses_new_packets_and_reads_the_old)
{
    size_t len;
    int fd;

    etcl_link_send(&here, ETCL_SPAN("call 1"), -1, 0);
    etcl_link_send(&here, ETCL_SPAN("call 2"), -1, 0);
    ck_assert_int_eq(shutdown(there.fd, SHUT_RD), 0);
    ck_assert_int_eq(etcl_link_send(&here, ETCL_SPAN("call 3"), -1, 0),
                     APR_EPIPE);
    ck_assert_int_eq(etcl_link_send(&here, ETCL_SPAN("call 3"), -1, 1),
                     APR_EPIPE);
    ck_assert_int_eq(etcl_link_recv(&there, memory, &len, &fd, 1), APR_SUCCESS);
    hostile_same((etcl_span_t){ memory, len }, ETCL_SPAN("call 1"));
    ck_assert_int_eq(etcl_link_recv(&there, memory, &len, &fd, 1), APR_SUCCESS);
    hostile_same((etcl_span_t){ memory, len }, ETCL_SPAN("call 2"));
    ck_assert_int_eq(etcl_link_recv(&there, memory, &len, &fd, 1), APR_EOF);
    ck_assert_int_eq(etcl_link_send(&there, ETCL_SPAN("REFUSE"), -1, 0),
                     APR_SUCCESS);
    assert_recv("REFUSE");
}
END_TEST

/* A sender that waits for room is told, too. */
START_TEST(a_sender_that_waits_is_woken_when_the_worker_retires)
{
    pid_t pid;
    int status;

    while (etcl_link_send(&here, ETCL_SPAN("fill"), -1, 1) == APR_SUCCESS) {
    }
    pid = fork();
    if (!pid) {
        etcl_link_timeout(&here, 5000000);
        _exit(etcl_link_send(&here, ETCL_SPAN("x"), -1, 0) != APR_EPIPE);
    }
    usleep(50000);
    shutdown(there.fd, SHUT_RD);
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_socket_is_for_its_owner_only)
{
    mode_t before = umask(0);
    struct stat found;
    int fd;

    ck_assert_int_eq(
        etcl_link_listen(path, geteuid() ? geteuid() : NOBODY, 5, &fd),
        APR_SUCCESS);
    ck_assert_int_eq(stat(path, &found), 0);
    ck_assert(S_ISSOCK(found.st_mode));
    ck_assert_uint_eq(found.st_mode & 07777, 0600);
    ck_assert_uint_eq(found.st_uid, geteuid() ? geteuid() : NOBODY);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
    umask(before);
}
END_TEST

START_TEST(a_socket_that_somebody_has_stays_and_he_hears_nothing)
{
    int fd, second;

    etcl_link_listen(path, geteuid(), 5, &fd);
    etcl_link_remove_stale(path);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(etcl_link_listen(path, geteuid(), 5, &second), EADDRINUSE);
    etcl_link_close(&there);
    ck_assert_int_eq(etcl_link_accept(&there, fd, geteuid()), APR_EAGAIN);
    close(fd);
    etcl_link_remove_stale(path);
    ck_assert_int_ne(access(path, F_OK), 0);
    etcl_link_remove_stale(path);
}
END_TEST

START_TEST(a_stale_socket_is_replaced_and_a_file_is_not)
{
    int fd;

    etcl_link_listen(path, geteuid(), 5, &fd);
    close(fd);
    ck_assert_int_eq(etcl_link_listen(path, geteuid(), 5, &fd), APR_SUCCESS);
    close(fd);
    unlink(path);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ck_assert_int_eq(etcl_link_listen(path, geteuid(), 5, &fd), EADDRINUSE);
    ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_named_as_such)
{
    char name[109] = "/tmp/";
    int fd = -1;

    memset(name + 5, 'x', 103);
    ck_assert_int_eq(etcl_link_listen(name, geteuid(), 5, &fd),
                     APR_ENAMETOOLONG);
    ck_assert_int_eq(etcl_link_connect(&there, name, geteuid(), 0),
                     APR_ENAMETOOLONG);
    ck_assert_int_eq(there.fd, -1);
    name[107] = '\0';
    ck_assert_int_eq(etcl_link_listen(name, geteuid(), 5, &fd), APR_SUCCESS);
    close(fd);
    unlink(name);
}
END_TEST

START_TEST(connecting_and_accepting_make_a_link)
{
    etcl_link_t child, worker;
    apr_size_t len;
    int listener, fd;

    etcl_link_listen(path, geteuid(), 5, &listener);
    ck_assert_int_eq(etcl_link_accept(&worker, listener, geteuid()),
                     APR_EAGAIN);
    ck_assert_int_eq(worker.fd, -1);
    ck_assert_int_eq(etcl_link_connect(&child, path, geteuid(), 1000000),
                     APR_SUCCESS);
    ck_assert_int_eq(child.timeout_us, 1000000);
    ck_assert_int_eq(etcl_link_accept(&worker, listener, geteuid()),
                     APR_SUCCESS);
    etcl_link_send(&child, ETCL_SPAN("HELLO"), -1, 0);
    ck_assert_int_eq(etcl_link_recv(&worker, memory, &len, &fd, 0),
                     APR_SUCCESS);
    hostile_same((etcl_span_t){ memory, len }, ETCL_SPAN("HELLO"));
    ck_assert_int_eq(fcntl(worker.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fcntl(child.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    etcl_link_close(&child);
    etcl_link_close(&worker);
    ck_assert_int_eq(worker.fd, -1);
    close(listener);
}
END_TEST

START_TEST(connecting_fails_as_the_kernel_says)
{
    etcl_link_t child;
    int listener;

    ck_assert_int_eq(etcl_link_connect(&child, path, geteuid(), 0), ENOENT);
    etcl_link_listen(path, geteuid(), 5, &listener);
    close(listener);
    ck_assert_int_eq(etcl_link_connect(&child, path, geteuid(), 0),
                     ECONNREFUSED);
    ck_assert_int_eq(child.fd, -1);
}
END_TEST

START_TEST(connecting_to_a_full_backlog_ends_at_the_timeout)
{
    etcl_link_t children[8];
    apr_status_t rv = APR_SUCCESS;
    int listener, i;

    etcl_link_listen(path, geteuid(), 1, &listener);
    for (i = 0; i < 8 && rv == APR_SUCCESS; i++) {
        rv = etcl_link_connect(&children[i], path, geteuid(), 50000);
    }
    ck_assert_int_eq(rv, APR_TIMEUP);
    while (i--) {
        etcl_link_close(&children[i]);
    }
    close(listener);
}
END_TEST

START_TEST(a_listener_of_somebody_else_is_not_spoken_to)
{
    etcl_link_t child;
    int listener;

    etcl_link_listen(path, geteuid(), 5, &listener);
    ck_assert_int_eq(etcl_link_connect(&child, path, geteuid() + 1, 0),
                     ETCL_EDENIED);
    ck_assert_int_eq(child.fd, -1);
    close(listener);
}
END_TEST

/* Connects as nobody; needs root to become that. */
START_TEST(a_peer_of_another_user_is_sent_away)
{
    etcl_link_t worker;
    int listener, status;
    pid_t pid;

    if (geteuid()) {
        return;
    }
    chmod(folder, 0755);
    etcl_link_listen(path, NOBODY, 5, &listener);
    pid = fork();
    if (!pid) {
        etcl_link_t child;

        _exit(setuid(NOBODY) ||
              etcl_link_connect(&child, path, 0, 0) != APR_SUCCESS);
    }
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(etcl_link_accept(&worker, listener, 12345), ETCL_EDENIED);
    ck_assert_int_eq(worker.fd, -1);
    close(listener);
}
END_TEST

START_TEST(root_is_always_a_welcome_peer)
{
    etcl_link_t child, worker;
    int listener;

    if (geteuid()) {
        return;
    }
    etcl_link_listen(path, 0, 5, &listener);
    etcl_link_connect(&child, path, 0, 0);
    ck_assert_int_eq(etcl_link_accept(&worker, listener, 12345), APR_SUCCESS);
    etcl_link_close(&child);
    etcl_link_close(&worker);
    close(listener);
}
END_TEST

static void add_packet_tests(Suite *suite)
{
    TCase *tests = tcase_create("packets");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, packets_keep_their_bounds_and_their_order);
    tcase_add_test(tests, a_packet_of_64_kib_passes_and_one_byte_more_does_not);
    tcase_add_test(tests,
                   a_descriptor_arrives_with_its_packet_and_closes_on_exec);
    tcase_add_loop_test(
        tests, a_flood_of_descriptors_is_refused_and_leaves_none_behind, 0, 6);
    tcase_add_test(tests, descriptors_with_an_empty_packet_are_closed);
    tcase_add_test(tests, a_descriptor_of_a_packet_too_big_is_closed);
    tcase_add_test(tests, waiting_to_receive_ends_at_the_timeout);
    tcase_add_test(
        tests, waiting_to_send_ends_at_the_timeout_and_nowait_does_not_wait);
    tcase_add_test(tests, a_peer_that_closed_is_the_end_of_file);
    tcase_add_test(tests, words_of_a_peer_that_did_not_listen_are_not_lost);
    tcase_add_test(tests,
                   sending_to_a_peer_that_died_is_not_received_twice_over);
    tcase_add_test(tests,
                   a_worker_that_retires_refuses_new_packets_and_reads_the_old);
    tcase_add_test(tests, a_sender_that_waits_is_woken_when_the_worker_retires);
    suite_add_tcase(suite, tests);
}

static void add_connect_tests(Suite *suite)
{
    TCase *tests = tcase_create("connecting");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_socket_is_for_its_owner_only);
    tcase_add_test(tests,
                   a_socket_that_somebody_has_stays_and_he_hears_nothing);
    tcase_add_test(tests, a_stale_socket_is_replaced_and_a_file_is_not);
    tcase_add_test(tests, a_path_too_long_for_a_socket_is_named_as_such);
    tcase_add_test(tests, connecting_and_accepting_make_a_link);
    tcase_add_test(tests, connecting_fails_as_the_kernel_says);
    tcase_add_test(tests, connecting_to_a_full_backlog_ends_at_the_timeout);
    tcase_add_test(tests, a_listener_of_somebody_else_is_not_spoken_to);
    tcase_add_test(tests, a_peer_of_another_user_is_sent_away);
    tcase_add_test(tests, root_is_always_a_welcome_peer);
    suite_add_tcase(suite, tests);
}

Suite *suite_link(void)
{
    Suite *suite = suite_create("link");

    add_packet_tests(suite);
    add_connect_tests(suite);
    return suite;
}

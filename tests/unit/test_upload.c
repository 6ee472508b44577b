/* Bodies that are laid in a tray, against a real worker: what arrives, and
 * that it believes nothing that a tray cannot hold. */

#include "rig.h"
#include "rows.h"
#include "etcl_message.h"
#include "etcl_tray.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char app[] =
    "import hashlib\n"
    "def application(environ, start_response):\n"
    "    body = environ['wsgi.input']\n"
    "    size = int(environ['PATH_INFO'][1:])\n"
    "    digest = hashlib.sha256()\n"
    "    while block := body.read(size):\n"
    "        digest.update(block)\n"
    "    want = hashlib.sha256()\n"
    "    for at in range(0, 1000000, 250000):\n"
    "        want.update(bytes([65 + at // 250000]) * 250000)\n"
    "    start_response('200 OK', [])\n"
    "    same = digest.digest() == want.digest()\n"
    "    return [b'same' if same else b'other']\n";

static rig_t rig;
static rig_answer_t answer;
static etcl_link_t worker;
static char bytes[ETCL_PACKET_MAX];

static void open_rig(void)
{
    rig_open(&rig, app);
    rig_start(&rig);
    rig_wait(&rig, ETCL_SLOT_READY, 1);
    ck_assert_int_eq(rig_connect(&rig, 0, &worker), APR_SUCCESS);
}

static void close_rig(void)
{
    etcl_link_close(&worker);
    rig_close(&rig);
}

static void send_packet(const etcl_packet_t *packet, int fd)
{
    ck_assert_int_eq(etcl_link_send(&worker,
                                    (etcl_span_t){ packet->ptr, packet->len },
                                    fd, 0),
                     APR_SUCCESS);
}

/* The frame that comes next; 0 when the worker has closed. */
static int next_frame(etcl_frame_t *frame)
{
    etcl_span_t packet = { .ptr = bytes };
    int fd;
    apr_status_t rv = etcl_link_recv(&worker, bytes, &packet.len, &fd, 0);

    if (rv != APR_SUCCESS) {
        ck_assert_int_eq(rv, APR_EOF);
        return 0;
    }
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(etcl_frame_next(&packet, frame), APR_SUCCESS);
    return 1;
}

static etcl_pull_t await_pull(void)
{
    etcl_frame_t frame;
    etcl_pull_t pull;

    ck_assert_int_eq(next_frame(&frame), 1);
    ck_assert_int_eq(frame.type, ETCL_FRAME_PULL);
    ck_assert_int_eq(etcl_pull_decode(frame.payload, &pull), APR_SUCCESS);
    return pull;
}

static void lay(apr_size_t len, unsigned int flags, int fd)
{
    etcl_packet_t packet = { .ptr = bytes, .serial = worker.serial };

    etcl_laid_encode(len, flags, &packet);
    send_packet(&packet, fd);
}

/* 250,000 bytes of each of four letters, 100,000 at a time at most. */
static void lay_all(void)
{
    apr_size_t at = 0, i, len;
    etcl_tray_t *tray = &worker.tray;

    while (at < 1000000) {
        const etcl_pull_t pull = await_pull();

        ck_assert_uint_le(pull.want, ETCL_TRAY_LEN);
        len = pull.least > 100000 ? (apr_size_t)pull.least : 100000;
        len = len < 1000000 - at ? len : 1000000 - at;
        for (i = 0; i < len; i++) {
            tray->ptr[i] = (char)('A' + (at + i) / 250000);
        }
        at += len;
        lay(len, at == 1000000 ? ETCL_FRAME_LAST : 0, tray->fd);
        etcl_tray_sent(tray);
    }
}

static const char *const sizes[] = { "/1000000", "/250001", "/65536",
                                     "/20000" };

START_TEST(what_is_laid_arrives)
{
    int again;

    ck_assert_int_eq(etcl_tray_create(&worker.tray), APR_SUCCESS);
    for (again = 0; again < 2; again++) {
        rig_call(&rig, &worker, sizes[_i], 1000000);
        lay_all();
        rig_read(&worker, 0, &answer);
        ck_assert_int_eq(answer.ended, 1);
        ck_assert_mem_eq(answer.body, "same", 4);
    }
}
END_TEST

/* What a worker must not believe: the length, its flags, and what rides along:
 * a tray, nothing, or another file. */
typedef enum { TRAY, NOTHING, OTHER } ride_t;

static const struct {
    apr_size_t len;
    ride_t ride;
} lies[] = { { 100000, NOTHING },
             { 100000, OTHER },
             { ETCL_TRAY_LEN + 1, TRAY },
             { APR_UINT32_MAX, TRAY },
             { 0, TRAY } };

static int fd_of(ride_t ride)
{
    if (ride == TRAY) {
        ck_assert_int_eq(etcl_tray_create(&worker.tray), APR_SUCCESS);
        return dup(worker.tray.fd);
    }
    return ride == OTHER ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
}

START_TEST(what_cannot_be_is_not_believed)
{
    etcl_frame_t frame;
    int fd = fd_of(lies[_i].ride);

    rig_call(&rig, &worker, "/300000", 1000000);
    await_pull();
    lay(lies[_i].len, 0, fd);
    if (fd >= 0) {
        close(fd);
    }
    while (next_frame(&frame)) {
        ck_assert_int_ne(frame.type, ETCL_FRAME_END);
    }
    rig_ask(&rig, "/1", 0, &answer);
    ck_assert_int_eq(answer.ended, 1);
}
END_TEST

START_TEST(more_than_was_asked_for_is_refused)
{
    etcl_frame_t frame;
    etcl_pull_t pull;

    ck_assert_int_eq(etcl_tray_create(&worker.tray), APR_SUCCESS);
    rig_call(&rig, &worker, "/100", 10);
    pull = await_pull();
    ck_assert_uint_lt(pull.want, ETCL_TRAY_LEN);
    lay((apr_size_t)pull.want + 1, 0, worker.tray.fd);
    while (next_frame(&frame)) {
        ck_assert_int_ne(frame.type, ETCL_FRAME_END);
    }
}
END_TEST

Suite *suite_upload(void)
{
    Suite *suite = suite_create("upload");
    TCase *tests = tcase_create("upload");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_set_timeout(tests, 60);
    tcase_add_rows(tests, what_is_laid_arrives, sizes);
    tcase_add_rows(tests, what_cannot_be_is_not_believed, lies);
    tcase_add_test(tests, more_than_was_asked_for_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

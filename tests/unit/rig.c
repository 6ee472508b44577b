/* Does what the Apache parent does for a group, as plainly as it can be done:
 * sockets, memory files, lifeline, exec; and a child's end of the wire. */

#include "rig.h"
#include "etcl_clock.h"
#include "etcl_daemon.h"
#include "etcl_message.h"
#include "etcl_view.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_US 20000000
#define BUILD_MAX 512

static apr_pool_t *pool;
static apr_int64_t gids[1];

static void nap(void)
{
    usleep(5000);
}

/* The folder of the test program is where etcl/ was built. */
static void find_built(char *out, const char *name)
{
    ssize_t len = readlink("/proc/self/exe", out, BUILD_MAX - 64);

    ck_assert_int_gt(len, 0);
    out[len] = '\0';
    strcpy(strrchr(out, '/'), "/etcl/");
    strcat(out, name);
}

static const char *find_runtime(void)
{
    static char path[BUILD_MAX];
    glob_t found;

    find_built(path, "cpython-*.so");
    ck_assert_msg(!glob(path, 0, NULL, &found), "%s is not built", path);
    snprintf(path, sizeof(path), "%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0644);
}

void rig_rewrite(rig_t *rig, const char *script)
{
    char next[128];

    snprintf(next, sizeof(next), "%s.new", rig->script);
    write_file(next, script);
    ck_assert_int_eq(rename(next, rig->script), 0);
}

static void take_account(etcl_group_t *group)
{
    struct passwd *account = getpwnam("www-data");

    if (geteuid() || !account) {
        group->uid = group->gid = -1;
        return;
    }
    group->uid = account->pw_uid;
    group->gid = account->pw_gid;
    gids[0] = account->pw_gid;
    group->gids = gids;
    group->gid_count = 1;
    group->user_name = "www-data";
    group->user_home = "/var/www";
}

void rig_open(rig_t *rig, const char *script)
{
    static etcl_preload_t preload;
    etcl_group_t *group = &rig->group;

    apr_pool_create(&pool, NULL);
    *rig = (rig_t){ .folder = "/tmp/etcld-test-XXXXXX", .lifeline_fd = -1 };
    ck_assert_ptr_nonnull(mkdtemp(rig->folder));
    chmod(rig->folder, 0755);
    snprintf(rig->script, sizeof(rig->script), "%s/wsgi.py", rig->folder);
    snprintf(rig->log, sizeof(rig->log), "%s/log", rig->folder);
    write_file(rig->script, script);
    etcl_group_init(group, "rig");
    group->runtime = find_runtime();
    take_account(group);
    preload = (etcl_preload_t){ rig->script, "", "application" };
    group->preloads = &preload;
    group->preload_count = 1;
    group->slots = RIG_SLOTS;
    group->peer_uid = (apr_int64_t)geteuid();
    group->timeout_us = 5000000;
    group->log_level = ETCL_LOG_INFO;
    group->reload = 1;
    group->write_bytecode = 0;
    group->options.threads = 3;
    memset(group->secret, 's', sizeof(group->secret));
}

static void socket_path(const rig_t *rig, int slot, char out[96])
{
    snprintf(out, 96, "%s/%d.sock", rig->folder, slot);
}

static int make_options(const rig_t *rig)
{
    int fd = memfd_create("options", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    etcl_span_t bytes;

    ck_assert_int_eq(etcl_group_encode(&rig->group, pool, &bytes), 0);
    ck_assert_int_eq(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
    return fd;
}

static int make_roster(rig_t *rig)
{
    int fd = memfd_create("roster", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    apr_size_t size = etcl_roster_size(rig->group.slots);
    void *memory;

    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    rig->roster = etcl_roster_init(memory, rig->group.slots);
    return fd;
}

static int make_listener(const rig_t *rig, int slot)
{
    char path[96];
    int fd;

    socket_path(rig, slot, path);
    ck_assert_int_eq(etcl_link_listen(path, geteuid(), 16, &fd), 0);
    return fd;
}

/* First out of the way, then to their places. */
static void exec_etcld(const int *fds, int count)
{
    char path[BUILD_MAX];
    int i, from[8 + RIG_SLOTS];

    for (i = 0; i < count; i++) {
        from[i] = fcntl(fds[i], F_DUPFD, 100);
    }
    for (i = 0; i < count; i++) {
        dup2(from[i], ETCL_FD_LOG + i);
    }
    find_built(path, "etcld");
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    execl(path, "(etcl:rig)", (char *)NULL);
    _exit(ETCL_EXIT_FATAL);
}

void rig_start(rig_t *rig)
{
    int fds[4 + RIG_SLOTS], line[2], i, count = 4 + rig->group.slots;

    ck_assert_int_eq(pipe2(line, O_CLOEXEC), 0);
    rig->lifeline_fd = line[1];
    fds[0] = open(rig->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    fds[1] = make_options(rig);
    fds[2] = make_roster(rig);
    fds[3] = line[0];
    for (i = 0; i < rig->group.slots; i++) {
        fds[4 + i] = make_listener(rig, i);
    }
    rig->pid = fork();
    if (!rig->pid) {
        exec_etcld(fds, count);
    }
    for (i = 0; i < count; i++) {
        close(fds[i]);
    }
}

static int count_state(rig_t *rig, etcl_slot_state_t state)
{
    etcl_roster_slot_t slot;
    int i, count = 0;

    for (i = 0; i < rig->group.slots; i++) {
        etcl_roster_read(rig->roster, i, &slot);
        count += slot.state == state;
    }
    return count;
}

static void show_log(const rig_t *rig)
{
    char line[1024];
    FILE *file = fopen(rig->log, "r");

    while (file && fgets(line, sizeof(line), file)) {
        fputs(line, stderr);
    }
    if (file) {
        fclose(file);
    }
}

void rig_wait(rig_t *rig, etcl_slot_state_t state, int count)
{
    apr_int64_t until_us = etcl_clock_us() + PATIENCE_US;

    while (count_state(rig, state) != count) {
        if (etcl_clock_us() > until_us) {
            show_log(rig);
            ck_abort_msg("not %d slots in state %d", count, (int)state);
        }
        nap();
    }
}

int rig_slot(rig_t *rig, etcl_slot_state_t state)
{
    etcl_roster_slot_t slot;
    int i;

    for (i = 0; i < rig->group.slots; i++) {
        etcl_roster_read(rig->roster, i, &slot);
        if (slot.state == state) {
            return i;
        }
    }
    ck_abort_msg("no slot in state %d", (int)state);
    return -1;
}

pid_t rig_worker(rig_t *rig, int slot)
{
    etcl_roster_slot_t found;

    etcl_roster_read(rig->roster, slot, &found);
    return (pid_t)found.pid;
}

static apr_status_t send_packet(etcl_link_t *link, const etcl_packet_t *packet)
{
    return etcl_link_send(link, (etcl_span_t){ packet->ptr, packet->len }, -1,
                          0);
}

apr_status_t rig_connect(rig_t *rig, int slot, etcl_link_t *link)
{
    static char bytes[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = bytes };
    etcl_hello_t hello = { .version = ETCL_WIRE_VERSION,
                           .slot = (apr_uint32_t)slot };
    char path[96];
    apr_size_t got;
    apr_status_t rv;
    int fd;

    socket_path(rig, slot, path);
    rv = etcl_link_connect(link, path, geteuid(), PATIENCE_US);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    memcpy(hello.secret, rig->group.secret, sizeof(hello.secret));
    etcl_hello_encode(&hello, &packet);
    rv = send_packet(link, &packet);
    if (rv == APR_SUCCESS) {
        rv = etcl_link_recv(link, bytes, &got, &fd, 0);
    }
    return rv;
}

static void encode_call(rig_t *rig, const char *path, apr_int64_t body_len,
                        etcl_buffer_t *buf)
{
    etcl_call_t call = { .kind = ETCL_CALL_WSGI,
                         .flags = rig->group.reload ? ETCL_CALL_RELOAD : 0,
                         .body_len = body_len };

    etcl_buffer_init(buf, ETCL_CALL_MAX);
    call.target = (etcl_target_t){ etcl_span(rig->script), ETCL_SPAN(""),
                                   ETCL_SPAN("application") };
    etcl_call_begin(buf, &call);
    etcl_call_pair(buf, ETCL_KEY_REQUEST_METHOD, ETCL_SPAN("REQUEST_METHOD"),
                   ETCL_SPAN("GET"));
    etcl_call_pair(buf, ETCL_KEY_PATH_INFO, ETCL_SPAN("PATH_INFO"),
                   etcl_span(path));
    etcl_call_close(buf, 0, 2);
}

apr_status_t rig_call(rig_t *rig, etcl_link_t *link, const char *path,
                      apr_int64_t body_len)
{
    static char bytes[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = bytes, .serial = ++link->serial };
    etcl_buffer_t buf;
    apr_status_t rv;

    encode_call(rig, path, body_len, &buf);
    etcl_packet_add(&packet, ETCL_FRAME_CALL, 0,
                    (etcl_span_t){ buf.ptr, buf.len });
    rv = send_packet(link, &packet);
    etcl_buffer_done(&buf);
    return rv;
}

void rig_call_in_pieces(rig_t *rig, etcl_link_t *link, const char *path)
{
    static char bytes[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = bytes, .serial = ++link->serial };
    etcl_buffer_t buf;

    encode_call(rig, path, 6, &buf);
    etcl_packet_add(&packet, ETCL_FRAME_CALL, ETCL_FRAME_MORE,
                    (etcl_span_t){ buf.ptr, 40 });
    send_packet(link, &packet);
    packet.len = 0;
    etcl_packet_add(&packet, ETCL_FRAME_CALL, ETCL_FRAME_MORE,
                    (etcl_span_t){ buf.ptr + 40, buf.len - 40 });
    send_packet(link, &packet);
    packet.len = 0;
    etcl_packet_add(&packet, ETCL_FRAME_CALL, 0, ETCL_SPAN(""));
    etcl_packet_add(&packet, ETCL_FRAME_BODY, 0, ETCL_SPAN("abc"));
    send_packet(link, &packet);
    packet.len = 0;
    etcl_packet_add(&packet, ETCL_FRAME_BODY, ETCL_FRAME_LAST,
                    ETCL_SPAN("def"));
    send_packet(link, &packet);
    etcl_buffer_done(&buf);
}

/* Send what a PULL asks for: zeros. */
static void send_body(etcl_link_t *link, const etcl_frame_t *frame,
                      apr_int64_t *left)
{
    static char bytes[ETCL_PACKET_MAX];
    static const char zeros[ETCL_FRAME_MAX];
    etcl_packet_t packet = { .ptr = bytes, .serial = frame->serial };
    etcl_pull_t pull;
    apr_uint64_t piece;
    unsigned int flags;

    ck_assert_int_eq(etcl_pull_decode(frame->payload, &pull), 0);
    do {
        piece =
            (apr_uint64_t)*left < pull.want ? (apr_uint64_t)*left : pull.want;
        piece = piece < ETCL_FRAME_MAX ? piece : ETCL_FRAME_MAX;
        *left -= (apr_int64_t)piece;
        pull.want -= piece;
        packet.len = 0;
        flags = *left ? 0 : ETCL_FRAME_LAST;
        flags = *left && pull.want ? ETCL_FRAME_MORE : flags;
        etcl_packet_add(&packet, ETCL_FRAME_BODY, flags,
                        (etcl_span_t){ zeros, piece });
        send_packet(link, &packet);
    } while (flags == ETCL_FRAME_MORE);
}

static void add_bytes(rig_answer_t *out, const char *bytes, apr_size_t len)
{
    ck_assert_uint_le(out->len + len, RIG_BODY_MAX);
    memcpy(out->body + out->len, bytes, len);
    out->len += len;
}

static void add_file(rig_answer_t *out, int fd, etcl_span_t payload)
{
    etcl_file_t file;

    ck_assert_int_eq(etcl_file_decode(payload, &file), 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_le(out->len + (apr_size_t)file.len, RIG_BODY_MAX);
    ck_assert_int_eq(
        pread(fd, out->body + out->len, (size_t)file.len, file.offset),
        file.len);
    out->len += (apr_size_t)file.len;
    out->files++;
}

/* Returns the descriptor when it is still the caller's. */
static int add_window(rig_answer_t *out, int fd, const etcl_frame_t *frame)
{
    static etcl_view_t view = { .fd = -1 };
    apr_size_t len;

    if (fd >= 0) {
        etcl_view_close(&view);
        ck_assert_int_eq(etcl_view_open(&view, fd), 0);
    }
    ck_assert_int_eq(etcl_window_decode(frame->payload, &len), 0);
    ck_assert_uint_le(out->len + len, RIG_BODY_MAX);
    ck_assert_int_eq(
        etcl_view_read(&view, frame->serial, 0, out->body + out->len, len), 0);
    out->len += len;
    out->windows++;
    return -1;
}

/* Returns 1 when the answer is over. */
static int take_frame(etcl_frame_t *frame, int *fd, rig_answer_t *out)
{
    static etcl_decoder_t decoder;
    etcl_answer_t answer;
    etcl_head_t head;

    switch (frame->type) {
    case ETCL_FRAME_HEAD_:
        ck_assert_int_eq(etcl_head_decode(&decoder, frame->payload, &head), 0);
        out->status = head.status;
        return 0;
    case ETCL_FRAME_DATA:
        add_bytes(out, frame->payload.ptr, frame->payload.len);
        return 0;
    case ETCL_FRAME_FILE:
        add_file(out, *fd, frame->payload);
        return 0;
    case ETCL_FRAME_WINDOW:
        *fd = add_window(out, *fd, frame);
        return 0;
    case ETCL_FRAME_REFUSE:
        out->refused = 1;
        return 1;
    case ETCL_FRAME_END:
        out->ended = 1;
        return 1;
    case ETCL_FRAME_ABORT:
        ck_assert_int_eq(etcl_end_decode(frame, &answer), 0);
        out->status = answer.status;
        return 1;
    default:
        return 0;
    }
}

void rig_read(etcl_link_t *link, apr_int64_t body_len, rig_answer_t *out)
{
    static char bytes[ETCL_PACKET_MAX];
    etcl_span_t packet;
    etcl_frame_t frame;
    int fd, over = 0;

    memset(out, 0, offsetof(rig_answer_t, body));
    while (!over) {
        out->rv = etcl_link_recv(link, bytes, &packet.len, &fd, 0);
        if (out->rv != APR_SUCCESS) {
            return;
        }
        packet.ptr = bytes;
        out->packets++;
        while (!over && etcl_frame_next(&packet, &frame) == APR_SUCCESS) {
            if (frame.type == ETCL_FRAME_PULL) {
                send_body(link, &frame, &body_len);
            }
            over = take_frame(&frame, &fd, out);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
}

/* One attempt; 0 when the call was not begun. */
static int ask_once(rig_t *rig, const char *path, apr_int64_t body_len,
                    rig_answer_t *out)
{
    etcl_link_t link = { .fd = -1 };
    int begun = 0;

    if (!rig_connect(rig, rig_slot(rig, ETCL_SLOT_READY), &link) &&
        !rig_call(rig, &link, path, body_len)) {
        rig_read(&link, body_len, out);
        begun = !out->refused;
    }
    etcl_link_close(&link);
    return begun;
}

void rig_ask(rig_t *rig, const char *path, apr_int64_t body_len,
             rig_answer_t *out)
{
    int tries = 0;

    while (!ask_once(rig, path, body_len, out)) {
        ck_assert_msg(++tries < 100, "no worker begins a call");
        nap();
    }
}

int rig_join(rig_t *rig, apr_int64_t wait_us)
{
    apr_int64_t until_us = etcl_clock_us() + wait_us;
    int status;

    while (etcl_clock_us() < until_us) {
        if (waitpid(rig->pid, &status, WNOHANG) == rig->pid) {
            rig->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        nap();
    }
    show_log(rig);
    return -1;
}

int rig_gone(pid_t pid, apr_int64_t wait_us)
{
    apr_int64_t until_us = etcl_clock_us() + wait_us;

    while (!kill(pid, 0)) {
        waitpid(pid, NULL, WNOHANG);
        if (etcl_clock_us() > until_us) {
            return 0;
        }
        nap();
    }
    return 1;
}

/* A worker's lines come by way of its supervisor: give it the time. */
int rig_logged(const rig_t *rig, const char *text)
{
    const struct timespec nap = { 0, 100000000 };
    char line[8192];
    int count = 0;
    FILE *file;

    nanosleep(&nap, NULL);
    file = fopen(rig->log, "r");
    while (file && fgets(line, sizeof(line), file)) {
        count += strstr(line, text) != NULL;
    }
    if (file) {
        fclose(file);
    }
    return count;
}

static void remove_folder(const rig_t *rig)
{
    char path[512];
    struct dirent *entry;
    DIR *folder = opendir(rig->folder);

    while (folder && (entry = readdir(folder))) {
        snprintf(path, sizeof(path), "%s/%s", rig->folder, entry->d_name);
        unlink(path);
    }
    if (folder) {
        closedir(folder);
    }
    rmdir(rig->folder);
}

void rig_close(rig_t *rig)
{
    if (rig->lifeline_fd >= 0) {
        close(rig->lifeline_fd);
    }
    if (rig->pid > 0) {
        kill(rig->pid, SIGTERM);
        ck_assert_int_eq(rig_join(rig, PATIENCE_US), ETCL_EXIT_DONE);
    }
    remove_folder(rig);
}

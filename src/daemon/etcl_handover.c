/* Takes the descriptors over from the Apache parent. It does not use them:
 * that is for the supervisor, after the group's identity was taken. */

#include "etcl_handover.h"
#include "etcl_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPTIONS_MAX (16 * 1024 * 1024)

static apr_status_t refuse(int fd, const char *what)
{
    etcl_journal_say(ETCL_LOG_CRIT,
                     "ETCL0220: descriptor %d is not %s: etcld is started by "
                     "mod_etcl, with what it needs, and cannot be started "
                     "by hand",
                     fd, what);
    return APR_EGENERAL;
}

/* A memfd with at least these seals. */
static int is_sealed(int fd, int seals, struct stat *out)
{
    int has = fcntl(fd, F_GET_SEALS);

    return has >= 0 && (has & seals) == seals && !fstat(fd, out) &&
           S_ISREG(out->st_mode);
}

static int read_socket_option(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

static int is_listener(int fd)
{
    return read_socket_option(fd, SO_DOMAIN) == AF_UNIX &&
           read_socket_option(fd, SO_TYPE) == SOCK_SEQPACKET &&
           read_socket_option(fd, SO_ACCEPTCONN) == 1;
}

static int is_pipe(int fd)
{
    struct stat found;

    return !fstat(fd, &found) && S_ISFIFO(found.st_mode);
}

static apr_status_t keep_private(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) ? errno : APR_SUCCESS;
}

/* A supervisor needs neither; a library that prints must not print into
 * whatever descriptor happens to have the number. */
static apr_status_t silence_standard(void)
{
    int fd = open("/dev/null", O_RDWR);

    if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0) {
        return refuse(0, "/dev/null, and cannot become it");
    }
    if (fd > 1) {
        close(fd);
    }
    return APR_SUCCESS;
}

static apr_status_t take_options(apr_pool_t *pool, etcl_group_t *group)
{
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat found;
    apr_status_t rv;
    void *bytes;

    if (!is_sealed(ETCL_FD_OPTIONS, seals, &found) || found.st_size <= 0 ||
        found.st_size > OPTIONS_MAX) {
        return refuse(ETCL_FD_OPTIONS, "the sealed options of a group");
    }
    bytes = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE,
                 ETCL_FD_OPTIONS, 0);
    if (bytes == MAP_FAILED) {
        return refuse(ETCL_FD_OPTIONS, "readable");
    }
    rv = etcl_group_decode((etcl_span_t){ bytes, (apr_size_t)found.st_size },
                           pool, group);
    munmap(bytes, (size_t)found.st_size);
    close(ETCL_FD_OPTIONS);
    if (rv != APR_SUCCESS || group->slots < 1 ||
        group->slots > ETCL_ROSTER_SLOTS_MAX ||
        group->options.processes > group->slots) {
        etcl_journal_say(ETCL_LOG_CRIT,
                         "ETCL0221: the options of the group cannot be "
                         "decoded: mod_etcl.so and etcld are not of the same "
                         "build; install both again and restart Apache");
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

/* What a former supervisor's workers left in it is laid out again: they could
 * write to it. */
static etcl_roster_t *open_roster(void *memory, size_t size, int slots)
{
    etcl_roster_t *roster = etcl_roster_open(memory, size);
    int i;

    if (!roster || etcl_roster_slots(roster) != slots) {
        memset(memory, 0, size);
        roster = etcl_roster_init(memory, slots);
    }
    for (i = 0; i < slots; i++) {
        etcl_roster_set_state(roster, i, ETCL_SLOT_EMPTY);
    }
    return roster;
}

static apr_status_t take_roster(int slots, etcl_roster_t **out)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat found;
    void *memory;

    if (!is_sealed(ETCL_FD_ROSTER, seals, &found) ||
        (apr_size_t)found.st_size != etcl_roster_size(slots)) {
        return refuse(ETCL_FD_ROSTER, "the roster of a group");
    }
    memory = mmap(NULL, (size_t)found.st_size, PROT_READ | PROT_WRITE,
                  MAP_SHARED, ETCL_FD_ROSTER, 0);
    if (memory == MAP_FAILED) {
        return refuse(ETCL_FD_ROSTER, "writable");
    }
    close(ETCL_FD_ROSTER);
    *out = open_roster(memory, (size_t)found.st_size, slots);
    return APR_SUCCESS;
}

static apr_status_t take_listeners(int slots)
{
    int fd;

    for (fd = ETCL_FD_LISTEN; fd < ETCL_FD_LISTEN + slots; fd++) {
        if (!is_listener(fd) || keep_private(fd) ||
            fcntl(fd, F_SETFL, O_NONBLOCK)) {
            return refuse(fd, "the listening socket of a worker");
        }
    }
    if (close_range((unsigned int)fd, UINT_MAX, 0)) {
        return refuse(fd, "closed, and cannot be");
    }
    return APR_SUCCESS;
}

apr_status_t etcl_handover_take(apr_pool_t *pool, etcl_handover_t *out)
{
    apr_status_t rv;

    if (keep_private(ETCL_FD_LOG)) {
        return refuse(ETCL_FD_LOG, "the group's error log");
    }
    if (!is_pipe(ETCL_FD_LIFELINE) || keep_private(ETCL_FD_LIFELINE)) {
        return refuse(ETCL_FD_LIFELINE, "the lifeline of a group");
    }
    rv = take_options(pool, &out->group);
    if (rv == APR_SUCCESS) {
        rv = take_roster(out->group.slots, &out->roster);
    }
    if (rv == APR_SUCCESS) {
        rv = take_listeners(out->group.slots);
    }
    if (rv == APR_SUCCESS) {
        rv = silence_standard();
    }
    out->lifeline_fd = ETCL_FD_LIFELINE;
    out->listen_fd = ETCL_FD_LISTEN;
    return rv;
}

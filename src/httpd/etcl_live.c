/* Sockets, shared memory and descriptors of a group in one generation. The
 * supervisor is started by etcl_spawn.c; who uses what is in etcl_parent.c
 * and etcl_child.c. */

#include "etcl_live.h"
#include "etcl_link.h"

#include <apr_portable.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define RELOAD_US (60 * (apr_int64_t)APR_USEC_PER_SEC)
#define SEAL_SIZE (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

int *etcl_live_fd(etcl_live_t *live, int number)
{
    int *const own[] = { &live->watch_fd, &live->options_fd, &live->roster_fd,
                         &live->log_fd };
    const int count = (int)(sizeof own / sizeof *own);

    if (number < count) {
        return own[number];
    }
    number -= count;
    return live->listen_fds && number < live->slots ? &live->listen_fds[number]
                                                    : NULL;
}

void etcl_live_close(etcl_live_t *live)
{
    int *fd, i;

    for (i = 0; (fd = etcl_live_fd(live, i)); ++i) {
        close_fd(fd);
    }
}

void etcl_live_release(etcl_live_t *live)
{
    close_fd(&live->alive_fd);
}

void etcl_live_destroy(etcl_live_t *live)
{
    int slot;

    etcl_live_close(live);
    etcl_live_release(live);
    for (slot = 0; live->paths && slot < live->slots; ++slot) {
        if (live->paths[slot]) {
            unlink(live->paths[slot]);
            free(live->paths[slot]);
        }
    }
    if (live->roster_map) {
        munmap(live->roster_map, live->roster_size);
    }
    if (live->board_map) {
        munmap(live->board_map, live->board_size);
    }
    free(live->listen_fds);
    free(live->paths);
    free(live->name);
    free(live->program);
    free(live->title);
    free(live);
}

static etcl_live_t *new_live(const etcl_group_t *group, const etcl_plan_t *plan)
{
    etcl_live_t *live = calloc(1, sizeof *live);
    int slot;

    if (!live) {
        return NULL;
    }
    live->alive_fd = live->watch_fd = live->options_fd = -1;
    live->roster_fd = live->log_fd = live->seat = -1;
    live->slots = group->slots;
    live->is_service = !group->options.threads;
    live->generation = plan->generation;
    live->name = strdup(group->name);
    live->program = strdup(plan->program);
    live->paths = calloc((size_t)group->slots, sizeof *live->paths);
    live->listen_fds = calloc((size_t)group->slots, sizeof(int));
    if (!live->name || !live->program || !live->paths || !live->listen_fds) {
        free(live->listen_fds);
        live->listen_fds = NULL;
        etcl_live_destroy(live);
        return NULL;
    }
    for (slot = 0; slot < live->slots; ++slot) {
        live->listen_fds[slot] = -1;
    }
    return live;
}

/* Letters, digits and a few signs; the index tells apart what became alike. */
static const char *path_name(const char *name, int index, apr_pool_t *pool)
{
    char *out = apr_pstrndup(pool, name, 32);
    int changed = strlen(name) > 32;
    char *at;

    for (at = out; *at; ++at) {
        if (!apr_isalnum(*at) && !strchr("-_", *at)) {
            *at = '_';
            changed = 1;
        }
    }
    return changed ? apr_psprintf(pool, "%s-%d", out, index) : out;
}

static apr_status_t listen_all(etcl_live_t *live, const etcl_group_t *group,
                               const etcl_plan_t *plan, apr_pool_t *pool,
                               const char **why)
{
    apr_status_t rv;
    int slot;

    for (slot = 0; slot < live->slots; ++slot) {
        const char *path = apr_psprintf(
            pool, "%s.%ld.%d.%s.%d.sock", plan->prefix, (long)getpid(),
            plan->generation, path_name(group->name, plan->index, pool), slot);

        rv = etcl_link_listen(path, (uid_t)group->peer_uid,
                              (int)group->options.listen_backlog,
                              &live->listen_fds[slot]);
        if (rv) {
            *why = apr_psprintf(pool,
                                "the socket %s cannot be made; "
                                "WSGISocketPrefix chooses another place",
                                path);
            return rv;
        }
        live->paths[slot] = strdup(path);
        if (!live->paths[slot]) {
            return APR_ENOMEM;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t make_roster(etcl_live_t *live)
{
    apr_size_t size = etcl_roster_size(live->slots);
    void *map;

    live->roster_fd =
        memfd_create("etcl-roster", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (live->roster_fd < 0 || ftruncate(live->roster_fd, (off_t)size)) {
        return errno;
    }
    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, live->roster_fd,
               0);
    if (map == MAP_FAILED) {
        return errno;
    }
    etcl_roster_init(map, live->slots);
    munmap(map, size);
    map = mmap(NULL, size, PROT_READ, MAP_SHARED, live->roster_fd, 0);
    if (map == MAP_FAILED) {
        return errno;
    }
    live->roster_map = map;
    live->roster_size = size;
    live->roster = etcl_roster_open(map, size);
    return fcntl(live->roster_fd, F_ADD_SEALS, SEAL_SIZE) ? errno : APR_SUCCESS;
}

void etcl_live_rest(etcl_live_t *live)
{
    void *map = mmap(NULL, live->roster_size, PROT_READ | PROT_WRITE,
                     MAP_SHARED, live->roster_fd, 0);
    etcl_roster_t *roster;

    if (map == MAP_FAILED) {
        return;
    }
    roster = etcl_roster_open(map, live->roster_size);
    if (roster) {
        etcl_roster_set_outlook(roster, ETCL_OUTLOOK_RESTING, 0);
    }
    munmap(map, live->roster_size);
}

/* The board, and behind it what else Apache's processes share. */
static apr_status_t make_board(etcl_live_t *live, const etcl_group_t *group,
                               const etcl_plan_t *plan)
{
    const etcl_board_shape_t shape = {
        .slots = live->slots,
        .threads = (int)group->options.threads,
        .children = plan->children,
        .queue = (int)group->options.listen_backlog,
    };
    apr_size_t size = (etcl_board_size(&shape) + 15) & ~(apr_size_t)15;
    void *map = mmap(NULL, size + sizeof(etcl_burst_t), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED) {
        return errno;
    }
    live->board_map = map;
    live->board_size = size + sizeof(etcl_burst_t);
    live->burst = (etcl_burst_t *)(void *)((char *)map + size);
    return etcl_board_init(map, &shape, &live->board);
}

static apr_status_t make_lifeline(etcl_live_t *live)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC)) {
        return errno;
    }
    live->watch_fd = ends[0];
    live->alive_fd = ends[1];
    return APR_SUCCESS;
}

static apr_status_t write_all(int fd, etcl_span_t bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            bytes.ptr += n;
            bytes.len -= (apr_size_t)n;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t make_options(etcl_live_t *live, etcl_group_t *group,
                                 apr_pool_t *pool)
{
    etcl_span_t bytes;
    apr_status_t rv;

    if (getrandom(group->secret, sizeof group->secret, 0) !=
        (ssize_t)sizeof group->secret) {
        return errno;
    }
    memcpy(live->secret, group->secret, sizeof live->secret);
    rv = etcl_group_encode(group, pool, &bytes);
    if (rv) {
        return rv;
    }
    live->options_fd =
        memfd_create("etcl-options", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (live->options_fd < 0) {
        return errno;
    }
    rv = write_all(live->options_fd, bytes);
    if (!rv && fcntl(live->options_fd, F_ADD_SEALS, SEAL_SIZE | F_SEAL_WRITE)) {
        rv = errno;
    }
    return rv;
}

static char *title_of(const etcl_group_t *group, apr_pool_t *pool)
{
    const char *title = group->options.display_name;

    if (!title) {
        title = apr_pstrcat(pool, "etcld ", group->name, NULL);
    } else if (!strcmp(title, "%{GROUP}")) {
        title = apr_pstrcat(pool, "(wsgi:", group->name, ")", NULL);
    }
    return strdup(title);
}

/* How long a request waits for new code: as for a place, or as long as a
 * worker may take to load it. */
static apr_int64_t reload_time(const etcl_group_options_t *options)
{
    apr_int64_t seconds = options->queue_timeout ? options->queue_timeout
                                                 : options->startup_timeout;

    if (!options->reload) {
        return 0;
    }
    return seconds ? seconds * APR_USEC_PER_SEC : RELOAD_US;
}

static void keep_facts(etcl_live_t *live, const etcl_group_t *group)
{
    const etcl_group_options_t *options = &group->options;

    live->listener_uid = geteuid();
    live->connect_us = options->connect_timeout * APR_USEC_PER_SEC;
    live->queue_us = options->queue_timeout * APR_USEC_PER_SEC;
    live->reload_us = reload_time(options);
    live->shutdown_us = options->shutdown_timeout * APR_USEC_PER_SEC;
    live->timeout_us = group->timeout_us;
    live->is_buffered = (int)options->request_buffering;
    live->response_us = options->response_socket_timeout * APR_USEC_PER_SEC;
    live->header_max = options->header_buffer_size;
    live->flush_max = options->response_buffer_size;
    if (etcl_group_states(group, "response-flush-delay")) {
        live->flush_delay_ms = (int)options->response_flush_delay;
    }
}

apr_status_t etcl_live_create(etcl_group_t *group, const etcl_plan_t *plan,
                              apr_pool_t *pool, etcl_live_t **out,
                              const char **why)
{
    etcl_live_t *live = new_live(group, plan);
    apr_status_t rv;

    *why = "shared memory or descriptors cannot be made";
    if (!live) {
        return APR_ENOMEM;
    }
    keep_facts(live, group);
    live->title = title_of(group, pool);
    live->log_fd = fcntl(plan->log_fd, F_DUPFD_CLOEXEC, 3);
    if (!live->title || live->log_fd < 0) {
        rv = APR_ENOMEM;
        goto fail;
    }
    if ((rv = listen_all(live, group, plan, pool, why)) ||
        (rv = make_roster(live)) || (rv = make_board(live, group, plan)) ||
        (rv = make_lifeline(live)) || (rv = make_options(live, group, pool))) {
        goto fail;
    }
    *out = live;
    return APR_SUCCESS;
fail:
    etcl_live_destroy(live);
    return rv;
}

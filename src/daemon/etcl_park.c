/* The epoll set. Every entry is one-shot, so that exactly one thread has a
 * link, and the kernel wakes the thread that went to sleep last: its stack
 * and its Python state are still warm. What packets hold is etcl_serve.c. */

#include "etcl_park.h"
#include "etcl_clock.h"
#include "etcl_journal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ACCEPT_MAX 64 /* in one go */

static apr_status_t arm(etcl_park_t *park, int fd, void *data, int how)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
                                 .data.ptr = data };

    return epoll_ctl(park->epoll_fd, how, fd, &event) ? errno : APR_SUCCESS;
}

/* The park of this process. A copy of the process that the application forks
 * gets no links: a child of Apache would not see the worker's end for as long
 * as the copy lives. */
static etcl_park_t *forked;

static void before_fork(void)
{
    pthread_mutex_lock(&forked->lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&forked->lock);
}

static void in_copy(void)
{
    etcl_line_t *line;

    for (line = forked->lines; line; line = line->next) {
        etcl_link_close(&line->link);
    }
    after_fork();
}

static void watch_forks(etcl_park_t *park)
{
    if (!forked) {
        pthread_atfork(before_fork, after_fork, in_copy);
    }
    forked = park;
}

apr_status_t etcl_park_open(etcl_park_t *park, int listen_fd,
                            const etcl_group_t *group)
{
    pthread_condattr_t attr;

    *park = (etcl_park_t){ .listen_fd = listen_fd, .group = group };
    pthread_mutex_init(&park->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&park->emptied, &attr);
    pthread_condattr_destroy(&attr);
    watch_forks(park);
    park->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (park->epoll_fd < 0) {
        return errno;
    }
    return arm(park, listen_fd, NULL, EPOLL_CTL_ADD);
}

static void link_in(etcl_park_t *park, etcl_line_t *line)
{
    pthread_mutex_lock(&park->lock);
    line->next = park->lines;
    if (line->next) {
        line->next->prev = line;
    }
    park->lines = line;
    park->count++;
    pthread_mutex_unlock(&park->lock);
}

static void link_out(etcl_park_t *park, etcl_line_t *line)
{
    pthread_mutex_lock(&park->lock);
    if (line->prev) {
        line->prev->next = line->next;
    } else {
        park->lines = line->next;
    }
    if (line->next) {
        line->next->prev = line->prev;
    }
    park->count--;
    park->busy -= line->state == ETCL_LINE_BUSY;
    park->lost -= line->state == ETCL_LINE_LOST;
    if (park->count <= park->lost) {
        pthread_cond_signal(&park->emptied);
    }
    pthread_mutex_unlock(&park->lock);
}

void etcl_park_drop(etcl_park_t *park, etcl_line_t *line)
{
    link_out(park, line);
    etcl_link_close(&line->link);
    etcl_window_destroy(&line->window);
    free(line);
}

/* A new link; its HELLO is on its way. */
static void take_in(etcl_park_t *park, const etcl_link_t *link)
{
    const etcl_group_options_t *options = &park->group->options;
    etcl_line_t *line = calloc(1, sizeof(*line));
    etcl_link_t lost = *link;

    if (!line) {
        etcl_link_close(&lost);
        return;
    }
    line->link = *link;
    line->since_us = etcl_clock_us();
    etcl_link_timeout(&line->link, park->group->timeout_us);
    etcl_link_buffers(&line->link, options->send_buffer_size,
                      options->receive_buffer_size);
    link_in(park, line);
    if (arm(park, line->link.fd, line, EPOLL_CTL_ADD) != APR_SUCCESS) {
        etcl_park_drop(park, line);
    }
}

/* Without a descriptor to accept with, the listener would be readable for
 * ever: it rests until etcl_park_sweep. */
static int starves(etcl_park_t *park, apr_status_t rv)
{
    int drains = APR_STATUS_IS_EMFILE(rv), is_news;

    if (!drains && rv != ENFILE && rv != ENOMEM && rv != ENOBUFS) {
        return 0;
    }
    pthread_mutex_lock(&park->lock);
    is_news = !park->drained;
    park->drained |= drains;
    park->starved = 1;
    pthread_mutex_unlock(&park->lock);
    if (is_news) {
        etcl_journal_say(ETCL_LOG_ERR,
                         "ETCL0245: pid %ld cannot accept a connection: %s; "
                         "the application may be leaking descriptors",
                         (long)getpid(), strerror(rv));
    }
    return 1;
}

int etcl_park_is_drained(etcl_park_t *park)
{
    int drained;

    pthread_mutex_lock(&park->lock);
    drained = park->drained;
    pthread_mutex_unlock(&park->lock);
    return drained;
}

static void accept_links(etcl_park_t *park)
{
    apr_status_t rv = APR_SUCCESS;
    etcl_link_t link;
    int i;

    for (i = 0; i < ACCEPT_MAX && rv != APR_EAGAIN; i++) {
        rv = etcl_link_accept(&link, park->listen_fd,
                              (uid_t)park->group->peer_uid);
        if (rv == APR_SUCCESS) {
            take_in(park, &link);
        } else if (rv == ETCL_EDENIED) {
            etcl_journal_say(ETCL_LOG_WARNING,
                             "ETCL0246: a process of a user that is not "
                             "Apache's connected to pid %ld; it was refused",
                             (long)getpid());
        } else if (starves(park, rv)) {
            return;
        }
    }
    pthread_mutex_lock(&park->lock);
    if (!park->shut) {
        arm(park, park->listen_fd, NULL, EPOLL_CTL_MOD);
    }
    pthread_mutex_unlock(&park->lock);
}

static void own(etcl_park_t *park, etcl_line_t *line)
{
    pthread_mutex_lock(&park->lock);
    if (line->state == ETCL_LINE_IDLE) {
        line->state = ETCL_LINE_BUSY;
        park->busy++;
    }
    pthread_mutex_unlock(&park->lock);
}

/* The set is gone, or its number is another file by now. */
static int is_closed(int error)
{
    return error == EBADF || error == EINVAL;
}

etcl_line_t *etcl_park_wait(etcl_park_t *park)
{
    struct epoll_event event;

    for (;;) {
        if (epoll_wait(park->epoll_fd, &event, 1, -1) != 1) {
            if (is_closed(errno)) {
                return NULL;
            }
            continue;
        }
        if (event.data.ptr) {
            own(park, event.data.ptr);
            return event.data.ptr;
        }
        accept_links(park);
    }
}

int etcl_park_give_back(etcl_park_t *park, etcl_line_t *line)
{
    int shut;

    pthread_mutex_lock(&park->lock);
    shut = park->shut || line->state == ETCL_LINE_SHUT ||
           line->state == ETCL_LINE_LOST;
    park->lost -= line->state == ETCL_LINE_LOST;
    park->busy -= line->state == ETCL_LINE_BUSY;
    line->state = shut ? ETCL_LINE_SHUT : ETCL_LINE_IDLE;
    pthread_mutex_unlock(&park->lock);
    if (shut) {
        shutdown(line->link.fd, SHUT_RD);
        return 0;
    }
    if (arm(park, line->link.fd, line, EPOLL_CTL_MOD) != APR_SUCCESS) {
        etcl_park_drop(park, line);
    }
    return 1;
}

/* The shutdown wakes a thread: a link whose next packet is refused by the
 * kernel is readable, its end of file stands there. */
static void shut_line(etcl_line_t *line)
{
    line->state = ETCL_LINE_SHUT;
    shutdown(line->link.fd, SHUT_RD);
}

void etcl_park_shut(etcl_park_t *park)
{
    etcl_line_t *line;

    pthread_mutex_lock(&park->lock);
    park->shut = 1;
    epoll_ctl(park->epoll_fd, EPOLL_CTL_DEL, park->listen_fd, NULL);
    for (line = park->lines; line; line = line->next) {
        if (line->state == ETCL_LINE_IDLE) {
            shut_line(line);
        }
    }
    pthread_mutex_unlock(&park->lock);
}

void etcl_park_lose(etcl_park_t *park, etcl_line_t *line)
{
    pthread_mutex_lock(&park->lock);
    if (line->state == ETCL_LINE_BUSY) {
        line->state = ETCL_LINE_LOST;
        park->busy--;
        park->lost++;
    }
    if (park->count <= park->lost) {
        pthread_cond_signal(&park->emptied);
    }
    pthread_mutex_unlock(&park->lock);
}

int etcl_park_rest(etcl_park_t *park, apr_int64_t wait_us)
{
    struct timespec until;
    int left;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(wait_us % 1000000) * 1000;
    until.tv_sec += (time_t)(wait_us / 1000000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&park->lock);
    if (park->count > park->lost) {
        pthread_cond_timedwait(&park->emptied, &park->lock, &until);
    }
    left = park->count > park->lost ? park->busy : -1;
    pthread_mutex_unlock(&park->lock);
    return left;
}

static void sweep_idle(etcl_line_t *line, apr_int64_t now_us)
{
    if (!line->greeted && now_us - line->since_us > ETCL_PARK_GREET_US) {
        shut_line(line);
    }
    etcl_window_rest(&line->window, now_us);
}

void etcl_park_sweep(etcl_park_t *park, apr_int64_t now_us)
{
    etcl_line_t *line;

    pthread_mutex_lock(&park->lock);
    for (line = park->lines; line; line = line->next) {
        if (line->state == ETCL_LINE_IDLE) {
            sweep_idle(line, now_us);
        }
    }
    if (park->starved && !park->shut) {
        park->starved = 0;
        arm(park, park->listen_fd, NULL, EPOLL_CTL_MOD);
    }
    pthread_mutex_unlock(&park->lock);
}

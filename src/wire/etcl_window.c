/* The memory of windows, in the process that fills them. Which frames speak of
 * them is not known here. */

#include "etcl_window.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_int count;

static apr_status_t map_file(etcl_window_t *window)
{
    void *ptr = mmap(NULL, ETCL_WINDOW_FILE, PROT_READ | PROT_WRITE, MAP_SHARED,
                     window->fd, 0);

    if (ptr == MAP_FAILED) {
        return errno;
    }
    window->ptr = ptr;
    return madvise(ptr, ETCL_WINDOW_FILE, MADV_DONTFORK) ? errno : APR_SUCCESS;
}

static apr_status_t make_file(etcl_window_t *window)
{
    window->fd = memfd_create("etcl-window", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (window->fd < 0) {
        return errno;
    }
    if (ftruncate(window->fd, (off_t)ETCL_WINDOW_FILE) ||
        fallocate(window->fd, 0, (off_t)ETCL_WINDOW_SIZE,
                  ETCL_WINDOW_FILE - ETCL_WINDOW_SIZE) ||
        fcntl(window->fd, F_ADD_SEALS, ETCL_WINDOW_SEALS)) {
        return errno;
    }
    return map_file(window);
}

static void release(etcl_window_t *window)
{
    if (window->ptr) {
        munmap(window->ptr, ETCL_WINDOW_FILE);
    }
    if (window->fd >= 0) {
        close(window->fd);
    }
    *window = (etcl_window_t){ .fd = -1 };
    atomic_fetch_sub(&count, 1);
}

apr_status_t etcl_window_create(etcl_window_t *window)
{
    apr_status_t rv;

    if (atomic_fetch_add(&count, 1) >= ETCL_WINDOWS_MAX) {
        atomic_fetch_sub(&count, 1);
        return APR_ENOMEM;
    }
    *window = (etcl_window_t){ .fd = -1 };
    rv = make_file(window);
    if (rv != APR_SUCCESS) {
        release(window);
    }
    return rv;
}

void etcl_window_destroy(etcl_window_t *window)
{
    if (window->ptr) {
        release(window);
    }
}

static apr_status_t write_at(int fd, apr_size_t at, etcl_span_t bytes)
{
    ssize_t written;

    while (bytes.len) {
        written = pwrite(fd, bytes.ptr, bytes.len, (off_t)at);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written ? errno : ENOSPC;
        }
        at += (apr_size_t)written;
        bytes.ptr += written;
        bytes.len -= (apr_size_t)written;
    }
    return APR_SUCCESS;
}

/* Where no memory stands behind the mapping yet, and none can be had, a write
 * says so; a store would be the end of the process. */
apr_status_t etcl_window_put(etcl_window_t *window, apr_size_t at,
                             etcl_span_t bytes)
{
    apr_status_t rv;

    if (at + bytes.len <= window->filled) {
        memcpy(window->ptr + at, bytes.ptr, bytes.len);
        return APR_SUCCESS;
    }
    rv = write_at(window->fd, at, bytes);
    if (rv == APR_SUCCESS && at <= window->filled) {
        window->filled = at + bytes.len;
    }
    return rv;
}

static apr_uint32_t *mark_of(const etcl_window_t *window)
{
    return (apr_uint32_t *)(void *)(window->ptr + ETCL_WINDOW_SIZE);
}

void etcl_window_mark(etcl_window_t *window, apr_uint32_t serial,
                      apr_int64_t now_us)
{
    __atomic_store_n(mark_of(window), serial, __ATOMIC_SEQ_CST);
    window->since_us = now_us;
}

void etcl_window_rest(etcl_window_t *window, apr_int64_t now_us)
{
    if (!window->ptr || !window->filled ||
        now_us - window->since_us < ETCL_WINDOW_REST_US) {
        return;
    }
    __atomic_store_n(mark_of(window), 0, __ATOMIC_SEQ_CST);
    window->filled = 0;
    madvise(window->ptr, ETCL_WINDOW_SIZE, MADV_REMOVE);
}

/* Looks at windows. The mark behind the bytes says whose they are: it is taken
 * away before they go, and never given back, so that a reader who finds it has
 * read, so far, nothing else. */

#include "etcl_view.h"
#include "etcl_window.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The seals on its size are ones that only memory files have: reading it waits
 * for nobody. */
static int is_window(int fd)
{
    struct stat info;
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & ETCL_WINDOW_SEALS) == ETCL_WINDOW_SEALS &&
           !fstat(fd, &info) && info.st_size == (off_t)ETCL_WINDOW_FILE;
}

apr_status_t etcl_view_open(etcl_view_t *view, int fd)
{
    void *ptr = MAP_FAILED;
    apr_status_t rv = is_window(fd) ? APR_SUCCESS : ETCL_EPROTO;

    if (rv == APR_SUCCESS) {
        ptr = mmap(NULL, ETCL_WINDOW_SIZE, PROT_READ, MAP_SHARED, fd, 0);
        rv = ptr == MAP_FAILED ? errno : APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        close(fd);
        return rv;
    }
    *view = (etcl_view_t){ .fd = fd, .ptr = ptr };
    return APR_SUCCESS;
}

void etcl_view_close(etcl_view_t *view)
{
    union {
        const char *in;
        void *out; /* munmap() knows no const */
    } memory = { .in = view->ptr };

    if (view->fd >= 0) {
        munmap(memory.out, ETCL_WINDOW_SIZE);
        close(view->fd);
    }
    *view = (etcl_view_t){ .fd = -1 };
}

static apr_status_t read_at(int fd, apr_size_t at, void *into, apr_size_t len)
{
    char *to = into;
    ssize_t got;

    while (len) {
        got = pread(fd, to, len, (off_t)at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return ETCL_EPROTO;
        }
        at += (apr_size_t)got;
        to += got;
        len -= (apr_size_t)got;
    }
    return APR_SUCCESS;
}

apr_status_t etcl_view_read(const etcl_view_t *view, apr_uint32_t serial,
                            apr_size_t at, char *into, apr_size_t len)
{
    apr_uint32_t mark;
    apr_status_t rv = read_at(view->fd, at, into, len);

    if (rv == APR_SUCCESS) {
        rv = read_at(view->fd, ETCL_WINDOW_SIZE, &mark, sizeof(mark));
    }
    if (rv == APR_SUCCESS && mark != serial) {
        rv = ETCL_EPROTO;
    }
    return rv;
}

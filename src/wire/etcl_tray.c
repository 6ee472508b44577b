/* The memory of trays, made by one end and mapped by both. Which bytes lie in
 * it, and until when, the frames say. */

#include "etcl_tray.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* An older header may not know it; an older kernel refuses it. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static apr_status_t map_file(etcl_tray_t *tray, int fd, int rights)
{
    void *ptr = mmap(NULL, ETCL_TRAY_LEN, rights, MAP_SHARED, fd, 0);

    if (ptr == MAP_FAILED) {
        return errno;
    }
    tray->ptr = ptr;
    return APR_SUCCESS;
}

/* Without the seal on writing, a worker could change what only it reads. */
static apr_status_t seal(int fd)
{
    fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    return fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL) ? errno
                                                            : APR_SUCCESS;
}

/* A mapping that can be written must be there before that is sealed. */
static apr_status_t fill_file(etcl_tray_t *tray, int fd)
{
    int error = posix_fallocate(fd, 0, (off_t)ETCL_TRAY_LEN);
    apr_status_t rv = error;

    if (rv == APR_SUCCESS) {
        rv = map_file(tray, fd, PROT_READ | PROT_WRITE);
    }
    return rv == APR_SUCCESS ? seal(fd) : rv;
}

apr_status_t etcl_tray_create(etcl_tray_t *tray)
{
    int fd = memfd_create("etcl-tray", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    apr_status_t rv;

    *tray = (etcl_tray_t){ .fd = fd };
    if (fd < 0) {
        return errno;
    }
    rv = fill_file(tray, fd);
    if (rv != APR_SUCCESS && !tray->ptr) {
        close(fd);
    }
    if (rv != APR_SUCCESS) {
        etcl_tray_destroy(tray);
    }
    return rv;
}

void etcl_tray_sent(etcl_tray_t *tray)
{
    if (tray->fd >= 0) {
        close(tray->fd);
    }
    tray->fd = -1;
}

/* Behind a file that could shrink, reading could end the process. */
static int is_tray(int fd)
{
    struct stat info;
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & SIZE_SEALS) == SIZE_SEALS &&
           !fstat(fd, &info) && info.st_size == (off_t)ETCL_TRAY_LEN;
}

apr_status_t etcl_tray_accept(etcl_tray_t *tray, int fd)
{
    apr_status_t rv = ETCL_EPROTO;

    if (!tray->ptr && is_tray(fd)) {
        tray->fd = -1;
        rv = map_file(tray, fd, PROT_READ);
    }
    close(fd);
    return rv;
}

void etcl_tray_destroy(etcl_tray_t *tray)
{
    if (tray->ptr) {
        munmap(tray->ptr, ETCL_TRAY_LEN);
        etcl_tray_sent(tray);
    }
    *tray = (etcl_tray_t){ .fd = -1 };
}

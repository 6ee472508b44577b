/* A memory file that is written at its end and read at its beginning. How much
 * all of them hold is counted in each child. Which bytes go through it, and
 * when, is etcl_sluice.c's. */

#include "etcl_spool.h"
#include "etcl_part.h"
#include "etcl_spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic apr_int64_t all_counted;

static void uncount(etcl_spool_t *spool, apr_int64_t len)
{
    spool->counted -= len;
    atomic_fetch_sub(&all_counted, len);
}

static apr_status_t count(etcl_spool_t *spool, apr_int64_t len)
{
    const apr_int64_t before = atomic_fetch_add(&all_counted, len);

    spool->counted += len;
    if (spool->counted > ETCL_SPILL_MAX || before + len > ETCL_SPOOL_TOTAL) {
        uncount(spool, len);
        return ETCL_EFULL;
    }
    return APR_SUCCESS;
}

static void close_file(etcl_spool_t *spool)
{
    if (spool->fd >= 0) {
        close(spool->fd);
    }
    spool->fd = -1;
    spool->from = spool->to = 0;
}

static apr_status_t destroy(void *data)
{
    etcl_spool_t *spool = data;

    close_file(spool);
    uncount(spool, spool->counted);
    return APR_SUCCESS;
}

etcl_spool_t *etcl_spool_create(apr_pool_t *pool)
{
    etcl_spool_t *spool = apr_pcalloc(pool, sizeof(*spool));

    spool->fd = -1;
    apr_pool_cleanup_register(pool, spool, destroy, apr_pool_cleanup_null);
    return spool;
}

apr_int64_t etcl_spool_left(const etcl_spool_t *spool)
{
    return spool ? spool->to - spool->from : 0;
}

/* What was written of bytes that did not fit is written over. */
static apr_status_t append(etcl_spool_t *spool, etcl_span_t bytes)
{
    apr_status_t rv;

    if (spool->fd < 0) {
        spool->fd = etcl_spill_open();
    }
    if (spool->fd < 0 || lseek(spool->fd, spool->to, SEEK_SET) < 0) {
        return errno;
    }
    rv = etcl_spill_add(spool->fd, bytes);
    if (!rv) {
        spool->to += (apr_off_t)bytes.len;
    }
    return rv;
}

apr_status_t etcl_spool_add(etcl_spool_t *spool, etcl_span_t bytes)
{
    apr_status_t rv = count(spool, (apr_int64_t)bytes.len);

    if (!rv) {
        rv = append(spool, bytes);
        if (rv) {
            uncount(spool, (apr_int64_t)bytes.len);
        }
    }
    return rv;
}

/* A new file costs no more than an empty old one, which would keep a page. */
static void forget(etcl_spool_t *spool, apr_size_t len)
{
    const int how = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

    spool->from += (apr_off_t)len;
    uncount(spool, (apr_int64_t)len);
    if (spool->from == spool->to) {
        close_file(spool);
    } else {
        fallocate(spool->fd, how, 0, spool->from);
    }
}

apr_status_t etcl_spool_take(etcl_spool_t *spool, char *into, apr_size_t *len)
{
    const apr_int64_t left = etcl_spool_left(spool);
    ssize_t got;

    if ((apr_int64_t)*len > left) {
        *len = (apr_size_t)left;
    }
    do {
        got = pread(spool->fd, into, *len, spool->from);
    } while (got < 0 && errno == EINTR);
    if (got < 0 || (apr_size_t)got != *len) {
        return got < 0 ? errno : EIO;
    }
    forget(spool, *len);
    return APR_SUCCESS;
}

apr_status_t etcl_spool_part(etcl_spool_t *spool, request_rec *r,
                             apr_bucket_brigade *bb)
{
    const apr_off_t len = spool->to - spool->from;
    apr_status_t rv = etcl_spill_seal(spool->fd);
    int fd = spool->fd;

    if (rv) {
        return rv;
    }
    spool->fd = -1;
    rv = etcl_part_append(r, bb, fd, spool->from, len);
    close_file(spool);
    return rv;
}

void etcl_spool_drop(etcl_spool_t *spool)
{
    if (spool) {
        uncount(spool, etcl_spool_left(spool));
        close_file(spool);
    }
}

/* Parts of files as buckets. */

#ifndef ETCL_PART_H
#define ETCL_PART_H

#include "etcl_httpd.h"

/**
 * Append a part of a regular file to a brigade. It is never mapped: a file
 * that is cut short meanwhile would kill this process.
 *
 * Owns     takes `fd` over, also when it fails; the request's pool closes it,
 *          also when a filter has moved it into another one
 * Returns  APR_SUCCESS, errno
 */
apr_status_t etcl_part_append(request_rec *r, apr_bucket_brigade *bb, int fd,
                              apr_off_t offset, apr_off_t len);

/** Whether it is a sealed memory file: its content is nobody's but that
 *  answer's. A file of tmpfs has seals, too, but not this one. */
int etcl_part_is_memory(int fd);

/** Whether it is a regular file that has this part. */
int etcl_part_is_in(int fd, apr_int64_t offset, apr_int64_t len);

#endif

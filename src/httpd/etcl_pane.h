/* Buckets over a window: bytes that are sent from where they are. */

#ifndef ETCL_PANE_H
#define ETCL_PANE_H

#include "etcl_httpd.h"
#include "etcl_view.h"

/** Whether nobody but the core's filter will read what is passed on here: no
 *  filter in between looks at bytes. */
int etcl_pane_may_pass(const request_rec *r);

/**
 * A bucket over bytes of call `serial`; only where etcl_pane_may_pass().
 *
 * Owns     `view` is borrowed until the bucket is destroyed or set aside
 */
apr_bucket *etcl_pane_create(request_rec *r, const etcl_view_t *view,
                             apr_uint32_t serial, apr_size_t at,
                             apr_size_t len);

#endif

/* Scripts of an interpreter: loaded once, under a lock of their own, so that
 * a slow import keeps only its own requests waiting. */

#ifndef ETCL_SCRIPT_H
#define ETCL_SCRIPT_H

#include "etcl_call.h"
#include "etcl_python.h"

struct etcl_interp_t;

#define ETCL_SCRIPT_RETRY_US 1000000 /* a script that did not load */

/**
 * The callable of a target, its script loaded if need be. An empty name is
 * that of an import script: None stands for it.
 *
 * `mtime_us` is the file's modification time when the script is to be loaded
 * again after a change, else -1.
 *
 * Context  GIL held; released while another thread loads the same script.
 * Returns  a new reference, or NULL: why was said in the log
 */
PyObject *etcl_script_get(struct etcl_interp_t *interp,
                          const etcl_target_t *target, apr_int64_t mtime_us);

/** The namespace of a script, likewise; no callable is looked for. */
PyObject *etcl_script_space(struct etcl_interp_t *interp,
                            const etcl_target_t *target, apr_int64_t mtime_us);

/**
 * Ask the script's reload_required(), if it is loaded and has one; what it
 * wants is done by the next etcl_script_get, or by the supervisor.
 *
 * Context  GIL held.
 */
void etcl_script_poll(struct etcl_interp_t *interp, const etcl_target_t *target,
                      etcl_span_t resource);

/** The modification time of a file, 0 when there is none. */
apr_int64_t etcl_script_mtime(etcl_span_t path);

#endif

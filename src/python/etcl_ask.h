/* Questions of Apache beside requests: passwords, groups, access, dispatch. */

#ifndef ETCL_ASK_H
#define ETCL_ASK_H

#include "etcl_turn.h"

/**
 * Ask the function that the kind of the call names, and give its verdict to
 * the exchange.
 *
 * `mtime_us` is as for etcl_script_get.
 *
 * Context  GIL held; within a turn.
 * Source   include/etcl_call.h
 */
etcl_answer_t etcl_ask_script(etcl_turn_t *turn, apr_int64_t mtime_us);

#endif

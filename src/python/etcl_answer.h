/* The bridge, in one function. */

#ifndef ETCL_ANSWER_H
#define ETCL_ANSWER_H

#include "etcl_call.h"
#include "etcl_exchange.h"

/** See etcl_runtime_t.answer. */
etcl_answer_t etcl_answer_call(const etcl_call_t *call, etcl_exchange_t *x);

/** See etcl_runtime_t.load. */
apr_status_t etcl_answer_load(const etcl_target_t *target);

#endif

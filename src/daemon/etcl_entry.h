/* Entries of the log that are written during a call, over its link. */

#ifndef ETCL_ENTRY_H
#define ETCL_ENTRY_H

#include "etcl_exchange.h"

/** `log` of etcl_exchange_ops_t. */
void etcl_entry_log(etcl_exchange_t *x, etcl_level_t level, etcl_span_t text);

#endif

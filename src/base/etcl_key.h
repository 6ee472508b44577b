/* Well-known names of environ by text and by id (include/etcl_keys.h). */

#ifndef ETCL_KEY_H
#define ETCL_KEY_H

#include "etcl_keys.h"

/** The id of a name, or ETCL_KEY_NONE. Constant time; no allocation. */
etcl_key_t etcl_key_find(etcl_span_t name);

/**
 * The name of an id, terminated and static.
 *
 * Returns  an empty span for ETCL_KEY_NONE and for ids out of range
 */
etcl_span_t etcl_key_name(unsigned int id);

#endif

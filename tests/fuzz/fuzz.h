/* What the fuzz targets share. */

#ifndef FUZZ_H
#define FUZZ_H

#include "etcl.h"

#include <stdint.h>

/** The door that libFuzzer knocks at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The end of the run when something that must hold does not. */
#define FUZZ_MUST(what)                                                        \
    do {                                                                       \
        if (!(what)) {                                                         \
            __builtin_trap();                                                  \
        }                                                                      \
    } while (0)

/** Whether two spans are the same bytes. */
static inline int fuzz_same(etcl_span_t a, etcl_span_t b)
{
    return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

#endif

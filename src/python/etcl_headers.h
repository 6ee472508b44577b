/* What start_response() is given: status and headers by the rules of PEP 3333
 * and HTTP. */

#ifndef ETCL_HEADERS_H
#define ETCL_HEADERS_H

#include "etcl_turn.h"

/**
 * Check status and headers and keep them, in place of what was there.
 *
 * Owns     references to the str objects, until etcl_headers_forget.
 * Returns  0, or -1 with the Python error set and nothing kept
 * Source   PEP 3333 "The start_response() Callable"; RFC 9110 sections 5.1,
 *          5.5, 7.6.1, 8.6
 */
int etcl_headers_take(etcl_response_t *response, PyObject *status,
                      PyObject *headers);

/** Let go of status and headers. */
void etcl_headers_forget(etcl_response_t *response);

#endif

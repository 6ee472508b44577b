/* wsgi.file_wrapper: a regular file leaves as a file. */

#ifndef ETCL_FILE_H
#define ETCL_FILE_H

#include "etcl_turn.h"

#define ETCL_FILE_NONE 1

/**
 * Send `body` as a file when it is a FileWrapper around one, nothing was sent
 * yet, and reading it would give just the bytes of the file.
 *
 * Returns  0, -1 with the Python error set, or
 *          ETCL_FILE_NONE  iterate it
 * Source   PEP 3333 "Optional Platform-Specific File Handling"
 */
int etcl_file_send(etcl_turn_t *turn, PyObject *body);

#endif

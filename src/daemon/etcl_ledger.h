/* What requests a worker works on, in memory that it shares with its
 * supervisor: when the worker dies, the supervisor can still say what it held.
 * The worker runs an application, which can write anything there; a reader
 * takes each line as bounded bytes and nothing more. */

#ifndef ETCL_LEDGER_H
#define ETCL_LEDGER_H

#include "etcl_call.h"

/* Request threads that have a line; what others do is not written down. */
#define ETCL_LEDGER_LINES 512

/* Of "METHOD path"; a longer one is cut. */
#define ETCL_LEDGER_TEXT 112

typedef struct etcl_ledger_t etcl_ledger_t; /* the shared memory */

/* A checked copy of a line. */
typedef struct {
    apr_int64_t since_us; /* when the request began; any number */
    apr_size_t len;
    char text[ETCL_LEDGER_TEXT]; /* any bytes */
} etcl_held_t;

/**
 * Supervisor: make the ledger of one worker. Its size is sealed.
 *
 * Owns     *fd is the caller's, for the worker; the result is ended by
 *          etcl_ledger_close
 * Returns  mapped read-only; NULL with *fd -1: a worker can do without
 */
const etcl_ledger_t *etcl_ledger_create(int *fd);

/** Supervisor: let it go; NULL is nothing. */
void etcl_ledger_close(const etcl_ledger_t *ledger);

/** Worker: map it for writing; `fd` stays the caller's. NULL: do without. */
etcl_ledger_t *etcl_ledger_open(int fd);

/**
 * A request thread begins, and ends, a request. Less than 0.1 us; a ledger of
 * NULL, or a line beyond ETCL_LEDGER_LINES, is nothing.
 *
 * Context  each line has one writer
 */
void etcl_ledger_begin(etcl_ledger_t *ledger, int line, const etcl_call_t *call,
                       apr_int64_t now_us);
void etcl_ledger_end(etcl_ledger_t *ledger, int line);

/** Copy a line: 1; 0 when it holds no request, or there is no such line. */
int etcl_ledger_read(const etcl_ledger_t *ledger, int line, etcl_held_t *out);

#endif

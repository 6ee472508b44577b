/* Where a thread is, in Python's terms, while it is there. */

#ifndef ETCL_DUMP_H
#define ETCL_DUMP_H

#include "etcl_exchange.h"
#include "etcl_python.h"

/** Functions for process.py, which registers the signals. */
extern PyMethodDef etcl_dump_methods[];

/** See etcl_runtime_t.dump. */
void etcl_dump_stack(etcl_exchange_t *x);

/** This process is a fork: its stacks are not for the other one. */
void etcl_dump_renew(void);

/** The calling thread must not block the signals of a dump. */
void etcl_dump_unblock(void);

#endif

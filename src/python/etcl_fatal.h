/* The Python stack of a crash where CPython's own report has none. */

#ifndef ETCL_FATAL_H
#define ETCL_FATAL_H

/**
 * Write the stack of a thread that crashes in a sub-interpreter: faulthandler
 * knows only what it has in the main one.
 *
 * Context  a daemon's process, before faulthandler.enable(), which passes the
 *          signal on
 */
void etcl_fatal_watch(void);

#endif

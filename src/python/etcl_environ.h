/* The environ of a request. Most of it is as it was in the last one: each
 * thread keeps a model, changes what differs, and copies it. */

#ifndef ETCL_ENVIRON_H
#define ETCL_ENVIRON_H

#include "etcl_python.h"
#include "etcl_keys.h"

#define ETCL_ENVIRON_OTHERS 64 /* names without an id, by hash */
#define ETCL_ENVIRON_ORDER 128 /* more pairs: the model is made anew */
#define ETCL_ENVIRON_KEEP 4096 /* longer values are not kept */

struct etcl_interp_t;
struct etcl_turn_t;

typedef struct {
    PyObject *name;
    PyObject *value; /* of the last request that had it */
} etcl_cell_t;

/* Of one thread in one interpreter. Never shared: a copy that is made while
 * another thread changes the model would mix two requests. */
typedef struct {
    PyObject *model; /* NULL until the first request */
    PyObject *callable;
    etcl_cell_t known[ETCL_KEY_COUNT];
    etcl_cell_t others[ETCL_ENVIRON_OTHERS];
    etcl_cell_t *order[ETCL_ENVIRON_ORDER]; /* NULL: not passed on */
    apr_size_t count; /* of `order`; 0: the model is of no use */
    int https;        /* the pair HTTPS said so */
} etcl_environ_t;

/**
 * What every environ of an interpreter holds, with room for the rest.
 *
 * Returns  a new dict, or NULL with the Python error set
 */
PyObject *etcl_environ_template(struct etcl_interp_t *interp);

/**
 * The environ of a turn: a new dict, or NULL with the Python error set.
 *
 * Source   PEP 3333 "environ Variables"
 */
PyObject *etcl_environ_make(struct etcl_turn_t *turn, PyObject *input);

/**
 * The environ of auth, access and dispatch scripts: the variables of the call
 * and little more. Nothing of it is kept: it may hold a password.
 *
 * Returns  a new dict, or NULL with the Python error set
 */
PyObject *etcl_environ_plain(struct etcl_turn_t *turn);

void etcl_environ_clear(etcl_environ_t *environ);

#endif

/* The bridge under test: Python started once in the test program, scripts
 * written as text, answers through the recording exchange. */

#ifndef BRIDGE_H
#define BRIDGE_H

#include "etcl_runtime.h"
#include "etcl_keys.h"
#include "fake_exchange.h"

#include <check.h>

extern const etcl_runtime_t etcl_runtime;

/* A request; what is not said is that of a plain GET. */
typedef struct {
    const char *code;     /* the script; asks for `application` */
    const char *method;   /* NULL: GET */
    const char *group;    /* application group; NULL: the main one */
    const char *callable; /* NULL: application */
    apr_uint32_t flags;
    apr_int64_t body_len;     /* as announced: -1 chunked */
    const etcl_pair_t *pairs; /* besides REQUEST_METHOD */
    apr_size_t pair_count;
} request_t;

/* Start Python, once; as an unchecked fixture, so that tests may fork. */
void bridge_start(void);

/** A call into `request`'s script, which is written to a file first. */
etcl_answer_t bridge_ask(const request_t *request, fake_exchange_t *fake);

/** The same with a script that is just `code`, by GET. */
etcl_answer_t bridge_get(const char *code, fake_exchange_t *fake);

/** The path of the script with this text; written if need be. */
const char *bridge_script(const char *code);

/** What went to the process's own log since the last call of this. */
const char *bridge_log(void);

/** Its text so far, kept. */
const char *bridge_peek(void);

/** The configuration Python was started with; may be changed by a test that
 *  runs in a process of its own. */
etcl_runtime_config_t *bridge_config(void);

/** A folder for files of a test, removed at the end of the program. */
const char *bridge_folder(void);

/** Run Python text in the main interpreter, outside any request. */
void bridge_run(const char *code);

#define WITH_FAKE(name)                                                        \
    fake_exchange_t name __attribute__((cleanup(fake_exchange_done)));         \
    fake_exchange_init(&name)

#define HELLO                                                                  \
    "def application(environ, start_response):\n"                              \
    "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"

/** A row of "this script gives that answer". */
typedef struct {
    const char *name;
    const char *code;
    etcl_answer_end_t end;
    int status;
    const char *head; /* a part of it; NULL: no head was given */
    const char *body; /* all of it; NULL: not looked at */
    const char *log;  /* a part of it; NULL: must be empty */
} row_t;

/** Ask, compare, and name the row when something differs. */
void bridge_check_row(const row_t *row, const char *method);

/** A test for each row of a table. */
#define add_rows(tests, test, rows)                                            \
    tcase_add_loop_test(tests, test, 0, (int)(sizeof(rows) / sizeof(*(rows))))

/** A case of `suite` with Python started. */
TCase *bridge_case(Suite *suite, const char *name);

#endif

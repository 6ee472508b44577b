/* What <WSGIInterpreterOptions> says of one interpreter. */

#ifndef ETCL_SETUP_H
#define ETCL_SETUP_H

#include "etcl_runtime.h"

/* What holds for an interpreter; later rules win. */
typedef struct {
    double switch_interval; /* seconds; 0 leaves CPython's */
    int own_gil;
    int restrict_stdin;
    int restrict_stdout;
    int restrict_signal;
} etcl_setup_t;

/** Whether a rule concerns the interpreter of this name. */
int etcl_setup_match(const etcl_rule_t *rule, const char *app_group);

/** Settle the options of an interpreter. */
void etcl_setup_settle(const etcl_runtime_config_t *config,
                       const char *app_group, etcl_setup_t *out);

/** Warn of options that this Python, or this process, cannot honour. */
void etcl_setup_complain(const etcl_runtime_config_t *config);

#endif

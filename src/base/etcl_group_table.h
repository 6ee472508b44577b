/* The options of WSGIDaemonProcess as data: the table of
 * etcl_group_options.h in a form that code can walk over. */

#ifndef ETCL_GROUP_TABLE_H
#define ETCL_GROUP_TABLE_H

#include "etcl_group.h"

typedef enum {
    ETCL_GROUP_TEXT,
    ETCL_GROUP_PATH,
    ETCL_GROUP_FOLDERS,
    ETCL_GROUP_PAGE,
    ETCL_GROUP_LIST,
    ETCL_GROUP_INT,
    ETCL_GROUP_SECONDS,
    ETCL_GROUP_BYTES,
    ETCL_GROUP_SIZE,
    ETCL_GROUP_OCTAL,
    ETCL_GROUP_FLAG,
    ETCL_GROUP_RELOAD,
    ETCL_GROUP_FLOAT
} etcl_group_kind_t;

typedef struct {
    const char *name;       /* in the directive */
    etcl_group_kind_t kind; /* says the type of the field, too */
    apr_size_t offset;      /* of the field in etcl_group_options_t */
    apr_int64_t low;
    apr_int64_t high;
} etcl_group_option_t;

/** In the order of the table, which is that of the bits of `stated`. */
extern const etcl_group_option_t etcl_group_table[];
extern const int etcl_group_table_len;

/* The field of an option, by what its kind keeps there. */
const char **etcl_group_table_text(etcl_group_options_t *options, int at);
apr_int64_t *etcl_group_table_number(etcl_group_options_t *options, int at);
double *etcl_group_table_float(etcl_group_options_t *options, int at);

/** Whether a number of this option may have this value when stated. */
int etcl_group_table_allows(int at, apr_int64_t value);

/** The option of this name, or -1. */
int etcl_group_table_find(const char *name);

/** The option whose name is nearest to a mistyped one. */
int etcl_group_table_nearest(const char *name);

#endif

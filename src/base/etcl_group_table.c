/* Looking options up, by their place and by their names. What their values
 * are parsed from is etcl_group.c. */

#include "etcl_group_table.h"

#include <stddef.h>

#define NAME_MAX_LEN 31

#define ROW(field, option, kind, unset, low, high)                             \
    { option, ETCL_GROUP_##kind, offsetof(etcl_group_options_t, field), low,   \
      high },

const etcl_group_option_t etcl_group_table[] = { ETCL_GROUP_OPTIONS(ROW) };
const int etcl_group_table_len =
    (int)(sizeof(etcl_group_table) / sizeof(etcl_group_table[0]));

_Static_assert(sizeof(etcl_group_table) / sizeof(etcl_group_table[0]) <= 64,
               "`stated` has a bit for every option");

static void *field_of(etcl_group_options_t *options, int at)
{
    return (char *)options + etcl_group_table[at].offset;
}

const char **etcl_group_table_text(etcl_group_options_t *options, int at)
{
    return field_of(options, at);
}

apr_int64_t *etcl_group_table_number(etcl_group_options_t *options, int at)
{
    return field_of(options, at);
}

double *etcl_group_table_float(etcl_group_options_t *options, int at)
{
    return field_of(options, at);
}

int etcl_group_table_allows(int at, apr_int64_t value)
{
    const etcl_group_option_t *option = &etcl_group_table[at];

    return (value >= option->low && value <= option->high) ||
           ((option->kind == ETCL_GROUP_BYTES ||
             option->kind == ETCL_GROUP_SIZE) &&
            !value);
}

int etcl_group_table_find(const char *name)
{
    int at;

    for (at = 0; at < etcl_group_table_len; at++) {
        if (!strcmp(etcl_group_table[at].name, name)) {
            return at;
        }
    }
    return -1;
}

static int least(int a, int b, int c)
{
    int less = a < b ? a : b;

    return less < c ? less : c;
}

/* How many letters to insert, drop or change (Levenshtein). */
static int distance(const char *from, const char *to)
{
    int row[NAME_MAX_LEN + 1], len = (int)strlen(to), above, left, i, j;

    for (j = 0; j <= len; j++) {
        row[j] = j;
    }
    for (i = 0; from[i]; i++) {
        left = row[0]++;
        for (j = 1; j <= len; j++) {
            above = row[j];
            row[j] =
                least(above + 1, row[j - 1] + 1, left + (from[i] != to[j - 1]));
            left = above;
        }
    }
    return row[len];
}

int etcl_group_table_nearest(const char *name)
{
    int at, far, best = 0, best_far = distance(name, etcl_group_table[0].name);

    for (at = 1; at < etcl_group_table_len; at++) {
        far = distance(name, etcl_group_table[at].name);
        if (far < best_far) {
            best = at;
            best_far = far;
        }
    }
    return best;
}

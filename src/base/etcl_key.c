/* A hash table of ids, filled from the one list of names when the artefact is
 * loaded, before any thread exists, and only read from then on. It is four
 * times as big as the list, so that a search ends after a step or two. */

#include "etcl_key.h"

#define TABLE_SIZE 256u

_Static_assert(ETCL_KEY_COUNT * 3 < TABLE_SIZE, "the table is too full");

#define NAME_OF(constant, name) ETCL_SPAN(name),
static const etcl_span_t names[] = { ETCL_SPAN(""), ETCL_KEYS(NAME_OF) };

static apr_byte_t table[TABLE_SIZE]; /* ids; 0 is a free place */

/* FNV-1a. */
static apr_uint32_t hash_of(etcl_span_t name)
{
    apr_uint32_t hash = 2166136261u;
    apr_size_t i;

    for (i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619u;
    }
    return hash ^ hash >> 16;
}

__attribute__((constructor)) static void fill_table(void)
{
    apr_uint32_t at;
    unsigned int id;

    for (id = 1; id < ETCL_KEY_COUNT; id++) {
        at = hash_of(names[id]);
        while (table[at % TABLE_SIZE]) {
            at++;
        }
        table[at % TABLE_SIZE] = (apr_byte_t)id;
    }
}

etcl_key_t etcl_key_find(etcl_span_t name)
{
    apr_uint32_t at = hash_of(name);
    apr_byte_t id;

    while ((id = table[at++ % TABLE_SIZE])) {
        if (names[id].len == name.len &&
            !memcmp(names[id].ptr, name.ptr, name.len)) {
            return (etcl_key_t)id;
        }
    }
    return ETCL_KEY_NONE;
}

etcl_span_t etcl_key_name(unsigned int id)
{
    return names[id < ETCL_KEY_COUNT ? id : 0];
}

/* A group as bytes, for the daemon program of the same build. One walk over
 * the fields serves both directions, so that they cannot differ in order; what
 * is read is copied, and believed only within its bounds. */

#include "etcl_group_table.h"
#include "etcl_buffer.h"
#include "etcl_bytes.h"
#include "etcl_roster.h"

#include <apr_strings.h>

#define MAGIC "ETCLGRP1"
#define NO_TEXT 0xffffffffu /* the length that stands for NULL */
#define GROUP_MAX 16777216u /* bytes of a whole group */
#define WARNINGS_MAX 1024

/* One walk: either `out` is written or `in` is read. */
typedef struct {
    etcl_buffer_t *out; /* NULL when reading */
    etcl_cursor_t in;
    apr_pool_t *pool; /* of what is read */
    apr_status_t rv;  /* of the first write that failed */
} walk_t;

static void put_field(walk_t *walk, etcl_span_t bytes)
{
    char *room;

    if (walk->rv != APR_SUCCESS) {
        return;
    }
    walk->rv = bytes.len > GROUP_MAX
                   ? ETCL_ELIMIT
                   : etcl_buffer_room(walk->out, 4 + bytes.len, &room);
    if (walk->rv == APR_SUCCESS) {
        etcl_bytes_put_text(room, bytes);
        walk->out->len += 4 + bytes.len;
    }
}

static void walk_bytes(walk_t *walk, void *bytes, apr_size_t len)
{
    etcl_span_t got;

    if (walk->out) {
        put_field(walk, (etcl_span_t){ bytes, len });
        return;
    }
    got = etcl_cursor_text(&walk->in);
    walk->in.bad |= got.len != len;
    if (!walk->in.bad) {
        memcpy(bytes, got.ptr, len);
    }
}

static void walk_number(walk_t *walk, apr_int64_t *number, apr_int64_t low,
                        apr_int64_t high)
{
    walk_bytes(walk, number, sizeof(*number));
    if (!walk->out && (*number < low || *number > high)) {
        walk->in.bad = 1;
    }
}

static void walk_int(walk_t *walk, int *number, int low, int high)
{
    apr_int64_t wide = *number;

    walk_number(walk, &wide, low, high);
    if (!walk->in.bad) {
        *number = (int)wide;
    }
}

static void read_text(walk_t *walk, const char **text)
{
    etcl_cursor_t ahead = walk->in;
    etcl_span_t got;

    *text = NULL;
    if (etcl_cursor_u32(&ahead) == NO_TEXT) {
        walk->in = ahead;
        return;
    }
    got = etcl_cursor_text(&walk->in);
    if (memchr(got.ptr, '\0', got.len)) {
        walk->in.bad = 1;
        return;
    }
    *text = apr_pstrmemdup(walk->pool, got.ptr, got.len);
}

static void write_text(walk_t *walk, const char *text)
{
    char none[4];

    if (text) {
        put_field(walk, etcl_span(text));
    } else if (walk->rv == APR_SUCCESS) {
        etcl_bytes_put_u32(none, NO_TEXT);
        walk->rv =
            etcl_buffer_add(walk->out, (etcl_span_t){ none, sizeof(none) });
    }
}

static void walk_text(walk_t *walk, const char **text)
{
    if (walk->out) {
        write_text(walk, *text);
    } else {
        read_text(walk, text);
    }
}

/* A text that must be there. */
static void walk_name(walk_t *walk, const char **text)
{
    walk_text(walk, text);
    walk->in.bad |= !walk->out && !*text;
}

static void walk_float(walk_t *walk, double *number)
{
    walk_bytes(walk, number, sizeof(*number));
    walk->in.bad |= !walk->out && !(*number >= 0);
}

/* A number is one that could have been stated, or what it is unstated: the
 * value that etcl_group_init() gave it. */
static void walk_option(walk_t *walk, etcl_group_options_t *options, int at)
{
    apr_int64_t *number, unset;

    switch (etcl_group_table[at].kind) {
    case ETCL_GROUP_TEXT:
    case ETCL_GROUP_PATH:
    case ETCL_GROUP_FOLDERS:
    case ETCL_GROUP_PAGE:
    case ETCL_GROUP_LIST:
        walk_text(walk, etcl_group_table_text(options, at));
        return;
    case ETCL_GROUP_FLOAT:
        walk_float(walk, etcl_group_table_float(options, at));
        return;
    default:
        number = etcl_group_table_number(options, at);
        unset = *number;
        walk_number(walk, number, APR_INT64_MIN, APR_INT64_MAX);
        walk->in.bad |= !walk->out && *number != unset &&
                        !etcl_group_table_allows(at, *number);
    }
}

static void walk_options(walk_t *walk, etcl_group_options_t *options)
{
    int at;

    walk_bytes(walk, &options->stated, sizeof(options->stated));
    walk->in.bad |= !walk->out && options->stated >> etcl_group_table_len;
    for (at = 0; at < etcl_group_table_len; at++) {
        walk_option(walk, options, at);
    }
}

/* How many entries follow; at most what the input can hold, since each is at
 * least a length. Memory for them is made when reading. */
static void *walk_count(walk_t *walk, int *count, int max, apr_size_t size)
{
    walk_int(walk, count, 0, max);
    if (walk->out) {
        walk->rv = *count > max ? ETCL_ELIMIT : walk->rv;
        return NULL;
    }
    if (walk->in.bad || (apr_size_t)*count > walk->in.rest.len / 4) {
        walk->in.bad = 1;
        *count = 0;
    }
    return apr_pcalloc(walk->pool, (apr_size_t)(*count + 1) * size);
}

static void walk_gids(walk_t *walk, etcl_group_t *group)
{
    apr_int64_t *made =
        walk_count(walk, &group->gid_count, ETCL_GROUP_GIDS_MAX, sizeof(*made));
    apr_int64_t gid = 0;
    int i;

    for (i = 0; i < group->gid_count; i++) {
        gid = walk->out ? group->gids[i] : 0;
        walk_number(walk, &gid, 0, APR_UINT32_MAX);
        if (made) {
            made[i] = gid;
        }
    }
    if (made) {
        group->gids = made;
    }
}

static int count_of(const char *const *texts)
{
    int count = 0;

    while (texts && texts[count]) {
        count++;
    }
    return count;
}

static void walk_warnings(walk_t *walk, etcl_group_t *group)
{
    int count = walk->out ? count_of(group->warnings) : 0, i;
    const char **made = walk_count(walk, &count, WARNINGS_MAX, sizeof(*made));
    const char *text = NULL;

    for (i = 0; i < count; i++) {
        text = walk->out ? group->warnings[i] : NULL;
        walk_name(walk, &text);
        if (made) {
            made[i] = text;
        }
    }
    if (made) {
        group->warnings = made;
    }
}

static void walk_preloads(walk_t *walk, etcl_group_t *group)
{
    etcl_preload_t *made = walk_count(walk, &group->preload_count,
                                      ETCL_GROUP_PRELOADS_MAX, sizeof(*made));
    etcl_preload_t one = { NULL, NULL, NULL };
    int i;

    for (i = 0; i < group->preload_count; i++) {
        if (walk->out) {
            one = group->preloads[i];
        }
        walk_name(walk, &one.script);
        walk_name(walk, &one.app_group);
        walk_name(walk, &one.callable);
        if (made) {
            made[i] = one;
        }
    }
    if (made) {
        group->preloads = made;
    }
}

static void walk_page(walk_t *walk, etcl_group_t *group)
{
    walk_text(walk, &group->page.script);
    walk_text(walk, &group->page.app_group);
    walk_text(walk, &group->page.callable);
    walk_text(walk, &group->page_mount);
    walk_text(walk, &group->page_host);
    walk->in.bad |=
        !walk->out && group->page.script &&
        (!group->options.warm_up || !group->page.app_group ||
         !group->page.callable || !group->page_mount || !group->page_host);
}

static void walk_rule(walk_t *walk, etcl_rule_t *rule)
{
    walk_text(walk, &rule->app_group);
    walk_text(walk, &rule->python_path);
    walk_float(walk, &rule->switch_interval);
    walk_int(walk, &rule->own_gil, -1, 1);
    walk_int(walk, &rule->free_threading, -1, 1);
    walk_int(walk, &rule->restrict_stdin, -1, 1);
    walk_int(walk, &rule->restrict_stdout, -1, 1);
    walk_int(walk, &rule->restrict_signal, -1, 1);
}

static void walk_rules(walk_t *walk, etcl_group_t *group)
{
    etcl_rule_t *made = walk_count(walk, &group->rule_count,
                                   ETCL_GROUP_RULES_MAX, sizeof(*made));
    etcl_rule_t one = { NULL };
    int i;

    for (i = 0; i < group->rule_count; i++) {
        if (walk->out) {
            one = group->rules[i];
        }
        walk_rule(walk, &one);
        if (made) {
            made[i] = one;
        }
    }
    if (made) {
        group->rules = made;
    }
}

static void walk_switches(walk_t *walk, etcl_group_t *group)
{
    walk_int(walk, &group->slots, 0, ETCL_ROSTER_SLOTS_MAX);
    walk_int(walk, &group->log_level, 0, 15);
    walk_int(walk, &group->optimize, 0, 2);
    walk_int(walk, &group->write_bytecode, 0, 1);
    walk_int(walk, &group->destroy_interpreter, 0, 1);
    walk_int(walk, &group->restrict_stdin, 0, 1);
    walk_int(walk, &group->restrict_stdout, 0, 1);
    walk_int(walk, &group->restrict_signal, 0, 1);
    walk_int(walk, &group->reload, 0, 1);
    walk_int(walk, &group->own_gil, 0, 1);
    walk_int(walk, &group->free_threading, 0, 1);
    walk_int(walk, &group->case_sensitive, 0, 1);
}

static void walk_group(walk_t *walk, etcl_group_t *group)
{
    const char *build = ETCL_VERSION;

    walk_name(walk, &build);
    walk->in.bad |= !build || strcmp(build, ETCL_VERSION) != 0;
    walk_name(walk, &group->name);
    walk_options(walk, &group->options);
    walk_text(walk, &group->runtime);
    walk_text(walk, &group->user_name);
    walk_text(walk, &group->user_home);
    walk_text(walk, &group->work_dir);
    walk_number(walk, &group->uid, -1, APR_UINT32_MAX);
    walk_number(walk, &group->gid, -1, APR_UINT32_MAX);
    walk_gids(walk, group);
    walk_number(walk, &group->peer_uid, -1, APR_UINT32_MAX);
    walk_number(walk, &group->timeout_us, 0, APR_INT64_MAX);
    walk_switches(walk, group);
    walk_text(walk, &group->hash_seed);
    walk_text(walk, &group->server_banner);
    walk_warnings(walk, group);
    walk_preloads(walk, group);
    walk_page(walk, group);
    walk_rules(walk, group);
    walk_bytes(walk, group->apache_version, sizeof(group->apache_version));
    walk_text(walk, &group->mpm_name);
    walk_text(walk, &group->build_date);
    walk_int(walk, &group->mpm_processes, 0, APR_INT32_MAX);
    walk_int(walk, &group->mpm_threads, 0, APR_INT32_MAX);
    walk_bytes(walk, group->secret, sizeof(group->secret));
}

apr_status_t etcl_group_encode(const etcl_group_t *group, apr_pool_t *pool,
                               etcl_span_t *out)
{
    etcl_group_t copy = *group;
    etcl_buffer_t buf;
    walk_t walk = { .out = &buf };

    etcl_buffer_init(&buf, GROUP_MAX);
    walk.rv = etcl_buffer_add(&buf, ETCL_SPAN(MAGIC));
    walk_group(&walk, &copy);
    if (walk.rv == APR_SUCCESS) {
        *out = (etcl_span_t){ apr_pmemdup(pool, buf.ptr, buf.len), buf.len };
    }
    etcl_buffer_done(&buf);
    return walk.rv;
}

apr_status_t etcl_group_decode(etcl_span_t in, apr_pool_t *pool,
                               etcl_group_t *out)
{
    walk_t walk = { .in = etcl_cursor(in), .pool = pool };
    etcl_group_t group;

    if (in.len > GROUP_MAX) {
        return ETCL_ELIMIT;
    }
    if (!etcl_span_is(etcl_cursor_take(&walk.in, sizeof(MAGIC) - 1), MAGIC)) {
        return ETCL_EPROTO;
    }
    etcl_group_init(&group, NULL);
    walk_group(&walk, &group);
    if (!etcl_cursor_is_done(&walk.in)) {
        return ETCL_EPROTO;
    }
    *out = group;
    return APR_SUCCESS;
}

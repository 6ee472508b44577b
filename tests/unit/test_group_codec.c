/* The hand-over of a group: round trip of everything, cuts, flips, and bounds
 * of what is read. */

#include "hostile.h"
#include "rows.h"
#include "etcl_group.h"

#include <apr_strings.h>
#include <stddef.h>

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const apr_int64_t gids[] = { 4, 33, 4294967295 };
static const char *const warnings[] = { "error", "ignore::X", NULL };
static const etcl_preload_t preloads[] = { { "/srv/a.py", "", "application" },
                                           { "/srv/b.py", "b", "app" } };

static const etcl_rule_t rules[] = {
    { NULL, "/srv/lib", 0.5, -1, -1, 0, 1, -1 },
    { "", NULL, 0, 1, 0, -1, -1, 1 },
};

static etcl_group_t example(void)
{
    etcl_group_t group;
    const char *why;

    etcl_group_init(&group, "etcl");
    etcl_group_set(&group, "processes", "4", pool, &why);
    etcl_group_set(&group, "lang", "", pool, &why);
    etcl_group_set(&group, "switch-interval", "0.25", pool, &why);
    etcl_group_set(&group, "umask", "022", pool, &why);
    group.runtime = "/usr/lib/etcl/cpython-3.11.so";
    group.user_name = "www-data";
    group.work_dir = "/srv";
    group.uid = 33;
    group.gid = 33;
    group.gids = gids;
    group.gid_count = 3;
    group.peer_uid = 33;
    group.timeout_us = 300000000;
    group.slots = 8;
    group.log_level = 7;
    group.optimize = 2;
    group.write_bytecode = 0;
    group.restrict_stdin = 1;
    group.hash_seed = "random";
    group.warnings = warnings;
    group.preloads = preloads;
    group.preload_count = 2;
    etcl_group_set(&group, "warm-up", "/shop/?a", pool, &why);
    group.page = preloads[1];
    group.page_mount = "/shop";
    group.page_host = "shop.example";
    group.own_gil = 1;
    group.free_threading = 1;
    group.case_sensitive = 0;
    group.rules = rules;
    group.rule_count = 2;
    group.apache_version[0] = 2;
    group.apache_version[2] = 71;
    group.mpm_name = "event";
    group.mpm_processes = 16;
    group.mpm_threads = 25;
    memset(group.secret, 0x5a, sizeof(group.secret));
    return group;
}

static etcl_span_t encode(const etcl_group_t *group)
{
    etcl_span_t out;

    ck_assert_int_eq(etcl_group_encode(group, pool, &out), APR_SUCCESS);
    return out;
}

/* In a pool of its own, and what was accepted has one spelling. */
static apr_status_t decode_group(etcl_span_t bytes)
{
    etcl_group_t group;
    apr_pool_t *own;
    etcl_span_t again;
    apr_status_t rv;

    apr_pool_create(&own, NULL);
    rv = etcl_group_decode(bytes, own, &group);
    if (rv == APR_SUCCESS) {
        ck_assert_int_eq(etcl_group_encode(&group, own, &again), APR_SUCCESS);
        hostile_same(again, bytes);
    }
    apr_pool_destroy(own);
    return rv;
}

static void same_resolved(const etcl_group_t *got, const etcl_group_t *want)
{
    ck_assert_str_eq(got->runtime, want->runtime);
    ck_assert_str_eq(got->user_name, want->user_name);
    ck_assert_str_eq(got->work_dir, want->work_dir);
    ck_assert_ptr_null(got->user_home);
    ck_assert_ptr_null(got->server_banner);
    ck_assert_int_eq(got->uid, want->uid);
    ck_assert_int_eq(got->gid, want->gid);
    ck_assert_int_eq(got->gid_count, 3);
    ck_assert_mem_eq(got->gids, gids, sizeof(gids));
    ck_assert_int_eq(got->peer_uid, want->peer_uid);
    ck_assert_int_eq(got->timeout_us, want->timeout_us);
    ck_assert_str_eq(got->hash_seed, want->hash_seed);
    ck_assert_mem_eq(got->secret, want->secret, sizeof(want->secret));
    ck_assert_str_eq(got->mpm_name, want->mpm_name);
    ck_assert_ptr_null(got->build_date);
    ck_assert_int_eq(got->mpm_processes, want->mpm_processes);
    ck_assert_int_eq(got->mpm_threads, want->mpm_threads);
    ck_assert_mem_eq(got->apache_version, want->apache_version,
                     sizeof(want->apache_version));
}

static void same_switches(const etcl_group_t *got, const etcl_group_t *want)
{
    ck_assert_int_eq(got->slots, want->slots);
    ck_assert_int_eq(got->log_level, want->log_level);
    ck_assert_int_eq(got->optimize, want->optimize);
    ck_assert_int_eq(got->write_bytecode, want->write_bytecode);
    ck_assert_int_eq(got->destroy_interpreter, want->destroy_interpreter);
    ck_assert_int_eq(got->restrict_stdin, want->restrict_stdin);
    ck_assert_int_eq(got->restrict_stdout, want->restrict_stdout);
    ck_assert_int_eq(got->restrict_signal, want->restrict_signal);
    ck_assert_int_eq(got->reload, want->reload);
    ck_assert_int_eq(got->own_gil, want->own_gil);
    ck_assert_int_eq(got->free_threading, want->free_threading);
    ck_assert_int_eq(got->case_sensitive, want->case_sensitive);
}

static void same_rules(const etcl_group_t *got)
{
    ck_assert_int_eq(got->rule_count, 2);
    ck_assert_ptr_null(got->rules[0].app_group);
    ck_assert_str_eq(got->rules[0].python_path, "/srv/lib");
    ck_assert_double_eq(got->rules[0].switch_interval, 0.5);
    ck_assert_int_eq(got->rules[0].own_gil, -1);
    ck_assert_int_eq(got->rules[0].restrict_stdout, 1);
    ck_assert_str_eq(got->rules[1].app_group, "");
    ck_assert_ptr_null(got->rules[1].python_path);
    ck_assert_int_eq(got->rules[1].own_gil, 1);
    ck_assert_int_eq(got->rules[1].restrict_signal, 1);
}

START_TEST(a_group_goes_round_with_all_it_has)
{
    etcl_group_t want = example(), got;

    ck_assert_int_eq(etcl_group_decode(encode(&want), pool, &got), APR_SUCCESS);
    ck_assert_str_eq(got.name, "etcl");
    ck_assert_ptr_null(etcl_group_differs(&want, &got));
    ck_assert_uint_eq(got.options.stated, want.options.stated);
    ck_assert_str_eq(got.options.lang, "");
    ck_assert_ptr_null(got.options.locale);
    same_resolved(&got, &want);
    same_switches(&got, &want);
    same_rules(&got);
    ck_assert_str_eq(got.warnings[0], "error");
    ck_assert_str_eq(got.warnings[1], "ignore::X");
    ck_assert_ptr_null(got.warnings[2]);
    ck_assert_int_eq(got.preload_count, 2);
    ck_assert_str_eq(got.preloads[0].app_group, "");
    ck_assert_str_eq(got.preloads[1].script, "/srv/b.py");
    ck_assert_str_eq(got.preloads[1].callable, "app");
    ck_assert_str_eq(got.page.script, "/srv/b.py");
    ck_assert_str_eq(got.page_mount, "/shop");
    ck_assert_str_eq(got.page_host, "shop.example");
}
END_TEST

START_TEST(a_group_with_nothing_resolved_goes_round)
{
    etcl_group_t group, got;

    etcl_group_init(&group, "bare");
    ck_assert_int_eq(etcl_group_decode(encode(&group), pool, &got),
                     APR_SUCCESS);
    ck_assert_ptr_null(got.runtime);
    ck_assert_int_eq(got.uid, -1);
    ck_assert_int_eq(got.gid_count, 0);
    ck_assert_ptr_nonnull(got.warnings);
    ck_assert_ptr_null(got.warnings[0]);
    same_switches(&got, &group);
}
END_TEST

START_TEST(a_group_that_is_cut_or_changed_does_no_harm)
{
    etcl_group_t group = example();

    hostile_all(decode_group, encode(&group));
}
END_TEST

START_TEST(every_length_in_a_group_may_lie)
{
    etcl_group_t group = example();
    etcl_span_t whole = encode(&group);
    apr_size_t at;

    for (at = 8; at + 4 <= whole.len; at++) {
        hostile_u32(decode_group, whole, at, 0xfffffffeu);
        hostile_u32(decode_group, whole, at, 0x7fffffffu);
        hostile_u32(decode_group, whole, at, (apr_uint32_t)(whole.len - at));
    }
}
END_TEST

START_TEST(what_is_no_group_of_this_build_is_refused)
{
    etcl_group_t group = example();
    etcl_span_t whole = encode(&group);
    char *copy = apr_pmemdup(pool, whole.ptr, whole.len);

    ck_assert_int_eq(decode_group(ETCL_SPAN("")), ETCL_EPROTO);
    ck_assert_int_eq(decode_group(ETCL_SPAN("ETCLGRP2")), ETCL_EPROTO);
    copy[8 + 4]++; /* the first letter of the version */
    ck_assert_int_eq(decode_group((etcl_span_t){ copy, whole.len }),
                     ETCL_EPROTO);
}
END_TEST

#define FIELD(name) offsetof(etcl_group_t, name)

/* Numbers that no parent hands over. */
static const struct {
    size_t field;
    int value;
} impossible[] = { { FIELD(slots), -1 },
                   { FIELD(slots), 1025 },
                   { FIELD(log_level), 16 },
                   { FIELD(optimize), 3 },
                   { FIELD(write_bytecode), 2 },
                   { FIELD(restrict_stdin), -1 },
                   { FIELD(restrict_stdout), 2 },
                   { FIELD(restrict_signal), 2 },
                   { FIELD(own_gil), 2 },
                   { FIELD(case_sensitive), 2 },
                   { FIELD(free_threading), -1 },
                   { FIELD(reload), 2 },
                   { FIELD(destroy_interpreter), 2 } };

START_TEST(a_switch_out_of_its_range_is_refused)
{
    etcl_group_t group = example();

    *(int *)((char *)&group + impossible[_i].field) = impossible[_i].value;
    ck_assert_int_eq(decode_group(encode(&group)), ETCL_EPROTO);
}
END_TEST

START_TEST(an_option_out_of_its_range_is_refused)
{
    etcl_group_t group = example();

    group.options.threads = 65534;
    ck_assert_int_eq(decode_group(encode(&group)), ETCL_EPROTO);
    group = example();
    group.options.switch_interval = -1;
    ck_assert_int_eq(decode_group(encode(&group)), ETCL_EPROTO);
    group = example();
    group.options.stack_size = 5;
    ck_assert_int_eq(decode_group(encode(&group)), ETCL_EPROTO);
    group = example();
    group.options.stated = ~(apr_uint64_t)0;
    ck_assert_int_eq(decode_group(encode(&group)), ETCL_EPROTO);
    group = example();
    group.uid = -2;
    ck_assert_int_eq(decode_group(encode(&group)), ETCL_EPROTO);
}
END_TEST

START_TEST(more_entries_than_allowed_are_not_even_written)
{
    etcl_group_t group = example();
    etcl_span_t out;

    group.preload_count = ETCL_GROUP_PRELOADS_MAX + 1;
    group.preloads = apr_pcalloc(pool, sizeof(*group.preloads) *
                                           (ETCL_GROUP_PRELOADS_MAX + 1));
    ck_assert_int_eq(etcl_group_encode(&group, pool, &out), ETCL_ELIMIT);
}
END_TEST

Suite *suite_group_codec(void)
{
    Suite *suite = suite_create("group_codec");
    TCase *tests = tcase_create("group_codec");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_group_goes_round_with_all_it_has);
    tcase_add_test(tests, a_group_with_nothing_resolved_goes_round);
    tcase_add_test(tests, a_group_that_is_cut_or_changed_does_no_harm);
    tcase_add_test(tests, every_length_in_a_group_may_lie);
    tcase_add_test(tests, what_is_no_group_of_this_build_is_refused);
    tcase_add_rows(tests, a_switch_out_of_its_range_is_refused, impossible);
    tcase_add_test(tests, an_option_out_of_its_range_is_refused);
    tcase_add_test(tests, more_entries_than_allowed_are_not_even_written);
    suite_add_tcase(suite, tests);
    return suite;
}

/* The roster: what a writer says, and what a reader makes of a writer that
 * lies. Of the layout only the place of 32-bit words is known here. */

#include "hostile.h"
#include "rows.h"
#include "etcl_roster.h"

#include <stdlib.h>

enum { WORD_STATE, WORD_PID, WORD_INCARNATION, WORD_CAPACITY };
enum { WORD_BEAT_HIGH = 5, WORD_LAST = 8 };

static etcl_roster_t *roster;
static apr_uint32_t *words; /* of slot 0 */

static void set_up(void)
{
    apr_size_t size = etcl_roster_size(3);
    void *memory = aligned_alloc(64, size);

    memset(memory, 0, size);
    roster = etcl_roster_init(memory, 3);
    words = (apr_uint32_t *)memory + 16;
}

static void tear_down(void)
{
    free(roster);
}

static etcl_roster_slot_t slot_of(int slot)
{
    etcl_roster_slot_t out;

    ck_assert_int_eq(etcl_roster_read(roster, slot, &out), APR_SUCCESS);
    return out;
}

START_TEST(a_fresh_roster_is_empty)
{
    int slot;

    ck_assert_ptr_eq(etcl_roster_open(roster, etcl_roster_size(3)), roster);
    ck_assert_int_eq(etcl_roster_slots(roster), 3);
    for (slot = 0; slot < 3; slot++) {
        ck_assert_int_eq(slot_of(slot).state, ETCL_SLOT_EMPTY);
    }
}
END_TEST

START_TEST(the_life_of_a_worker_is_seen_step_by_step)
{
    etcl_roster_slot_t got;

    etcl_roster_begin(roster, 1, 4711, 15, 1000);
    got = slot_of(1);
    ck_assert_int_eq(got.state, ETCL_SLOT_STARTING);
    ck_assert_uint_eq(got.pid, 4711);
    ck_assert_uint_eq(got.incarnation, 1);
    ck_assert_uint_eq(got.capacity, 15);
    ck_assert_int_eq(got.heartbeat_us, 1000);
    etcl_roster_set_state(roster, 1, ETCL_SLOT_READY);
    etcl_roster_beat(roster, 1, 2000);
    etcl_roster_count(roster, 1);
    etcl_roster_count(roster, 1);
    got = slot_of(1);
    ck_assert_int_eq(got.state, ETCL_SLOT_READY);
    ck_assert_int_eq(got.heartbeat_us, 2000);
    ck_assert_uint_eq(got.requests, 2);
    etcl_roster_bury(roster, 1, ETCL_LAST_SIGNAL, 11);
    got = slot_of(1);
    ck_assert_int_eq(got.state, ETCL_SLOT_DEAD);
    ck_assert_int_eq(got.last, ETCL_LAST_SIGNAL);
    ck_assert_uint_eq(got.last_detail, 11);
    etcl_roster_begin(roster, 1, 4712, 5, 3000);
    got = slot_of(1);
    ck_assert_uint_eq(got.incarnation, 2);
    ck_assert_uint_eq(got.requests, 0);
    ck_assert_int_eq(slot_of(0).state, ETCL_SLOT_EMPTY);
    ck_assert_int_eq(slot_of(2).state, ETCL_SLOT_EMPTY);
}
END_TEST

START_TEST(an_incarnation_is_never_0)
{
    words[WORD_INCARNATION] = 0xffffffffu;
    etcl_roster_begin(roster, 0, 1, 1, 1);
    ck_assert_uint_eq(slot_of(0).incarnation, 1);
}
END_TEST

static const struct {
    int word;
    apr_uint32_t value;
    apr_status_t rv;
} lies[] = { { WORD_STATE, 5, ETCL_EPROTO },
             { WORD_STATE, 0xffffffffu, ETCL_EPROTO },
             { WORD_STATE, ETCL_SLOT_DEAD, APR_SUCCESS },
             { WORD_PID, 0xffffffffu, APR_SUCCESS },
             { WORD_CAPACITY, 0, APR_SUCCESS },
             { WORD_CAPACITY, 65535, APR_SUCCESS },
             { WORD_CAPACITY, 65536, ETCL_EPROTO },
             { WORD_CAPACITY, 0xffffffffu, ETCL_EPROTO },
             { WORD_BEAT_HIGH, 0x7fffffffu, APR_SUCCESS },
             { WORD_BEAT_HIGH, 0x80000000u, ETCL_EPROTO },
             { WORD_BEAT_HIGH, 0xffffffffu, ETCL_EPROTO },
             { WORD_LAST, ETCL_LAST_LOAD, APR_SUCCESS },
             { WORD_LAST, 4, ETCL_EPROTO },
             { WORD_LAST, 0xffffffffu, ETCL_EPROTO } };

START_TEST(a_value_that_cannot_be_makes_the_slot_empty)
{
    etcl_roster_slot_t got = { .state = ETCL_SLOT_READY };

    etcl_roster_begin(roster, 0, 1, 15, 1000);
    words[lies[_i].word] = lies[_i].value;
    ck_assert_int_eq(etcl_roster_read(roster, 0, &got), lies[_i].rv);
    if (lies[_i].rv == ETCL_EPROTO) {
        ck_assert_int_eq(got.state, ETCL_SLOT_EMPTY);
    }
}
END_TEST

START_TEST(a_slot_out_of_range_is_not_read)
{
    etcl_roster_slot_t out;

    ck_assert_int_eq(etcl_roster_read(roster, -1, &out), ETCL_EPROTO);
    ck_assert_int_eq(etcl_roster_read(roster, 3, &out), ETCL_EPROTO);
    ck_assert_int_eq(etcl_roster_read(roster, 1 << 30, &out), ETCL_EPROTO);
}
END_TEST

/* The count lies in memory that a daemon writes. AddressSanitizer watches. */
static const apr_uint32_t counts[] = { 0,          1,           1024,
                                       1025,       0x7fffffffu, 0x80000000u,
                                       0xffffffffu };

START_TEST(a_count_that_is_changed_later_never_leads_outside)
{
    apr_uint32_t *count = (apr_uint32_t *)roster + 2;
    etcl_roster_slot_t out;
    int slot;

    *count = counts[_i];
    for (slot = 0; slot < 2000; slot++) {
        etcl_roster_read(roster, slot, &out);
    }
    ck_assert_int_eq(etcl_roster_slots(roster),
                     counts[_i] <= 1024 ? (int)counts[_i] : 0);
    ck_assert_int_eq(etcl_roster_open(roster, etcl_roster_size(3)) != NULL,
                     counts[_i] >= 1 && counts[_i] <= 1024);
}
END_TEST

START_TEST(memory_that_is_no_roster_is_not_opened)
{
    apr_uint32_t *header = (apr_uint32_t *)roster;
    apr_size_t size = etcl_roster_size(3);

    ck_assert_ptr_null(etcl_roster_open(roster, size - 1));
    ck_assert_ptr_null(etcl_roster_open(roster, 0));
    header[1]++;
    ck_assert_ptr_null(etcl_roster_open(roster, size));
    header[1]--;
    header[0]++;
    ck_assert_ptr_null(etcl_roster_open(roster, size));
}
END_TEST

static const struct {
    int slots;
    int fits;
} sizes[] = { { -1, 0 },   { 0, 0 },    { 1, 1 },
              { 1024, 1 }, { 1025, 0 }, { 0x7fffffff, 0 } };

START_TEST(a_roster_has_1_to_1024_slots)
{
    ck_assert_int_eq(etcl_roster_size(sizes[_i].slots) > 0, sizes[_i].fits);
}
END_TEST

#define NOW 100000000

static const struct {
    etcl_roster_slot_t slot;
    int takes;
} takers[] = {
    { { .state = ETCL_SLOT_READY, .capacity = 1, .heartbeat_us = NOW }, 1 },
    { { .state = ETCL_SLOT_READY, .capacity = 0, .heartbeat_us = NOW }, 0 },
    { { .state = ETCL_SLOT_STARTING, .capacity = 1, .heartbeat_us = NOW }, 0 },
    { { .state = ETCL_SLOT_RETIRING, .capacity = 1, .heartbeat_us = NOW }, 0 },
    { { .state = ETCL_SLOT_DEAD, .capacity = 1, .heartbeat_us = NOW }, 0 },
    { { .state = ETCL_SLOT_EMPTY, .capacity = 1, .heartbeat_us = NOW }, 0 },
    { { .state = ETCL_SLOT_READY,
        .capacity = 1,
        .heartbeat_us = NOW - ETCL_ROSTER_STALL_US },
      1 },
    { { .state = ETCL_SLOT_READY,
        .capacity = 1,
        .heartbeat_us = NOW - ETCL_ROSTER_STALL_US - 1 },
      0 },
    { { .state = ETCL_SLOT_READY,
        .capacity = 1,
        .heartbeat_us = APR_INT64_MAX },
      1 }
};

START_TEST(only_a_ready_worker_whose_heart_beats_takes_calls)
{
    ck_assert_int_eq(etcl_roster_takes(&takers[_i].slot, NOW),
                     takers[_i].takes);
}
END_TEST

START_TEST(new_code_is_there_when_nothing_changes_and_versions_agree)
{
    ck_assert_int_eq(etcl_roster_has_code(roster, 7, 70), 1);
    etcl_roster_set_code(roster, 0, 7, 70);
    etcl_roster_set_code(roster, 1, 8, 0);
    ck_assert_int_eq(etcl_roster_has_code(roster, 7, 70), 1);
    ck_assert_int_eq(etcl_roster_has_code(roster, 7, 71), 0);
    ck_assert_int_eq(etcl_roster_has_code(roster, 8, 1), 1);
    ck_assert_int_eq(etcl_roster_has_code(roster, 9, 1), 1);
    etcl_roster_set_changing(roster, 1);
    ck_assert_int_eq(etcl_roster_has_code(roster, 7, 70), 0);
    ck_assert_int_eq(etcl_roster_has_code(roster, 9, 1), 0);
    etcl_roster_set_code(roster, 0, 7, 71);
    etcl_roster_set_changing(roster, 0);
    ck_assert_int_eq(etcl_roster_has_code(roster, 7, 71), 1);
}
END_TEST

START_TEST(more_scripts_than_fit_are_taken_as_they_are)
{
    int i;

    for (i = -1; i <= ETCL_ROSTER_CODES_MAX; i++) {
        etcl_roster_set_code(roster, i, (apr_uint64_t)i + 2, 1);
    }
    ck_assert_int_eq(etcl_roster_has_code(roster, ETCL_ROSTER_CODES_MAX + 1, 2),
                     0);
    ck_assert_int_eq(etcl_roster_has_code(roster, ETCL_ROSTER_CODES_MAX + 2, 2),
                     1);
    ck_assert_int_eq(etcl_roster_has_code(roster, 1, 2), 1);
}
END_TEST

START_TEST(that_a_worker_comes_is_believed_for_a_while)
{
    ck_assert_int_eq(etcl_roster_outlook(roster, NOW), ETCL_OUTLOOK_NONE);
    etcl_roster_set_outlook(roster, ETCL_OUTLOOK_COMING, NOW);
    ck_assert_int_eq(etcl_roster_outlook(roster, NOW + ETCL_ROSTER_STALL_US),
                     ETCL_OUTLOOK_COMING);
    ck_assert_int_eq(
        etcl_roster_outlook(roster, NOW + ETCL_ROSTER_STALL_US + 1),
        ETCL_OUTLOOK_NONE);
    etcl_roster_set_outlook(roster, ETCL_OUTLOOK_RESTING, NOW);
    ck_assert_int_eq(etcl_roster_outlook(roster, 2 * NOW),
                     ETCL_OUTLOOK_RESTING);
    etcl_roster_set_outlook(roster, ETCL_OUTLOOK_NONE, NOW);
    ck_assert_int_eq(etcl_roster_outlook(roster, NOW), ETCL_OUTLOOK_NONE);
}
END_TEST

Suite *suite_roster(void)
{
    Suite *suite = suite_create("roster");
    TCase *tests = tcase_create("roster");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_fresh_roster_is_empty);
    tcase_add_test(tests, the_life_of_a_worker_is_seen_step_by_step);
    tcase_add_test(tests, an_incarnation_is_never_0);
    tcase_add_rows(tests, a_value_that_cannot_be_makes_the_slot_empty, lies);
    tcase_add_test(tests, a_slot_out_of_range_is_not_read);
    tcase_add_rows(tests, a_count_that_is_changed_later_never_leads_outside,
                   counts);
    tcase_add_test(tests, memory_that_is_no_roster_is_not_opened);
    tcase_add_rows(tests, a_roster_has_1_to_1024_slots, sizes);
    tcase_add_test(tests,
                   new_code_is_there_when_nothing_changes_and_versions_agree);
    tcase_add_test(tests, that_a_worker_comes_is_believed_for_a_while);
    tcase_add_test(tests, more_scripts_than_fit_are_taken_as_they_are);
    tcase_add_rows(tests, only_a_ready_worker_whose_heart_beats_takes_calls,
                   takers);
    suite_add_tcase(suite, tests);
    return suite;
}

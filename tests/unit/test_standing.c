/* Which of two generations of a group serves. */

#include "rows.h"
#include "etcl_standing.h"

#include <stdlib.h>

#define NOW 10000000
#define SLOTS 3

static etcl_roster_t *roster;

static void set_up(void)
{
    apr_size_t size = etcl_roster_size(SLOTS);
    void *memory = aligned_alloc(64, size);

    memset(memory, 0, size);
    roster = etcl_roster_init(memory, SLOTS);
}

static void tear_down(void)
{
    free(roster);
}

static void serve(int slot, int failing)
{
    etcl_roster_begin(roster, slot, 1, 5, NOW);
    etcl_roster_set_failing(roster, slot, failing);
    etcl_roster_set_state(roster, slot, ETCL_SLOT_READY);
}

static etcl_standing_t look(const etcl_wish_t *wish)
{
    return etcl_standing_of(roster, SLOTS, wish, NOW);
}

START_TEST(nobody_is_ready_at_first)
{
    etcl_standing_t got = look(NULL);

    ck_assert_int_eq(got.ready, 0);
    ck_assert(!etcl_standing_is_whole(&got));
}
END_TEST

START_TEST(the_best_and_the_worst_are_told)
{
    etcl_standing_t got;

    serve(0, 2);
    serve(2, 1);
    got = look(NULL);
    ck_assert_int_eq(got.ready, 2);
    ck_assert_int_eq(got.fewest, 1);
    ck_assert_int_eq(got.most, 2);
    ck_assert(!etcl_standing_is_whole(&got));
}
END_TEST

START_TEST(the_next_worker_of_a_slot_is_judged_anew)
{
    etcl_standing_t got;

    serve(0, 2);
    serve(0, 0);
    got = look(NULL);
    ck_assert(etcl_standing_is_whole(&got));
}
END_TEST

START_TEST(whoever_takes_no_requests_is_not_counted)
{
    const etcl_wish_t wish = { .avoid_slot = 1, .avoid_incarnation = 1 };

    serve(0, 0);
    serve(1, 0);
    etcl_roster_set_state(roster, 0, ETCL_SLOT_RETIRING);
    ck_assert_int_eq(look(NULL).ready, 1);
    ck_assert_int_eq(look(&wish).ready, 0);
    serve(1, 0);
    ck_assert_int_eq(look(&wish).ready, 1);
}
END_TEST

START_TEST(a_number_that_cannot_be_is_nobody)
{
    serve(0, 65536);
    serve(1, -1);
    ck_assert_int_eq(look(NULL).ready, 0);
    serve(2, 65535);
    ck_assert_int_eq(look(NULL).most, 65535);
}
END_TEST

static const struct {
    etcl_standing_t next, old;
    int takes_over;
} cases[] = {
    { { 0, 0, 0 }, { 0, 0, 0 }, 1 }, /* as at a first start */
    { { 0, 0, 0 }, { 1, 0, 0 }, 0 }, /* not yet */
    { { 1, 0, 0 }, { 2, 0, 0 }, 1 }, /* the first one is enough */
    { { 1, 1, 1 }, { 2, 0, 0 }, 0 }, /* does not load */
    { { 2, 0, 1 }, { 2, 0, 0 }, 0 }, /* an old one of it is still asked */
    { { 2, 1, 1 }, { 2, 1, 1 }, 1 }, /* no better, no worse */
    { { 2, 1, 1 }, { 2, 1, 2 }, 1 }, { { 2, 2, 2 }, { 2, 1, 2 }, 0 },
    { { 2, 2, 2 }, { 0, 0, 0 }, 1 }, /* the old one has gone */
};

START_TEST(the_new_takes_over_when_it_has_loaded_as_much)
{
    ck_assert_int_eq(etcl_standing_takes_over(&cases[_i].next, &cases[_i].old),
                     cases[_i].takes_over);
}
END_TEST

Suite *suite_standing(void)
{
    Suite *suite = suite_create("standing");
    TCase *tests = tcase_create("standing");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nobody_is_ready_at_first);
    tcase_add_test(tests, the_best_and_the_worst_are_told);
    tcase_add_test(tests, the_next_worker_of_a_slot_is_judged_anew);
    tcase_add_test(tests, whoever_takes_no_requests_is_not_counted);
    tcase_add_test(tests, a_number_that_cannot_be_is_nobody);
    tcase_add_rows(tests, the_new_takes_over_when_it_has_loaded_as_much, cases);
    suite_add_tcase(suite, tests);
    return suite;
}

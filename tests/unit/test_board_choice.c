/* Which slot a request gets, as a table: three slots and a wish. */

#include "rows.h"
#include "etcl_board_choice.h"

#define READY(capacity, busy)                                                  \
    {                                                                          \
        1, 1, capacity, busy, 7                                                \
    }
#define STARTING                                                               \
    {                                                                          \
        0, 1, 5, 0, 7                                                          \
    }
#define STALLED                                                                \
    {                                                                          \
        0, 1, 5, 0, 7                                                          \
    } /* ready, but its heart stands still */
#define GONE                                                                   \
    {                                                                          \
        0, 0, 5, 0, 7                                                          \
    }
#define ANY                                                                    \
    {                                                                          \
        0, -1, 0                                                               \
    }
#define NOT(slot, incarnation)                                                 \
    {                                                                          \
        0, slot, incarnation                                                   \
    }
#define SECOND ETCL_BOARD_AVOID_US

static const struct {
    etcl_board_seen_t seen[3];
    etcl_wish_t wish;
    apr_int64_t waited_us;
    int want;
} rows[] = {
    { { READY(5, 0), READY(5, 0), READY(5, 0) }, ANY, 0, 0 },
    { { READY(5, 1), READY(5, 0), READY(5, 0) }, ANY, 0, 1 },
    { { READY(5, 4), READY(5, 3), READY(5, 2) }, ANY, 0, 2 },
    { { READY(5, 2), READY(5, 3), READY(5, 2) }, ANY, 0, 0 },
    { { READY(1, 1), READY(5, 3), READY(3, 3) }, ANY, 0, 1 },
    { { READY(5, 5), READY(5, 5), READY(5, 5) }, ANY, 0, -1 },
    { { READY(5, 6), READY(5, 9), READY(5, 5) }, ANY, 0, -1 },
    { { READY(0, 0), READY(0, 0), READY(1, 0) }, ANY, 0, 2 },
    { { STARTING, READY(5, 4), GONE }, ANY, 0, 1 },
    { { STARTING, STALLED, GONE }, ANY, 0, -1 },
    { { READY(5, 0), READY(5, 3), GONE }, NOT(0, 7), 0, 1 },
    { { READY(5, 0), READY(5, 5), GONE }, NOT(0, 7), 0, -1 },
    { { READY(5, 0), GONE, GONE }, NOT(0, 7), 0, -1 },
    { { READY(5, 0), GONE, GONE }, NOT(0, 7), SECOND - 1, -1 },
    { { READY(5, 0), GONE, GONE }, NOT(0, 7), SECOND, 0 },
    { { READY(5, 0), GONE, GONE }, NOT(0, 6), 0, 0 }, /* the one before it */
    { { READY(5, 1), READY(5, 2), GONE }, NOT(2, 7), 0, 0 }
};

START_TEST(a_request_gets_the_least_busy_worker_that_fits)
{
    ck_assert_int_eq(etcl_board_choice_slot(rows[_i].seen, 3, &rows[_i].wish,
                                            rows[_i].waited_us),
                     rows[_i].want);
}
END_TEST

static const struct {
    etcl_board_seen_t seen[3];
    int places;
    int alive;
} sums[] = { { { READY(5, 0), READY(5, 3), READY(1, 1) }, 7, 1 },
             { { READY(5, 7), READY(5, 5), GONE }, 0, 1 },
             { { STARTING, GONE, GONE }, 0, 1 },
             { { GONE, GONE, STALLED }, 0, 1 },
             { { GONE, GONE, GONE }, 0, 0 } };

START_TEST(free_places_and_signs_of_life_are_counted)
{
    ck_assert_int_eq(etcl_board_choice_free(sums[_i].seen, 3), sums[_i].places);
    ck_assert_int_eq(etcl_board_choice_alive(sums[_i].seen, 3), sums[_i].alive);
}
END_TEST

Suite *suite_board_choice(void)
{
    Suite *suite = suite_create("board_choice");
    TCase *tests = tcase_create("board_choice");

    tcase_add_rows(tests, a_request_gets_the_least_busy_worker_that_fits, rows);
    tcase_add_rows(tests, free_places_and_signs_of_life_are_counted, sums);
    suite_add_tcase(suite, tests);
    return suite;
}

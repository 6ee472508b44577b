/* What leases are for: the slowest call by name, whoever dies meanwhile; what
 * a roster claims; clients that leave the queue. */

#include "etcl_board_memory.h"
#include "etcl_clock.h"

#include <check.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static const etcl_board_shape_t shape = {
    .slots = 1, .threads = 3, .children = 2, .queue = 4
};
static const etcl_wish_t any = { .avoid_slot = -1 };
static etcl_board_t *board;
static etcl_roster_t *roster;

static void *shared_memory(apr_size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
}

static void set_up(void)
{
    int child;

    roster = etcl_roster_init(shared_memory(etcl_roster_size(1)), 1);
    ck_assert_int_eq(
        etcl_board_init(shared_memory(etcl_board_size(&shape)), &shape, &board),
        APR_SUCCESS);
    ck_assert_int_eq(etcl_board_join(board, 100, &child), APR_SUCCESS);
    ck_assert_int_eq(etcl_board_join(board, 101, &child), APR_SUCCESS);
    etcl_roster_begin(roster, 0, 1, 65535, etcl_clock_us() + 60000000);
    etcl_roster_set_state(roster, 0, ETCL_SLOT_READY);
}

static void tear_down(void)
{
    munmap(roster, etcl_roster_size(1));
    munmap(board, etcl_board_size(&shape));
}

static etcl_lease_t lease_for(int child, const char *path)
{
    etcl_lease_t out;

    ck_assert_int_eq(etcl_board_lease(board, roster, child, &any, &out),
                     APR_SUCCESS);
    etcl_board_notes_write(board, &out, etcl_span("GET"), etcl_span(path));
    return out;
}

static etcl_board_state_t state_now(void)
{
    etcl_board_state_t state;

    etcl_board_read(board, roster, &state);
    return state;
}

START_TEST(the_slowest_call_is_named)
{
    etcl_lease_t first, second;

    ck_assert_str_eq(state_now().slowest, "");
    first = lease_for(0, "/first");
    usleep(2000);
    second = lease_for(1, "/second");
    ck_assert_str_eq(state_now().slowest, "GET /first");
    ck_assert_int_eq(state_now().slowest_us, first.since_us);
    etcl_board_give_back(board, roster, &first);
    ck_assert_str_eq(state_now().slowest, "GET /second");
    etcl_board_give_back(board, roster, &second);
    ck_assert_str_eq(state_now().slowest, "");
}
END_TEST

START_TEST(a_long_or_strange_path_is_cut_and_cleaned)
{
    char path[300];

    memset(path, 'x', sizeof(path));
    path[0] = '\n';
    path[1] = '\x7f';
    path[299] = 0;
    lease_for(0, path);
    ck_assert_uint_eq(strlen(state_now().slowest), ETCL_BOARD_TEXT);
    ck_assert(!strncmp(state_now().slowest, "GET ??xxx", 9));
}
END_TEST

START_TEST(a_note_keeps_nothing_of_the_one_before)
{
    etcl_lease_t long_one = lease_for(0, "/a/very/long/path/of/many/parts");

    etcl_board_give_back(board, roster, &long_one);
    lease_for(0, "/b");
    ck_assert_str_eq(state_now().slowest, "GET /b");
}
END_TEST

START_TEST(the_notes_of_a_dead_child_are_free_again)
{
    int i, round, child;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < 3; i++) {
            ck_assert_int_ge(lease_for(0, "/dead").note, 0);
        }
        etcl_board_bury(board, 100);
        ck_assert_str_eq(state_now().slowest, "");
        etcl_board_join(board, 100, &child);
    }
}
END_TEST

START_TEST(a_worker_gets_no_more_than_its_threads)
{
    const etcl_wish_t hurried = { .avoid_slot = -1,
                                  .deadline_us = etcl_clock_us() + 20000 };
    etcl_lease_t out;
    int i;

    ck_assert_int_eq(state_now().capacity, 3);
    for (i = 0; i < 3; i++) {
        lease_for(0, "/");
    }
    ck_assert_int_eq(etcl_board_lease(board, roster, 0, &hurried, &out),
                     APR_TIMEUP);
}
END_TEST

/* A client that stays for some looks. */
static int leaves_at_zero(void *client)
{
    return !(*(int *)client)--;
}

START_TEST(who_leaves_the_queue_takes_nothing)
{
    int looks = 2, i;
    const etcl_wish_t wish = { .avoid_slot = -1,
                               .has_left = leaves_at_zero,
                               .client = &looks };
    etcl_lease_t held[3], out;

    for (i = 0; i < 3; i++) {
        held[i] = lease_for(0, "/");
    }
    ck_assert_int_eq(etcl_board_lease(board, roster, 0, &wish, &out),
                     ETCL_EGONE);
    ck_assert_int_eq(looks, -1);
    ck_assert_int_eq(state_now().waiting, 0);
    ck_assert_int_eq(state_now().busy, 3);
    etcl_board_give_back(board, roster, &held[0]);
    ck_assert_int_eq(state_now().busy, 2);
}
END_TEST

/* The place is granted while the waiter looks for its client. */
static int frees_and_leaves(void *client)
{
    etcl_board_give_back(board, roster, client);
    return 1;
}

START_TEST(who_leaves_with_a_place_in_hand_must_give_it_back)
{
    etcl_lease_t held[3], out;
    const etcl_wish_t wish = { .avoid_slot = -1,
                               .has_left = frees_and_leaves,
                               .client = &held[0] };
    int i;

    for (i = 0; i < 3; i++) {
        held[i] = lease_for(0, "/");
    }
    ck_assert_int_eq(etcl_board_lease(board, roster, 1, &wish, &out),
                     APR_SUCCESS);
    ck_assert_int_eq(state_now().busy, 3);
    etcl_board_give_back(board, roster, &out);
    ck_assert_int_eq(state_now().busy, 2);
}
END_TEST

Suite *suite_board_notes(void)
{
    Suite *suite = suite_create("board_notes");
    TCase *tests = tcase_create("board_notes");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_slowest_call_is_named);
    tcase_add_test(tests, a_long_or_strange_path_is_cut_and_cleaned);
    tcase_add_test(tests, a_note_keeps_nothing_of_the_one_before);
    tcase_add_test(tests, the_notes_of_a_dead_child_are_free_again);
    tcase_add_test(tests, a_worker_gets_no_more_than_its_threads);
    tcase_add_test(tests, who_leaves_the_queue_takes_nothing);
    tcase_add_test(tests, who_leaves_with_a_place_in_hand_must_give_it_back);
    suite_add_tcase(suite, tests);
    return suite;
}

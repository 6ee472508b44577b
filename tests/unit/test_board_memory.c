/* The board's memory after its users were killed at the worst moments: what
 * is derived is spoiled on purpose, and must come back right. */

#include "etcl_board_memory.h"

#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE 5

static const etcl_board_shape_t shape = {
    .slots = 3, .threads = 2, .children = 4, .queue = QUEUE
};
static const etcl_wish_t any = { .avoid_slot = -1 };
static etcl_board_t *board;

static void set_up(void)
{
    apr_size_t size = etcl_board_size(&shape);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_int_eq(etcl_board_init(memory, &shape, &board), APR_SUCCESS);
}

static void tear_down(void)
{
    munmap(board, etcl_board_size(&shape));
}

static etcl_board_waiter_t *enter(int child)
{
    return etcl_board_memory_enter(board, child, &any, 1000);
}

static void spoil(void)
{
    board->used = 99;
    board->next_ticket = 4; /* of the last that entered */
    memset(board->busy, 0x55, 3 * sizeof(int));
    memset(board->order, 0x55, QUEUE * sizeof(int));
}

static void assert_order(const int *want, int count)
{
    int i, seen = 0;

    ck_assert_int_eq(board->used, count);
    for (i = 0; i < count; i++) {
        ck_assert_int_eq(board->order[i], want[i]);
    }
    for (i = 0; i < QUEUE; i++) {
        seen |= 1 << board->order[i];
    }
    ck_assert_int_eq(seen, (1 << QUEUE) - 1);
}

START_TEST(the_queue_keeps_its_order_when_some_leave)
{
    etcl_board_waiter_t *waiter[QUEUE];
    int i;

    for (i = 0; i < QUEUE; i++) {
        waiter[i] = enter(0);
        ck_assert_int_eq(etcl_board_memory_position(board, waiter[i]), i);
    }
    ck_assert_ptr_null(enter(0));
    etcl_board_memory_leave(board, waiter[0]);
    etcl_board_memory_leave(board, waiter[2]);
    etcl_board_memory_leave(board, waiter[4]);
    assert_order((const int[]){ 1, 3 }, 2);
    ck_assert_ptr_eq(etcl_board_memory_first(board), waiter[1]);
    ck_assert_ptr_nonnull(enter(0));
    ck_assert_ptr_nonnull(enter(0));
    ck_assert_ptr_nonnull(enter(0));
    ck_assert_ptr_null(enter(0));
}
END_TEST

START_TEST(who_was_handed_a_place_is_no_longer_the_first)
{
    etcl_board_waiter_t *one = enter(0), *two = enter(0);

    atomic_store(&one->word, ETCL_BOARD_GRANTED);
    ck_assert_ptr_eq(etcl_board_memory_first(board), two);
    atomic_store(&two->word, ETCL_BOARD_GRANTED);
    ck_assert_ptr_null(etcl_board_memory_first(board));
}
END_TEST

START_TEST(repair_brings_the_order_and_the_counts_back)
{
    etcl_board_waiter_t *waiter[QUEUE];
    int i, child;

    for (i = 0; i < 4; i++) {
        etcl_board_join(board, 100 + (apr_uint32_t)i, &child);
        waiter[i] = enter(child);
    }
    etcl_board_memory_leave(board, waiter[0]);
    waiter[0] = enter(3); /* entry 4 or 0: now the last */
    waiter[2]->slot = 1;
    atomic_store(&waiter[2]->word, ETCL_BOARD_GRANTED);
    etcl_board_memory_held(board, 0)[1] = 2;
    etcl_board_memory_held(board, 3)[2] = 1;
    spoil();
    etcl_board_memory_repair(board);
    assert_order((const int[]){ 1, 2, 3, (int)(waiter[0] - board->waiters) },
                 4);
    ck_assert_int_eq(board->busy[0], 0);
    ck_assert_int_eq(board->busy[1], 3);
    ck_assert_int_eq(board->busy[2], 1);
    ck_assert_uint_gt(board->next_ticket, waiter[0]->ticket);
}
END_TEST

START_TEST(repair_drops_what_belongs_to_nobody)
{
    int child;

    etcl_board_join(board, 100, &child);
    enter(child);
    enter(2);
    etcl_board_memory_held(board, 2)[0] = 5;
    etcl_board_memory_repair(board);
    assert_order((const int[]){ 0 }, 1);
    ck_assert_int_eq(board->busy[0], 0);
    ck_assert_uint_eq(etcl_board_memory_held(board, 2)[0], 0);
}
END_TEST

START_TEST(the_lock_of_a_dead_process_is_taken_over_and_the_board_repaired)
{
    pid_t pid;
    int child;

    etcl_board_join(board, 100, &child);
    enter(child);
    pid = fork();
    if (!pid) {
        etcl_board_memory_lock(board);
        spoil();
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    etcl_board_memory_lock(board);
    assert_order((const int[]){ 0 }, 1);
    ck_assert_int_eq(board->busy[0], 0);
    etcl_board_memory_unlock(board);
    etcl_board_memory_lock(board);
    etcl_board_memory_unlock(board);
}
END_TEST

START_TEST(a_board_needs_a_shape)
{
    etcl_board_shape_t bad[] = {
        { 0, 1, 1, 1 }, { 1025, 1, 1, 1 }, { 1, -1, 1, 1 },
        { 1, 1, 0, 1 }, { 1, 1, 1, -1 },
    };
    etcl_board_t *out;
    int i;

    for (i = 0; i < 5; i++) {
        ck_assert_int_eq(etcl_board_init(board, &bad[i], &out), ETCL_EINVAL);
    }
}
END_TEST

Suite *suite_board_memory(void)
{
    Suite *suite = suite_create("board_memory");
    TCase *tests = tcase_create("board_memory");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_queue_keeps_its_order_when_some_leave);
    tcase_add_test(tests, who_was_handed_a_place_is_no_longer_the_first);
    tcase_add_test(tests, repair_brings_the_order_and_the_counts_back);
    tcase_add_test(tests, repair_drops_what_belongs_to_nobody);
    tcase_add_test(
        tests, the_lock_of_a_dead_process_is_taken_over_and_the_board_repaired);
    tcase_add_test(tests, a_board_needs_a_shape);
    suite_add_tcase(suite, tests);
    return suite;
}

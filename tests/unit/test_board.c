/* The board among real processes: first come, first served, bounded, and no
 * place is lost when they are killed at any moment. */

#include "etcl_board.h"
#include "etcl_clock.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 2
#define QUEUE 16
#define CHILDREN 12

static const etcl_board_shape_t shape = {
    .slots = SLOTS, .threads = 64, .children = CHILDREN, .queue = QUEUE
};
static const etcl_wish_t any = { .avoid_slot = -1 };
static etcl_board_t *board;
static etcl_roster_t *roster;
static int me;

/* What processes of a test tell each other. */
static struct {
    atomic_int next;
    int order[QUEUE]; /* who got its place when */
    atomic_int in_use[SLOTS];
    atomic_int over;   /* times that more were in use than there are places */
    atomic_int leases; /* all of them */
    atomic_int holds[CHILDREN][2]; /* slot + 1, by process and thread */
} * shared;

static void *shared_memory(apr_size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
}

static void set_up(void)
{
    shared = shared_memory(sizeof(*shared));
    roster = etcl_roster_init(shared_memory(etcl_roster_size(SLOTS)), SLOTS);
    ck_assert_int_eq(
        etcl_board_init(shared_memory(etcl_board_size(&shape)), &shape, &board),
        APR_SUCCESS);
    ck_assert_int_eq(etcl_board_join(board, (apr_uint32_t)getpid(), &me),
                     APR_SUCCESS);
}

static void tear_down(void)
{
    munmap(shared, sizeof(*shared));
    munmap(roster, etcl_roster_size(SLOTS));
    munmap(board, etcl_board_size(&shape));
}

static void make_ready(int slot, apr_uint32_t capacity)
{
    etcl_roster_begin(roster, slot, 1, capacity, etcl_clock_us() + 60000000);
    etcl_roster_set_state(roster, slot, ETCL_SLOT_READY);
}

static apr_status_t lease(etcl_lease_t *out)
{
    return etcl_board_lease(board, roster, me, &any, out);
}

static apr_status_t lease_within(apr_int64_t us, etcl_lease_t *out)
{
    etcl_wish_t wish = { .deadline_us = etcl_clock_us() + us,
                         .avoid_slot = -1 };

    return etcl_board_lease(board, roster, me, &wish, out);
}

static etcl_board_state_t state_now(void)
{
    etcl_board_state_t state;

    etcl_board_read(board, roster, &state);
    return state;
}

static void await_waiting(int count)
{
    int i;

    for (i = 0; i < 2000 && state_now().waiting != count; i++) {
        usleep(1000);
    }
    ck_assert_int_eq(state_now().waiting, count);
}

/* A process that takes a seat, runs `body`, and never outlives the test. */
static pid_t start(void (*body)(int), int number)
{
    pid_t pid = fork();

    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(etcl_board_join(board, (apr_uint32_t)getpid(), &me)
                  ? 99
                  : (body(number), 0));
    }
    return pid;
}

static void join_all(int count)
{
    int status;

    while (count--) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
}

START_TEST(calls_are_spread_over_the_workers)
{
    etcl_lease_t one, two, three;

    make_ready(0, 2);
    make_ready(1, 2);
    ck_assert_int_eq(lease(&one), APR_SUCCESS);
    ck_assert_int_eq(lease(&two), APR_SUCCESS);
    ck_assert_int_eq(one.slot, 0);
    ck_assert_int_eq(two.slot, 1);
    ck_assert_uint_eq(one.incarnation, 1);
    ck_assert_int_eq(one.waited_us, 0);
    ck_assert_int_eq(state_now().busy, 2);
    ck_assert_int_eq(state_now().capacity, 4);
    etcl_board_give_back(board, roster, &one);
    ck_assert_int_eq(lease(&three), APR_SUCCESS);
    ck_assert_int_eq(three.slot, 0);
}
END_TEST

START_TEST(waiting_ends_at_the_deadline)
{
    apr_int64_t before, took;
    etcl_lease_t held, late;

    make_ready(0, 1);
    ck_assert_int_eq(lease(&held), APR_SUCCESS);
    before = etcl_clock_us();
    ck_assert_int_eq(lease_within(50000, &late), APR_TIMEUP);
    took = etcl_clock_us() - before;
    ck_assert_int_ge(took, 50000);
    ck_assert_int_lt(took, 1000000);
    ck_assert_int_eq(state_now().waiting, 0);
    ck_assert_int_eq(state_now().busy, 1);
    etcl_board_give_back(board, roster, &held);
    ck_assert_int_eq(lease_within(0, &late), APR_SUCCESS);
}
END_TEST

/* Waits its turn, writes itself down, and passes the place on. */
static void take_turn(int number)
{
    etcl_lease_t got;

    if (lease(&got) == APR_SUCCESS) {
        shared->order[atomic_fetch_add(&shared->next, 1)] = number;
        etcl_board_give_back(board, roster, &got);
    }
}

START_TEST(who_comes_first_is_served_first)
{
    etcl_lease_t held;
    int i;

    make_ready(0, 1);
    lease(&held);
    for (i = 0; i < 8; i++) {
        start(take_turn, i);
        await_waiting(i + 1);
    }
    ck_assert_int_gt(state_now().oldest_us, 0);
    etcl_board_give_back(board, roster, &held);
    join_all(8);
    for (i = 0; i < 8; i++) {
        ck_assert_int_eq(shared->order[i], i);
    }
    ck_assert_int_eq(state_now().busy, 0);
}
END_TEST

static void *wait_in_thread(void *out)
{
    lease(out);
    return NULL;
}

START_TEST(a_full_queue_turns_the_next_away)
{
    etcl_lease_t held, got[QUEUE], late;
    pthread_t threads[QUEUE];
    int i;

    make_ready(0, 1);
    lease(&held);
    for (i = 0; i < QUEUE; i++) {
        pthread_create(&threads[i], NULL, wait_in_thread, &got[i]);
    }
    await_waiting(QUEUE);
    ck_assert_int_eq(lease(&late), ETCL_EFULL);
    make_ready(1, QUEUE);
    for (i = 0; i < QUEUE; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(got[i].slot, 1);
        ck_assert_int_gt(got[i].waited_us, 0);
    }
    ck_assert_int_eq(state_now().busy, QUEUE + 1);
}
END_TEST

START_TEST(a_worker_that_becomes_ready_is_noticed_soon_and_waiting_is_cheap)
{
    clock_t before = clock();
    etcl_lease_t got;
    pthread_t thread;

    etcl_roster_begin(roster, 0, 1, 1, etcl_clock_us());
    pthread_create(&thread, NULL, wait_in_thread, &got);
    await_waiting(1);
    usleep(100000);
    make_ready(0, 1);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(got.incarnation, 2);
    ck_assert_int_ge(got.waited_us, 90000);
    ck_assert_int_lt(got.waited_us, 600000);
    ck_assert_int_lt(clock() - before, CLOCKS_PER_SEC / 20);
}
END_TEST

START_TEST(a_group_that_rests_says_so_after_a_second_and_then_at_once)
{
    apr_int64_t before = etcl_clock_us(), took;
    etcl_lease_t got;

    etcl_roster_set_outlook(roster, ETCL_OUTLOOK_RESTING, before);
    ck_assert_int_eq(lease(&got), ETCL_ENONE);
    took = etcl_clock_us() - before;
    ck_assert_int_ge(took, 900000);
    ck_assert_int_lt(took, 3000000);
    before = etcl_clock_us();
    ck_assert_int_eq(lease(&got), ETCL_ENONE);
    ck_assert_int_lt(etcl_clock_us() - before, 100000);
    make_ready(0, 1);
    ck_assert_int_eq(lease(&got), APR_SUCCESS);
    ck_assert_int_eq(state_now().waiting, 0);
}
END_TEST

static const etcl_outlook_t waited_for[] = { ETCL_OUTLOOK_NONE,
                                             ETCL_OUTLOOK_COMING };

START_TEST(a_worker_that_may_come_is_waited_for)
{
    pthread_t thread;
    etcl_lease_t got;

    etcl_roster_set_outlook(roster, waited_for[_i], etcl_clock_us());
    pthread_create(&thread, NULL, wait_in_thread, &got);
    await_waiting(1);
    usleep(1200000);
    make_ready(0, 1);
    pthread_join(thread, NULL);
    ck_assert_int_ge(got.waited_us, 1100000);
}
END_TEST

START_TEST(a_stalled_worker_gets_nothing_and_is_waited_for)
{
    etcl_lease_t got;

    etcl_roster_begin(roster, 0, 1, 5,
                      etcl_clock_us() - ETCL_ROSTER_STALL_US - 1000);
    etcl_roster_set_state(roster, 0, ETCL_SLOT_READY);
    ck_assert_int_eq(lease_within(30000, &got), APR_TIMEUP);
    etcl_roster_beat(roster, 0, etcl_clock_us());
    ck_assert_int_eq(lease_within(30000, &got), APR_SUCCESS);
}
END_TEST

START_TEST(a_worker_that_failed_is_avoided_until_it_is_replaced)
{
    etcl_wish_t wish = { .avoid_slot = 0, .avoid_incarnation = 1 };
    etcl_lease_t got;

    make_ready(0, 5);
    wish.deadline_us = etcl_clock_us() + 30000;
    ck_assert_int_eq(etcl_board_lease(board, roster, me, &wish, &got),
                     APR_TIMEUP);
    make_ready(1, 5);
    ck_assert_int_eq(etcl_board_lease(board, roster, me, &wish, &got),
                     APR_SUCCESS);
    ck_assert_int_eq(got.slot, 1);
    etcl_roster_bury(roster, 1, ETCL_LAST_EXIT, 0);
    make_ready(0, 5);
    ck_assert_int_eq(etcl_board_lease(board, roster, me, &wish, &got),
                     APR_SUCCESS);
    ck_assert_int_eq(got.slot, 0);
    ck_assert_uint_eq(got.incarnation, 2);
}
END_TEST

static void *wait_and_avoid(void *out)
{
    etcl_wish_t wish = { .avoid_slot = 0, .avoid_incarnation = 1 };

    etcl_board_lease(board, roster, me, &wish, out);
    return NULL;
}

START_TEST(a_place_that_the_first_avoids_goes_to_the_next)
{
    etcl_lease_t first, next;
    pthread_t thread;

    make_ready(0, 1);
    pthread_create(&thread, NULL, wait_and_avoid, &first);
    await_waiting(1);
    ck_assert_int_eq(lease_within(500000, &next), APR_SUCCESS);
    ck_assert_int_eq(next.slot, 0);
    make_ready(1, 1);
    pthread_join(thread, NULL);
    ck_assert_int_eq(first.slot, 1);
}
END_TEST

/* The waiter sleeps like a stone when its place is handed to it. */
START_TEST(a_place_that_was_handed_over_cannot_be_taken_on_the_way)
{
    etcl_lease_t held, thief;
    pid_t pid;

    make_ready(0, 1);
    lease(&held);
    pid = start(take_turn, 7);
    await_waiting(1);
    kill(pid, SIGSTOP);
    etcl_board_give_back(board, roster, &held);
    ck_assert_int_eq(state_now().waiting, 0);
    ck_assert_int_eq(state_now().busy, 1);
    ck_assert_int_eq(lease_within(30000, &thief), APR_TIMEUP);
    kill(pid, SIGCONT);
    join_all(1);
    ck_assert_int_eq(shared->order[0], 7);
    ck_assert_int_eq(lease_within(0, &thief), APR_SUCCESS);
}
END_TEST

static void hold_two_and_wait(int unused)
{
    etcl_lease_t got;

    (void)unused;
    lease(&got);
    lease(&got);
    lease(&got);
}

START_TEST(what_a_dead_child_held_goes_to_those_who_wait)
{
    etcl_lease_t got;
    pthread_t thread;
    pid_t pid;

    make_ready(0, 2);
    pid = start(hold_two_and_wait, 0);
    await_waiting(1);
    pthread_create(&thread, NULL, wait_in_thread, &got);
    await_waiting(2);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    etcl_board_bury(board, (apr_uint32_t)pid);
    pthread_join(thread, NULL);
    ck_assert_int_eq(state_now().busy, 1);
    ck_assert_int_eq(state_now().waiting, 0);
    etcl_board_bury(board, 4711);
    ck_assert_int_eq(state_now().busy, 1);
}
END_TEST

/* Handed a place and killed before it woke up: still nothing is lost. */
START_TEST(a_place_handed_to_the_dead_comes_back)
{
    etcl_lease_t held, got;
    pid_t pid;

    make_ready(0, 1);
    lease(&held);
    pid = start(take_turn, 0);
    await_waiting(1);
    kill(pid, SIGSTOP);
    etcl_board_give_back(board, roster, &held);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ck_assert_int_eq(lease_within(20000, &got), APR_TIMEUP);
    etcl_board_bury(board, (apr_uint32_t)pid);
    ck_assert_int_eq(lease_within(20000, &got), APR_SUCCESS);
}
END_TEST

START_TEST(seats_are_taken_listed_and_freed)
{
    apr_uint32_t pids[CHILDREN + 1];
    int child, i;

    for (i = 1; i < CHILDREN; i++) {
        ck_assert_int_eq(
            etcl_board_join(board, 1000000 + (apr_uint32_t)i, &child),
            APR_SUCCESS);
        ck_assert_int_eq(child, i);
    }
    ck_assert_int_eq(etcl_board_join(board, 2000000, &child), ETCL_ELIMIT);
    ck_assert_int_eq(etcl_board_children(board, pids, CHILDREN + 1), CHILDREN);
    ck_assert_uint_eq(pids[0], (apr_uint32_t)getpid());
    ck_assert_int_eq(etcl_board_children(board, pids, 2), 2);
    etcl_board_bury(board, 1000003);
    ck_assert_int_eq(etcl_board_join(board, 2000000, &child), APR_SUCCESS);
    ck_assert_int_eq(child, 3);
    ck_assert_int_eq(etcl_board_join(board, 2000000, &child), APR_SUCCESS);
    ck_assert_int_eq(child, 3);
    etcl_board_bury(board, (apr_uint32_t)getpid());
    ck_assert_int_eq(etcl_board_join(board, 3000000, &child), APR_SUCCESS);
    ck_assert_int_eq(child, 0);
}
END_TEST

#define CAPACITY 2

typedef struct {
    int number;
    int thread;
} worker_t;

/* The mark is set before the count and taken away behind it: whoever is
 * killed in between makes the count too small, never too big. */
static void use(worker_t *worker, const etcl_lease_t *got)
{
    atomic_int *mark = &shared->holds[worker->number][worker->thread];

    atomic_store(mark, got->slot + 1);
    if (atomic_fetch_add(&shared->in_use[got->slot], 1) >= CAPACITY) {
        atomic_fetch_add(&shared->over, 1);
    }
    usleep((useconds_t)(random() % 300));
    atomic_fetch_sub(&shared->in_use[got->slot], 1);
    atomic_store(mark, 0);
}

static void *lease_forever(void *worker)
{
    etcl_lease_t got;

    for (;;) {
        if (lease_within(random() % 5000, &got) == APR_SUCCESS) {
            use(worker, &got);
            atomic_fetch_add(&shared->leases, 1);
            etcl_board_give_back(board, roster, &got);
        }
    }
    return NULL;
}

static void live_until_killed(int number)
{
    worker_t one = { number, 0 }, two = { number, 1 };
    pthread_t thread;

    srandom((unsigned int)getpid());
    pthread_create(&thread, NULL, lease_forever, &two);
    lease_forever(&one);
}

static void kill_and_bury(pid_t pid, int number)
{
    int i, slot;

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (i = 0; i < 2; i++) {
        slot = atomic_exchange(&shared->holds[number][i], 0);
        if (slot) {
            atomic_fetch_sub(&shared->in_use[slot - 1], 1);
        }
    }
    etcl_board_bury(board, (apr_uint32_t)pid);
}

START_TEST(no_place_is_lost_or_given_twice_when_children_are_killed)
{
    pid_t pids[6];
    etcl_lease_t got;
    apr_int64_t end = etcl_clock_us() + 1500000;
    int i, kills = 0;

    srandom((unsigned int)getpid());
    make_ready(0, CAPACITY);
    make_ready(1, CAPACITY);
    for (i = 0; i < 6; i++) {
        pids[i] = start(live_until_killed, i);
    }
    while (etcl_clock_us() < end) {
        usleep((useconds_t)(random() % 4000));
        i = (int)(random() % 6);
        kill_and_bury(pids[i], i);
        pids[i] = start(live_until_killed, i);
        kills++;
    }
    for (i = 0; i < 6; i++) {
        kill_and_bury(pids[i], i);
    }
    ck_assert_int_gt(kills, 20);
    ck_assert_int_gt(atomic_load(&shared->leases), 200);
    ck_assert_int_eq(atomic_load(&shared->over), 0);
    ck_assert_int_eq(state_now().busy, 0);
    ck_assert_int_eq(state_now().waiting, 0);
    for (i = 0; i < SLOTS * CAPACITY; i++) {
        ck_assert_int_eq(lease_within(0, &got), APR_SUCCESS);
    }
    ck_assert_int_eq(lease_within(1000, &got), APR_TIMEUP);
}
END_TEST

static TCase *lease_tests(void)
{
    TCase *tests = tcase_create("leasing");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, calls_are_spread_over_the_workers);
    tcase_add_test(tests, waiting_ends_at_the_deadline);
    tcase_add_test(tests, who_comes_first_is_served_first);
    tcase_add_test(tests, a_full_queue_turns_the_next_away);
    tcase_add_test(
        tests,
        a_worker_that_becomes_ready_is_noticed_soon_and_waiting_is_cheap);
    tcase_add_test(tests,
                   a_group_that_rests_says_so_after_a_second_and_then_at_once);
    tcase_add_loop_test(tests, a_worker_that_may_come_is_waited_for, 0, 2);
    tcase_add_test(tests, a_stalled_worker_gets_nothing_and_is_waited_for);
    tcase_add_test(tests, a_worker_that_failed_is_avoided_until_it_is_replaced);
    tcase_add_test(tests, a_place_that_the_first_avoids_goes_to_the_next);
    return tests;
}

static TCase *death_tests(void)
{
    TCase *tests = tcase_create("death");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests,
                   a_place_that_was_handed_over_cannot_be_taken_on_the_way);
    tcase_add_test(tests, what_a_dead_child_held_goes_to_those_who_wait);
    tcase_add_test(tests, a_place_handed_to_the_dead_comes_back);
    tcase_add_test(tests, seats_are_taken_listed_and_freed);
    tcase_add_test(tests,
                   no_place_is_lost_or_given_twice_when_children_are_killed);
    return tests;
}

Suite *suite_board(void)
{
    Suite *suite = suite_create("board");

    suite_add_tcase(suite, lease_tests());
    suite_add_tcase(suite, death_tests());
    return suite;
}

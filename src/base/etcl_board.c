/* Leasing and giving back. A place that becomes free is written into the
 * waiter that gets it, by whoever frees it, before that waiter is woken: no
 * newcomer can take it away on the way. */

#include "etcl_board_memory.h"
#include "etcl_clock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define POLL_US 10000

/* How long a group may be without any worker, alive or starting, before its
 * requests are told so: when it rests because the last ones failed, and when
 * nobody supervises it, for its supervisor is replaced within that. */
#define RESTING_US 1000000
#define HEADLESS_US 15000000

static void sleep_on(_Atomic apr_uint32_t *word, apr_int64_t nap_us)
{
    struct timespec nap = { .tv_sec = (time_t)(nap_us / 1000000),
                            .tv_nsec = (long)(nap_us % 1000000 * 1000) };

    syscall(SYS_futex, word, FUTEX_WAIT, ETCL_BOARD_WAITING, &nap, NULL, 0);
}

static void wake(etcl_board_waiter_t *waiter)
{
    if (waiter) {
        syscall(SYS_futex, &waiter->word, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

/* What the roster and our own books say of one slot. */
static etcl_board_seen_t see_slot(const etcl_board_t *board,
                                  const etcl_roster_t *roster, int slot,
                                  apr_int64_t now_us)
{
    etcl_roster_slot_t entry;

    if (etcl_roster_read(roster, slot, &entry) != APR_SUCCESS) {
        return (etcl_board_seen_t){ .busy = board->busy[slot] };
    }
    if (entry.capacity > (apr_uint32_t)board->shape.threads) {
        entry.capacity = (apr_uint32_t)board->shape.threads;
    }
    return (etcl_board_seen_t){ .takes = etcl_roster_takes(&entry, now_us),
                                .alive = entry.state == ETCL_SLOT_READY ||
                                         entry.state == ETCL_SLOT_STARTING,
                                .capacity = (int)entry.capacity,
                                .busy = board->busy[slot],
                                .incarnation = entry.incarnation };
}

static void look(etcl_board_t *board, const etcl_roster_t *roster,
                 apr_int64_t now_us)
{
    const etcl_outlook_t outlook = etcl_roster_outlook(roster, now_us);
    int slot;

    for (slot = 0; slot < board->shape.slots; slot++) {
        board->seen[slot] = see_slot(board, roster, slot, now_us);
    }
    board->none_max_us =
        outlook == ETCL_OUTLOOK_RESTING ? RESTING_US : HEADLESS_US;
    if (outlook == ETCL_OUTLOOK_COMING ||
        etcl_board_choice_alive(board->seen, board->shape.slots)) {
        board->none_since_us = 0;
    } else if (!board->none_since_us) {
        board->none_since_us = now_us;
    }
}

static int choose(const etcl_board_t *board, const etcl_wish_t *wish,
                  apr_int64_t waited_us)
{
    return etcl_board_choice_slot(board->seen, board->shape.slots, wish,
                                  waited_us);
}

static void occupy(etcl_board_t *board, int slot)
{
    board->busy[slot]++;
    board->seen[slot].busy++;
}

/* Hand free places to those who wait, in their order. Needs a fresh look.
 * Returns the last who got one, to be woken without the lock: it wants that as
 * soon as it runs, and would go to sleep again. */
static etcl_board_waiter_t *hand_out(etcl_board_t *board, apr_int64_t now_us)
{
    int places = etcl_board_choice_free(board->seen, board->shape.slots);
    etcl_board_waiter_t *waiter, *last = NULL;
    int i, slot;

    for (i = 0; i < board->used && places; i++) {
        waiter = &board->waiters[board->order[i]];
        if (atomic_load(&waiter->word) != ETCL_BOARD_WAITING) {
            continue;
        }
        slot = choose(board, &waiter->wish, now_us - waiter->since_us);
        if (slot >= 0) {
            waiter->slot = slot;
            waiter->incarnation = board->seen[slot].incarnation;
            atomic_store(&waiter->word, ETCL_BOARD_GRANTED);
            occupy(board, slot);
            wake(last);
            last = waiter;
            places--;
        }
    }
    return last;
}

/* A child writes down what it holds; from here on it must give it back. */
static void hold(etcl_board_t *board, etcl_lease_t lease, etcl_lease_t *out)
{
    etcl_board_memory_held(board, lease.child)[lease.slot]++;
    lease.note = etcl_board_notes_take(board, lease.child);
    *out = lease;
}

/* The further back, the longer the nap: only the first polls the roster, and
 * whoever has come to the front finds that out soon, though the one before
 * it may have been killed and told nobody. */
static apr_int64_t nap_of(const etcl_board_t *board,
                          const etcl_board_waiter_t *waiter, apr_int64_t now_us)
{
    int position = etcl_board_memory_position(board, waiter);
    apr_int64_t nap_us = (apr_int64_t)POLL_US * (position + 1);
    apr_int64_t left_us = waiter->wish.deadline_us - now_us;

    if (now_us - waiter->since_us < ETCL_BOARD_LOOK_US &&
        nap_us > ETCL_BOARD_LOOK_US) {
        nap_us = ETCL_BOARD_LOOK_US;
    }
    return waiter->wish.deadline_us && left_us < nap_us ? left_us : nap_us;
}

/* Whether a waiter's time is over: APR_SUCCESS to go on waiting. */
static apr_status_t patience(const etcl_board_t *board,
                             const etcl_board_waiter_t *waiter,
                             apr_int64_t now_us)
{
    if (board->none_since_us &&
        now_us - board->none_since_us >= board->none_max_us) {
        return ETCL_ENONE;
    }
    if (waiter->wish.deadline_us && waiter->wish.deadline_us <= now_us) {
        return APR_TIMEUP;
    }
    return APR_SUCCESS;
}

static int is_granted(const etcl_board_waiter_t *waiter)
{
    return atomic_load(&waiter->word) == ETCL_BOARD_GRANTED;
}

/* Let the others in while this one sleeps, or looks for its client. */
static int nap(etcl_board_t *board, etcl_board_waiter_t *waiter,
               const etcl_wish_t *wish, apr_int64_t now_us)
{
    apr_int64_t nap_us = nap_of(board, waiter, now_us);
    int has_left;

    etcl_board_memory_unlock(board);
    has_left = wish->has_left && wish->has_left(wish->client);
    if (!has_left) {
        sleep_on(&waiter->word, nap_us);
    }
    etcl_board_memory_lock(board);
    return has_left;
}

/* Stay until a place was granted or patience is over. A newcomer has just
 * looked, and its wish may fit a place that those before it do not want. */
static apr_status_t wait_turn(etcl_board_t *board, const etcl_roster_t *roster,
                              etcl_board_waiter_t *waiter,
                              const etcl_wish_t *wish, apr_int64_t now_us)
{
    apr_status_t rv;

    wake(hand_out(board, now_us));
    while (!is_granted(waiter)) {
        rv = patience(board, waiter, now_us);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (nap(board, waiter, wish, now_us) && !is_granted(waiter)) {
            return ETCL_EGONE;
        }
        now_us = etcl_clock_us();
        if (etcl_board_memory_first(board) == waiter) {
            look(board, roster, now_us);
            wake(hand_out(board, now_us));
        }
    }
    return APR_SUCCESS;
}

static apr_status_t queue_up(etcl_board_t *board, const etcl_roster_t *roster,
                             int child, const etcl_wish_t *wish,
                             etcl_lease_t *out)
{
    apr_int64_t now_us = etcl_clock_us();
    etcl_board_waiter_t *waiter =
        etcl_board_memory_enter(board, child, wish, now_us);
    apr_status_t rv;

    if (!waiter) {
        return ETCL_EFULL;
    }
    rv = wait_turn(board, roster, waiter, wish, now_us);
    if (rv == APR_SUCCESS) {
        now_us = etcl_clock_us();
        hold(board,
             (etcl_lease_t){ .child = child,
                             .slot = waiter->slot,
                             .incarnation = waiter->incarnation,
                             .since_us = now_us,
                             .waited_us = now_us - waiter->since_us },
             out);
    }
    etcl_board_memory_leave(board, waiter);
    return rv;
}

apr_status_t etcl_board_lease(etcl_board_t *board, const etcl_roster_t *roster,
                              int child, const etcl_wish_t *wish,
                              etcl_lease_t *out)
{
    const apr_int64_t now_us = etcl_clock_us();
    apr_status_t rv = APR_SUCCESS;
    int slot;

    etcl_board_memory_lock(board);
    look(board, roster, now_us);
    slot = board->used ? -1 : choose(board, wish, 0);
    if (slot >= 0) {
        occupy(board, slot);
        hold(board,
             (etcl_lease_t){ .child = child,
                             .slot = slot,
                             .incarnation = board->seen[slot].incarnation,
                             .since_us = now_us },
             out);
    } else {
        rv = queue_up(board, roster, child, wish, out);
    }
    etcl_board_memory_unlock(board);
    return rv;
}

void etcl_board_give_back(etcl_board_t *board, const etcl_roster_t *roster,
                          const etcl_lease_t *lease)
{
    etcl_board_waiter_t *next = NULL;
    apr_int64_t now_us;

    etcl_board_memory_lock(board);
    etcl_board_memory_held(board, lease->child)[lease->slot]--;
    board->busy[lease->slot]--;
    etcl_board_notes_drop(board, lease->note);
    if (board->used) {
        now_us = etcl_clock_us();
        look(board, roster, now_us);
        next = hand_out(board, now_us);
    }
    etcl_board_memory_unlock(board);
    wake(next);
}

/* The seat of a pid; 0 finds a free one. -1: there is none. */
static int find_seat(const etcl_board_t *board, apr_uint32_t pid)
{
    int child;

    for (child = 0; child < board->shape.children; child++) {
        if (board->pids[child] == pid) {
            return child;
        }
    }
    return -1;
}

static void empty_seat(etcl_board_t *board, apr_uint32_t pid)
{
    int child = find_seat(board, pid);

    if (child >= 0) {
        board->pids[child] = 0;
        etcl_board_memory_repair(board);
    }
}

/* Who had this pid before is dead, whether or not anybody said so. */
apr_status_t etcl_board_join(etcl_board_t *board, apr_uint32_t pid, int *child)
{
    int seat;

    etcl_board_memory_lock(board);
    empty_seat(board, pid);
    seat = find_seat(board, 0);
    if (seat >= 0) {
        board->pids[seat] = pid;
        *child = seat;
    }
    etcl_board_memory_unlock(board);
    return seat >= 0 ? APR_SUCCESS : ETCL_ELIMIT;
}

/* The first of the queue looks at the roster, which is not at hand here, and
 * hands out what the dead child held. */
void etcl_board_bury(etcl_board_t *board, apr_uint32_t pid)
{
    etcl_board_waiter_t *first;

    etcl_board_memory_lock(board);
    empty_seat(board, pid);
    first = etcl_board_memory_first(board);
    if (first) {
        wake(first);
    }
    etcl_board_memory_unlock(board);
}

int etcl_board_children(etcl_board_t *board, apr_uint32_t *pids, int max)
{
    int child, count = 0;

    etcl_board_memory_lock(board);
    for (child = 0; child < board->shape.children && count < max; child++) {
        if (board->pids[child]) {
            pids[count++] = board->pids[child];
        }
    }
    etcl_board_memory_unlock(board);
    return count;
}

void etcl_board_read(etcl_board_t *board, const etcl_roster_t *roster,
                     etcl_board_state_t *out)
{
    etcl_board_state_t state = { .capacity = 0 };
    const etcl_board_waiter_t *waiter;
    int i;

    etcl_board_memory_lock(board);
    look(board, roster, etcl_clock_us());
    for (i = 0; i < board->shape.slots; i++) {
        state.capacity += board->seen[i].takes ? board->seen[i].capacity : 0;
        state.busy += board->busy[i];
    }
    for (i = 0; i < board->used; i++) {
        waiter = &board->waiters[board->order[i]];
        state.waiting += atomic_load(&waiter->word) == ETCL_BOARD_WAITING;
    }
    waiter = etcl_board_memory_first(board);
    state.oldest_us = waiter ? waiter->since_us : 0;
    etcl_board_notes_slowest(board, &state);
    etcl_board_memory_unlock(board);
    *out = state;
}

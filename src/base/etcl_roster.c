/* The roster's memory: a header and one cache line per slot. It always has
 * room for the greatest number of slots, so that nothing a daemon writes into
 * it, at whatever moment, can lead a reader outside of its mapping. */

#include "etcl_roster.h"

#include <stdatomic.h>

#define MAGIC 0x4554524fu /* "ETRO" */
#define VERSION 4u
#define CAPACITY_MAX 65535u
#define FAILING_MAX 65535u
#define RESTING (-1)

typedef struct {
    _Alignas(64) _Atomic apr_uint32_t state;
    _Atomic apr_uint32_t pid;
    _Atomic apr_uint32_t incarnation;
    _Atomic apr_uint32_t capacity;
    _Atomic apr_int64_t heartbeat_us;
    _Atomic apr_uint64_t requests;
    _Atomic apr_uint32_t last;
    _Atomic apr_uint32_t last_detail;
    _Atomic apr_uint32_t failing;
} line_t;

/* A script and the version of it that is in use; 0: none. */
typedef struct {
    _Atomic apr_uint64_t script;
    _Atomic apr_uint64_t version;
} code_t;

struct etcl_roster_t {
    _Atomic apr_uint32_t magic;
    _Atomic apr_uint32_t version;
    _Atomic apr_uint32_t slots;
    _Atomic apr_uint32_t changing;  /* newer code is being loaded */
    _Atomic apr_int64_t outlook_us; /* when a worker was said to be coming; 0
                                       never, or RESTING */
    line_t lines[ETCL_ROSTER_SLOTS_MAX];
    code_t codes[ETCL_ROSTER_CODES_MAX];
};

apr_size_t etcl_roster_size(int slots)
{
    return slots >= 1 && slots <= ETCL_ROSTER_SLOTS_MAX ? sizeof(etcl_roster_t)
                                                        : 0;
}

etcl_roster_t *etcl_roster_init(void *memory, int slots)
{
    etcl_roster_t *roster = memory;

    atomic_store(&roster->slots, (apr_uint32_t)slots);
    atomic_store(&roster->version, VERSION);
    atomic_store(&roster->magic, MAGIC);
    return roster;
}

etcl_roster_t *etcl_roster_open(void *memory, apr_size_t size)
{
    etcl_roster_t *roster = memory;

    if (size < sizeof(*roster) || atomic_load(&roster->magic) != MAGIC ||
        atomic_load(&roster->version) != VERSION ||
        !etcl_roster_slots(roster)) {
        return NULL;
    }
    return roster;
}

int etcl_roster_slots(const etcl_roster_t *roster)
{
    apr_uint32_t slots = atomic_load(&roster->slots);

    return slots <= ETCL_ROSTER_SLOTS_MAX ? (int)slots : 0;
}

static int is_possible(apr_uint32_t state, apr_uint32_t last,
                       const etcl_roster_slot_t *slot)
{
    return state <= ETCL_SLOT_DEAD && last <= ETCL_LAST_LOAD &&
           slot->capacity <= CAPACITY_MAX && slot->failing <= FAILING_MAX &&
           slot->heartbeat_us >= 0;
}

apr_status_t etcl_roster_read(const etcl_roster_t *roster, int slot,
                              etcl_roster_slot_t *out)
{
    const line_t *line;
    apr_uint32_t state, last;

    if (slot < 0 || slot >= etcl_roster_slots(roster)) {
        return ETCL_EPROTO;
    }
    line = &roster->lines[slot];
    state = atomic_load(&line->state);
    last = atomic_load(&line->last);
    *out =
        (etcl_roster_slot_t){ .pid = atomic_load(&line->pid),
                              .incarnation = atomic_load(&line->incarnation),
                              .capacity = atomic_load(&line->capacity),
                              .heartbeat_us = atomic_load(&line->heartbeat_us),
                              .requests = atomic_load(&line->requests),
                              .last_detail = atomic_load(&line->last_detail),
                              .failing = atomic_load(&line->failing) };
    if (!is_possible(state, last, out)) {
        *out = (etcl_roster_slot_t){ .state = ETCL_SLOT_EMPTY };
        return ETCL_EPROTO;
    }
    out->state = (etcl_slot_state_t)state;
    out->last = (etcl_last_t)last;
    return APR_SUCCESS;
}

int etcl_roster_takes(const etcl_roster_slot_t *slot, apr_int64_t now_us)
{
    return slot->state == ETCL_SLOT_READY && slot->capacity > 0 &&
           slot->heartbeat_us >= now_us - ETCL_ROSTER_STALL_US;
}

etcl_outlook_t etcl_roster_outlook(const etcl_roster_t *roster,
                                   apr_int64_t now_us)
{
    apr_int64_t said_us = atomic_load(&roster->outlook_us);

    if (said_us == RESTING) {
        return ETCL_OUTLOOK_RESTING;
    }
    return said_us > 0 && said_us >= now_us - ETCL_ROSTER_STALL_US
               ? ETCL_OUTLOOK_COMING
               : ETCL_OUTLOOK_NONE;
}

void etcl_roster_set_outlook(etcl_roster_t *roster, etcl_outlook_t outlook,
                             apr_int64_t now_us)
{
    static const apr_int64_t words[] = { 0, 0, RESTING };

    atomic_store(&roster->outlook_us,
                 outlook == ETCL_OUTLOOK_COMING ? now_us : words[outlook]);
}

int etcl_roster_has_code(const etcl_roster_t *roster, apr_uint64_t script,
                         apr_uint64_t version)
{
    apr_uint64_t known, in_use;
    int i;

    if (atomic_load(&roster->changing)) {
        return 0;
    }
    for (i = 0; i < ETCL_ROSTER_CODES_MAX; i++) {
        known = atomic_load(&roster->codes[i].script);
        if (!known) {
            return 1;
        }
        if (known == script) {
            in_use = atomic_load(&roster->codes[i].version);
            return !in_use || in_use == version;
        }
    }
    return 1;
}

/* A script is known only when its version is there. */
void etcl_roster_set_code(etcl_roster_t *roster, int number,
                          apr_uint64_t script, apr_uint64_t version)
{
    if (number >= 0 && number < ETCL_ROSTER_CODES_MAX) {
        atomic_store(&roster->codes[number].version, version);
        atomic_store(&roster->codes[number].script, script);
    }
}

void etcl_roster_set_changing(etcl_roster_t *roster, int changing)
{
    atomic_store(&roster->changing, changing ? 1u : 0u);
}

void etcl_roster_set_state(etcl_roster_t *roster, int slot,
                           etcl_slot_state_t state)
{
    atomic_store(&roster->lines[slot].state, (apr_uint32_t)state);
}

void etcl_roster_set_failing(etcl_roster_t *roster, int slot, int failing)
{
    atomic_store(&roster->lines[slot].failing, (apr_uint32_t)failing);
}

/* The state goes last: until then a reader sees the old worker's. An
 * incarnation is never 0, which means "any" on the wire. */
void etcl_roster_begin(etcl_roster_t *roster, int slot, apr_uint32_t pid,
                       apr_uint32_t capacity, apr_int64_t now_us)
{
    line_t *line = &roster->lines[slot];
    apr_uint32_t incarnation = atomic_load(&line->incarnation) + 1;

    atomic_store(&line->incarnation, incarnation ? incarnation : 1);
    atomic_store(&line->pid, pid);
    atomic_store(&line->capacity, capacity);
    atomic_store(&line->heartbeat_us, now_us);
    atomic_store(&line->requests, 0);
    atomic_store(&line->failing, 0);
    etcl_roster_set_state(roster, slot, ETCL_SLOT_STARTING);
}

void etcl_roster_beat(etcl_roster_t *roster, int slot, apr_int64_t now_us)
{
    atomic_store_explicit(&roster->lines[slot].heartbeat_us, now_us,
                          memory_order_relaxed);
}

void etcl_roster_count(etcl_roster_t *roster, int slot)
{
    atomic_fetch_add_explicit(&roster->lines[slot].requests, 1,
                              memory_order_relaxed);
}

void etcl_roster_bury(etcl_roster_t *roster, int slot, etcl_last_t last,
                      apr_uint32_t detail)
{
    line_t *line = &roster->lines[slot];

    atomic_store(&line->last_detail, detail);
    atomic_store(&line->last, (apr_uint32_t)last);
    etcl_roster_set_state(roster, slot, ETCL_SLOT_DEAD);
}

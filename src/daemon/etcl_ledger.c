/* One line of two cache lines for each request thread. A line counts only
 * while its state says so, which is written last and taken back first: who
 * dies in between held nothing yet. What a line says to a person is
 * etcl_obituary.c. */

#include "etcl_ledger.h"
#include "etcl_keys.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
    _Alignas(128) _Atomic apr_uint32_t held;
    _Atomic apr_uint32_t len;
    _Atomic apr_int64_t since_us;
    char text[ETCL_LEDGER_TEXT];
} line_t;

struct etcl_ledger_t {
    line_t lines[ETCL_LEDGER_LINES];
};

/* Without the seals a worker could shorten it, and a reader would die. */
static int open_memory(void)
{
    int fd = memfd_create("etcl ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 &&
        (ftruncate(fd, sizeof(etcl_ledger_t)) ||
         fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void *map(int fd, int protection)
{
    void *memory = fd >= 0 ? mmap(NULL, sizeof(etcl_ledger_t), protection,
                                  MAP_SHARED, fd, 0)
                           : MAP_FAILED;

    return memory == MAP_FAILED ? NULL : memory;
}

const etcl_ledger_t *etcl_ledger_create(int *fd)
{
    const etcl_ledger_t *ledger;

    *fd = open_memory();
    ledger = map(*fd, PROT_READ);
    if (!ledger && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return ledger;
}

void etcl_ledger_close(const etcl_ledger_t *ledger)
{
    if (ledger) {
        munmap((void *)(apr_uintptr_t)ledger, sizeof(*ledger));
    }
}

etcl_ledger_t *etcl_ledger_open(int fd)
{
    return map(fd, PROT_READ | PROT_WRITE);
}

/* Names come as ids; a request of Apache has both, near the beginning. */
static void find_both(const etcl_call_t *call, etcl_span_t *method,
                      etcl_span_t *target)
{
    apr_size_t i;
    int left = 2;

    for (i = 0; left && i < call->pair_count; i++) {
        if (call->pairs[i].id == ETCL_KEY_REQUEST_METHOD) {
            *method = call->pairs[i].value;
            left--;
        } else if (call->pairs[i].id == ETCL_KEY_REQUEST_URI) {
            *target = call->pairs[i].value;
            left--;
        }
    }
}

/* What follows the path may be secret, and is in the access log. */
static etcl_span_t path_of(etcl_span_t target)
{
    const char *query = memchr(target.ptr, '?', target.len);

    return query ? (etcl_span_t){ target.ptr, (apr_size_t)(query - target.ptr) }
                 : target;
}

static apr_size_t append(char *text, apr_size_t len, etcl_span_t more)
{
    apr_size_t room = ETCL_LEDGER_TEXT - len;
    apr_size_t count = more.len < room ? more.len : room;

    memcpy(text + len, more.ptr, count);
    return len + count;
}

void etcl_ledger_begin(etcl_ledger_t *ledger, int line, const etcl_call_t *call,
                       apr_int64_t now_us)
{
    etcl_span_t method = ETCL_SPAN("-"), target = ETCL_SPAN("-");
    apr_size_t len;
    line_t *at;

    if (!ledger || line >= ETCL_LEDGER_LINES) {
        return;
    }
    find_both(call, &method, &target);
    at = &ledger->lines[line];
    len = append(at->text, 0, method);
    len = append(at->text, len, ETCL_SPAN(" "));
    len = append(at->text, len, path_of(target));
    atomic_store_explicit(&at->len, (apr_uint32_t)len, memory_order_relaxed);
    atomic_store_explicit(&at->since_us, now_us, memory_order_relaxed);
    atomic_store_explicit(&at->held, 1, memory_order_release);
}

void etcl_ledger_end(etcl_ledger_t *ledger, int line)
{
    if (ledger && line < ETCL_LEDGER_LINES) {
        atomic_store_explicit(&ledger->lines[line].held, 0,
                              memory_order_release);
    }
}

int etcl_ledger_read(const etcl_ledger_t *ledger, int line, etcl_held_t *out)
{
    const line_t *at;
    apr_size_t len;

    if (!ledger || line < 0 || line >= ETCL_LEDGER_LINES) {
        return 0;
    }
    at = &ledger->lines[line];
    if (!atomic_load_explicit(&at->held, memory_order_acquire)) {
        return 0;
    }
    len = atomic_load_explicit(&at->len, memory_order_relaxed);
    out->since_us = atomic_load_explicit(&at->since_us, memory_order_relaxed);
    out->len = len < ETCL_LEDGER_TEXT ? len : ETCL_LEDGER_TEXT;
    memcpy(out->text, at->text, out->len);
    return 1;
}

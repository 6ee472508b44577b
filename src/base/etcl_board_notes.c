/* Notes are taken and dropped under the board's lock, written and read without
 * it: a reader sees a note's time before and after its text, and believes
 * neither when they differ. */

#include "etcl_board_memory.h"
#include "etcl_clock.h"

int etcl_board_notes_count(const etcl_board_shape_t *shape)
{
    apr_int64_t all = (apr_int64_t)shape->slots * shape->threads;

    return all < ETCL_BOARD_NOTES_MAX ? (int)all : ETCL_BOARD_NOTES_MAX;
}

int etcl_board_notes_take(etcl_board_t *board, int child)
{
    int note;

    if (!board->notes_free) {
        return -1;
    }
    note = board->free_notes[--board->notes_free];
    board->notes[note].holder = child + 1;
    return note;
}

void etcl_board_notes_drop(etcl_board_t *board, int note)
{
    if (note >= 0) {
        atomic_store_explicit(&board->notes[note].since_us, 0,
                              memory_order_relaxed);
        board->notes[note].holder = 0;
        board->free_notes[board->notes_free++] = note;
    }
}

static int is_held(const etcl_board_t *board, const etcl_board_note_t *note)
{
    return note->holder > 0 && note->holder <= board->shape.children &&
           board->pids[note->holder - 1];
}

void etcl_board_notes_repair(etcl_board_t *board)
{
    int i;

    board->notes_free = 0;
    for (i = board->note_count - 1; i >= 0; i--) {
        if (!is_held(board, &board->notes[i])) {
            etcl_board_notes_drop(board, i);
        }
    }
}

static apr_size_t put(char *text, apr_size_t at, etcl_span_t bytes)
{
    apr_size_t i;

    for (i = 0; i < bytes.len && at < ETCL_BOARD_TEXT; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];

        text[at++] = (char)(byte < ' ' || byte == 0x7f ? '?' : byte);
    }
    return at;
}

/* A time of 0 says that the text is being written. */
void etcl_board_notes_write(etcl_board_t *board, const etcl_lease_t *lease,
                            etcl_span_t method, etcl_span_t path)
{
    apr_uint64_t words[ETCL_BOARD_TEXT / 8];
    char text[ETCL_BOARD_TEXT];
    etcl_board_note_t *note;
    apr_size_t len, i;

    if (lease->note < 0) {
        return;
    }
    note = &board->notes[lease->note];
    len = put(text, put(text, put(text, 0, method), ETCL_SPAN(" ")), path);
    memset(text + len, 0, sizeof(text) - len);
    memcpy(words, text, sizeof(words));
    for (i = 0; i * 8 < len + 1 && i < ETCL_BOARD_TEXT / 8; i++) {
        atomic_store_explicit(&note->text[i], words[i], memory_order_relaxed);
    }
    atomic_store_explicit(&note->since_us, lease->since_us,
                          memory_order_release);
}

static void copy_text(const etcl_board_note_t *note, char *out)
{
    apr_uint64_t word;
    apr_size_t i;

    for (i = 0; i < ETCL_BOARD_TEXT / 8; i++) {
        word = atomic_load_explicit(&note->text[i], memory_order_relaxed);
        memcpy(out + i * 8, &word, sizeof(word));
    }
    out[ETCL_BOARD_TEXT] = 0;
}

void etcl_board_notes_slowest(const etcl_board_t *board,
                              etcl_board_state_t *out)
{
    const etcl_board_note_t *slowest = NULL;
    apr_int64_t since_us;
    int i;

    out->slowest_us = 0;
    out->slowest[0] = 0;
    for (i = 0; i < board->note_count; i++) {
        since_us = atomic_load_explicit(&board->notes[i].since_us,
                                        memory_order_acquire);
        if (since_us && (!slowest || since_us < out->slowest_us)) {
            slowest = &board->notes[i];
            out->slowest_us = since_us;
        }
    }
    if (slowest) {
        copy_text(slowest, out->slowest);
        atomic_thread_fence(memory_order_acquire);
        since_us =
            atomic_load_explicit(&slowest->since_us, memory_order_relaxed);
        out->slowest[since_us == out->slowest_us ? ETCL_BOARD_TEXT : 0] = 0;
    }
}

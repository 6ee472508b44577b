/* What the leases of a board are for: a line of text for each call in flight,
 * so that a log can name the one that has been running longest. */

#ifndef ETCL_BOARD_NOTES_H
#define ETCL_BOARD_NOTES_H

#include "etcl_board.h"

/* Calls above this number go without a note. */
#define ETCL_BOARD_NOTES_MAX 1024

/**
 * Say what a lease is for: text such as "GET /path", cut at ETCL_BOARD_TEXT
 * bytes, control characters replaced.
 *
 * Context  the thread that holds the lease; takes no lock
 */
void etcl_board_notes_write(etcl_board_t *board, const etcl_lease_t *lease,
                            etcl_span_t method, etcl_span_t path);

/** How many notes a board of that shape has. */
int etcl_board_notes_count(const etcl_board_shape_t *shape);

/*
 * For the other rooms of the board. Context: under its lock.
 */

/** A note for a child; its number, or -1: there is none. */
int etcl_board_notes_take(etcl_board_t *board, int child);
void etcl_board_notes_drop(etcl_board_t *board, int note);

/** Free the notes of seats that nobody has. */
void etcl_board_notes_repair(etcl_board_t *board);

/** Fill in the slowest call: the text is empty when none is known. */
void etcl_board_notes_slowest(const etcl_board_t *board,
                              etcl_board_state_t *out);

#endif

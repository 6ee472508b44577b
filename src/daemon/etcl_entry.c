/* Cuts a text into entries and sends each at once. It never waits: what does
 * not go over the link goes to the group's log. */

#include "etcl_entry.h"
#include "etcl_journal.h"
#include "etcl_message.h"
#include "etcl_reply.h"

#include <string.h>

#define PIECE_MAX 16384 /* a longer text is cut into several entries */

/* The longest beginning of a text that is one entry: whole lines if any. */
static etcl_span_t first_piece(etcl_span_t text)
{
    const char *line;

    if (text.len > PIECE_MAX) {
        text.len = PIECE_MAX;
        line = memrchr(text.ptr, '\n', text.len);
        text.len = line ? (apr_size_t)(line - text.ptr) + 1 : text.len;
    }
    return text;
}

/* An entry leaves at once, so that it is told even when the next thing that
 * happens is a crash. What the socket does not take now stays held. */
static void log_piece(etcl_outbox_t *box, etcl_level_t level, etcl_span_t text)
{
    apr_status_t rv = box->broken;

    etcl_outbox_stay(box);
    if (rv == APR_SUCCESS) {
        rv = etcl_log_encode(level, text, &box->out);
    }
    if (rv != APR_SUCCESS || etcl_outbox_try(box) == ETCL_EGONE) {
        etcl_journal_text(level, text);
    }
}

void etcl_entry_log(etcl_exchange_t *x, etcl_level_t level, etcl_span_t text)
{
    etcl_reply_t *reply = (etcl_reply_t *)x;
    etcl_span_t piece;

    do {
        piece = first_piece(text);
        log_piece(&reply->box, level, piece);
        text.ptr += piece.len;
        text.len -= piece.len;
    } while (text.len);
}

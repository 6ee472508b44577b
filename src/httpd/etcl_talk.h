/* One call on one link, from CALL to END. */

#ifndef ETCL_TALK_H
#define ETCL_TALK_H

#include "etcl_body.h"
#include "etcl_desk.h"
#include "etcl_emit.h"
#include "etcl_links.h"
#include "etcl_sluice.h"

/* How a conversation ended. */
typedef enum {
    ETCL_TALK_DONE,    /* `status` says what to return */
    ETCL_TALK_UNBEGUN, /* the worker has not begun it: ask another */
    ETCL_TALK_LOST     /* the worker went before the head: perhaps begun */
} etcl_talk_end_t;

typedef struct {
    request_rec *r;
    etcl_live_t *live;
    etcl_desk_t *desk;
    etcl_kept_t *kept;
    etcl_body_t *body;
    etcl_emit_t *emit;
    etcl_sluice_t *sluice; /* what the client does not take yet; or NULL */
    apr_uint32_t pid;      /* of the worker, for messages */
    apr_size_t inline_at;  /* where in desk->call the body begins that was */
    int has_inline;        /* there when the call was made; the whole body */
    int body_sent;         /* LAST or BROKEN has been sent */
    int pulled;            /* bytes of the body were asked for */
    apr_size_t held;       /* bytes of desk->in that wait to be passed on */
    int is_clean;          /* the link may be kept */
    int has_ended;         /* END came: etcl_talk_finish */
    int status;
} etcl_talk_t;

/** Send the call and see it through: the worker is free afterwards. */
etcl_talk_end_t etcl_talk_run(etcl_talk_t *talk);

/**
 * After each etcl_talk_run: pass on the last part of an answer, which still
 * lies in the desk or in the link's window. The lease is given back before, so
 * that the worker takes the next call while this one is on its way to the
 * client; and so is the link, unless it is needed.
 */
void etcl_talk_finish(etcl_talk_t *talk);

/** Whether etcl_talk_finish needs the link, for what lies in its window. */
int etcl_talk_needs_link(const etcl_talk_t *talk);

#endif

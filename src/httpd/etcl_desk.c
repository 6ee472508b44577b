/* A stack of desks: the one that was used last is used next, so that its
 * memory is in the processor's caches. There are never more than requests at
 * the same time. */

#include "etcl_desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CALL_KEEP (64 * 1024)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static etcl_desk_t *idle;

static etcl_desk_t *make_desk(void)
{
    etcl_desk_t *desk = malloc(sizeof *desk);

    if (desk) {
        etcl_buffer_init(&desk->call, ETCL_CALL_MAX);
        etcl_buffer_init(&desk->head, ETCL_HEAD_MAX);
        etcl_decoder_init(&desk->decoder);
    }
    return desk;
}

etcl_desk_t *etcl_desk_borrow(void)
{
    etcl_desk_t *desk;

    pthread_mutex_lock(&mutex);
    desk = idle;
    if (desk) {
        idle = desk->next;
    }
    pthread_mutex_unlock(&mutex);
    return desk ? desk : make_desk();
}

void etcl_desk_wipe(etcl_desk_t *desk)
{
    if (desk->call.len) {
        explicit_bzero(desk->call.ptr, desk->call.len);
    }
    explicit_bzero(desk->out, sizeof desk->out);
}

void etcl_desk_give_back(etcl_desk_t *desk)
{
    etcl_buffer_clear(&desk->call, CALL_KEEP);
    etcl_buffer_clear(&desk->head, 0);
    pthread_mutex_lock(&mutex);
    desk->next = idle;
    idle = desk;
    pthread_mutex_unlock(&mutex);
}

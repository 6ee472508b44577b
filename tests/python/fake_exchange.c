/* The recording exchange. It judges nothing. */

#include "fake_exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define RECORDING_MAX (1u << 30)

static fake_exchange_t *enter(etcl_exchange_t *x, char event)
{
    fake_exchange_t *fake = (fake_exchange_t *)x;

    fake->races += __atomic_fetch_add(&fake->inside, 1, __ATOMIC_SEQ_CST) > 0;
    if (fake->event_count < FAKE_EVENTS) {
        fake->events[fake->event_count++] = event;
    }
    return fake;
}

static apr_status_t leave(fake_exchange_t *fake, apr_status_t rv)
{
    __atomic_fetch_sub(&fake->inside, 1, __ATOMIC_SEQ_CST);
    return rv;
}

static apr_status_t fake_read(etcl_exchange_t *x, char *into, apr_size_t max,
                              int whole, apr_size_t *got)
{
    fake_exchange_t *fake = enter(x, 'r');
    apr_size_t left = fake->body_len - fake->body_at;

    fake->reads++;
    if (fake->read_us) {
        apr_sleep(fake->read_us);
    }
    if (!whole && fake->piece && max > fake->piece) {
        max = fake->piece;
    }
    *got = left < max ? left : max;
    if (*got) {
        memcpy(into, fake->body + fake->body_at, *got);
    }
    fake->body_at += *got;
    if (!*got || (whole && *got < max)) {
        return leave(fake, fake->body_end);
    }
    return leave(fake, APR_SUCCESS);
}

static void add(etcl_buffer_t *to, etcl_span_t text)
{
    if (text.len) {
        etcl_buffer_add(to, text);
    }
}

static apr_status_t fake_begin(etcl_exchange_t *x, const etcl_head_t *head)
{
    fake_exchange_t *fake = enter(x, 'b');
    char status[32];
    apr_size_t i;

    snprintf(status, sizeof(status), "%d ", head->status);
    add(&fake->head, etcl_span(status));
    add(&fake->head, head->reason);
    add(&fake->head, ETCL_SPAN("\n"));
    for (i = 0; i < head->header_count; i++) {
        add(&fake->head, head->headers[i].name);
        add(&fake->head, ETCL_SPAN(": "));
        add(&fake->head, head->headers[i].value);
        add(&fake->head, ETCL_SPAN("\n"));
    }
    fake->content_length = head->content_length;
    fake->begins++;
    return leave(fake, fake->begin_error);
}

static apr_status_t fake_write(etcl_exchange_t *x, etcl_span_t block,
                               unsigned int how)
{
    fake_exchange_t *fake = enter(x, 'w');

    if ((how & ETCL_WRITE_NOWAIT) && fake->busy_writes > 0) {
        fake->busy_writes--;
        fake->event_count--;
        return leave(fake, APR_EAGAIN);
    }
    if (fake->gone_after >= 0 &&
        (apr_int64_t)(fake->sent.len + block.len) > fake->gone_after) {
        return leave(fake, fake->write_error);
    }
    add(&fake->sent, block);
    fake->writes++;
    fake->holds += how & ETCL_WRITE_HOLD ? 1 : 0;
    return leave(fake, APR_SUCCESS);
}

static apr_status_t fake_send_file(etcl_exchange_t *x, int fd,
                                   apr_int64_t offset, apr_int64_t len)
{
    fake_exchange_t *fake = enter(x, 'f');
    char *room;

    fake->files++;
    if (fake->gone_after >= 0) {
        return leave(fake, fake->write_error);
    }
    if (etcl_buffer_room(&fake->sent, (apr_size_t)len, &room)) {
        return leave(fake, APR_ENOMEM);
    }
    if (pread(fd, room, (size_t)len, offset) != len) {
        return leave(fake, APR_EGENERAL);
    }
    fake->sent.len += (apr_size_t)len;
    return leave(fake, APR_SUCCESS);
}

static int fake_gone(etcl_exchange_t *x)
{
    return ((fake_exchange_t *)x)->gone_after >= 0;
}

static void fake_log(etcl_exchange_t *x, etcl_level_t level, etcl_span_t text)
{
    fake_exchange_t *fake = (fake_exchange_t *)x;
    char number[8];

    fake->races += __atomic_fetch_add(&fake->inside, 1, __ATOMIC_SEQ_CST) > 0;
    snprintf(number, sizeof(number), "%d ", level);
    add(&fake->log, etcl_span(number));
    add(&fake->log, text);
    add(&fake->log, ETCL_SPAN("\n"));
    leave(fake, APR_SUCCESS);
}

static const etcl_exchange_ops_t ops = {
    .read = fake_read,
    .begin = fake_begin,
    .write = fake_write,
    .send_file = fake_send_file,
    .gone = fake_gone,
    .log = fake_log,
};

void fake_exchange_init(fake_exchange_t *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->base.ops = &ops;
    fake->body_end = APR_EOF;
    fake->gone_after = -1;
    fake->write_error = ETCL_EGONE;
    fake->content_length = -2;
    etcl_buffer_init(&fake->sent, RECORDING_MAX);
    etcl_buffer_init(&fake->log, RECORDING_MAX);
    etcl_buffer_init(&fake->head, RECORDING_MAX);
}

void fake_exchange_done(fake_exchange_t *fake)
{
    etcl_buffer_done(&fake->sent);
    etcl_buffer_done(&fake->log);
    etcl_buffer_done(&fake->head);
}

const char *fake_exchange_text(etcl_buffer_t *recording)
{
    if (etcl_buffer_add(recording, (etcl_span_t){ "", 1 })) {
        return "";
    }
    recording->len--;
    return recording->ptr;
}

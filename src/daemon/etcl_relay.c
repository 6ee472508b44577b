/* Says when pipes are read and when they are over. What becomes of their bytes
 * is etcl_output.c's. */

#include "etcl_relay.h"
#include "etcl_daemon.h"

static void pump(void *self, int unused)
{
    etcl_output_t **output = self;

    if (*output && etcl_output_pump(*output, ETCL_FD_LOG) == APR_EOF) {
        etcl_output_destroy(*output, ETCL_FD_LOG);
        *output = NULL;
    }
}

static void watch(etcl_output_t **output, etcl_polls_t *polls)
{
    if (*output) {
        etcl_polls_add(polls, (*output)->fd,
                       (etcl_polls_who_t){ .take = pump, .self = output });
    }
}

void etcl_relay_watch(etcl_member_t *member, etcl_polls_t *polls)
{
    if (member->pid) {
        watch(&member->log, polls);
        watch(&member->out, polls);
        watch(&member->err, polls);
    }
}

void etcl_relay_watch_orphans(etcl_relay_t *relay, etcl_polls_t *polls)
{
    int i;

    for (i = 0; i < ETCL_RELAY_ORPHANS; i++) {
        watch(&relay->orphan[i], polls);
    }
}

static void keep(etcl_relay_t *relay, etcl_output_t *output)
{
    int i, last = ETCL_RELAY_ORPHANS - 1;

    for (i = 0; i < last && relay->orphan[i]; i++) {
    }
    if (relay->orphan[i]) {
        etcl_output_destroy(relay->orphan[0], ETCL_FD_LOG);
        for (i = 0; i < last; i++) {
            relay->orphan[i] = relay->orphan[i + 1];
        }
    }
    relay->orphan[i] = output;
}

static void drain(etcl_relay_t *relay, etcl_output_t **output)
{
    pump(output, 0);
    if (*output) {
        keep(relay, *output);
        *output = NULL;
    }
}

void etcl_relay_drain(etcl_relay_t *relay, etcl_member_t *member)
{
    drain(relay, &member->log);
    drain(relay, &member->out);
    drain(relay, &member->err);
}

/* The lines about a worker that is gone. What the worker itself left behind
 * in its ledger may be anything: it is bounded and escaped here. */

#include "etcl_obituary.h"
#include "etcl_journal.h"
#include "etcl_text.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#define MIB (1024.0 * 1024.0)

/* A text that grows at its end and never beyond. */
typedef struct {
    char *text;
    apr_size_t len;
} writer_t;

static void add(writer_t *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(writer_t *out, const char *format, ...)
{
    apr_size_t room = ETCL_OBITUARY_MAX - out->len;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(out->text + out->len, room, format, args);
    va_end(args);
    if (len > 0) {
        out->len += (apr_size_t)len < room ? (apr_size_t)len : room - 1;
    }
}

/* A time that a worker wrote is no earlier than the worker. */
static double seconds_since(apr_int64_t since_us, const etcl_obituary_t *of)
{
    if (since_us < of->forked_us || since_us > of->now_us) {
        since_us = of->forked_us;
    }
    return (double)(of->now_us - since_us) / 1e6;
}

#define ESCAPED (4 * ETCL_LEDGER_TEXT)

static void add_request(writer_t *out, const etcl_held_t *held,
                        const etcl_obituary_t *of, const char *before)
{
    char text[ESCAPED];
    apr_size_t len = etcl_text_escape((etcl_span_t){ held->text, held->len },
                                      text, sizeof(text));

    add(out, "%s%.*s (%.1f s)", before, (int)len, text,
        seconds_since(held->since_us, of));
}

static void add_held(writer_t *out, const etcl_obituary_t *of)
{
    etcl_held_t held;
    int line, count = 0;

    for (line = 0; line < ETCL_LEDGER_LINES; line++) {
        if (!etcl_ledger_read(of->ledger, line, &held)) {
            continue;
        }
        if (count++ < ETCL_OBITUARY_NAMED) {
            add_request(out, &held, of, count == 1 ? "; it held " : ", ");
        }
    }
    if (count > ETCL_OBITUARY_NAMED) {
        add(out, " and %d more", count - ETCL_OBITUARY_NAMED);
    } else if (!count && of->ledger) {
        add(out,
            of->starting ? "; it was still loading" : "; it held no request");
    }
}

apr_size_t etcl_obituary_facts(const etcl_obituary_t *of,
                               char text[ETCL_OBITUARY_MAX])
{
    writer_t out = { text, 0 };

    add(&out, "; age %.1f s, %" APR_UINT64_T_FMT " requests answered",
        seconds_since(of->forked_us, of), of->requests);
    if (of->resident) {
        add(&out, ", %.1f MiB resident", (double)of->resident / MIB);
    }
    add_held(&out, of);
    return out.len;
}

void etcl_obituary_late(const etcl_obituary_t *of, apr_int64_t startup_us)
{
    char facts[ETCL_OBITUARY_MAX];

    etcl_obituary_facts(of, facts);
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0261: worker %d of group %s (pid %ld) was not ready "
                     "within startup-timeout, %d s, and was killed by its "
                     "supervisor%s",
                     of->slot, of->group, of->pid, (int)(startup_us / 1000000),
                     facts);
}

void etcl_obituary_still(const etcl_obituary_t *of, apr_int64_t still_us)
{
    char facts[ETCL_OBITUARY_MAX];

    etcl_obituary_facts(of, facts);
    if (of->starting) {
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0380: worker %d of group %s (pid %ld) stood "
                         "still for %d s before it was ready and was killed "
                         "by its supervisor; another one is started%s",
                         of->slot, of->group, of->pid,
                         (int)(still_us / 1000000), facts);
        return;
    }
    etcl_journal_say(ETCL_LOG_WARNING,
                     "ETCL0293: worker %d of group %s (pid %ld) has a "
                     "successor, stood still for %d s and was killed by its "
                     "supervisor%s",
                     of->slot, of->group, of->pid, (int)(still_us / 1000000),
                     facts);
}

void etcl_obituary_overdue(const etcl_obituary_t *of)
{
    char facts[ETCL_OBITUARY_MAX];

    etcl_obituary_facts(of, facts);
    etcl_journal_say(ETCL_LOG_WARNING,
                     "ETCL0233: worker %d of group %s (pid %ld) did not end "
                     "in time and was killed by its supervisor: it was told "
                     "to end %.1f s before (%s)%s",
                     of->slot, of->group, of->pid,
                     seconds_since(of->told_us, of), etcl_note_why(of->why),
                     facts);
}

/* SIGKILL does not say who sent it. The supervisor knows that it did not, and
 * the kernel counts its own. */
static const char *suspect(int number, etcl_killed_t oom)
{
    static const char *const words[] = {
        [ETCL_KILLED_UNKNOWN] = "; somebody killed it, or the machine ran out "
                                "of memory: see the kernel's log",
        [ETCL_KILLED_NOBODY] = "; somebody killed it: the kernel counted no "
                               "out-of-memory kill",
        [ETCL_KILLED_HERE] = "; out of memory: the kernel counted an "
                             "out-of-memory kill in its control group",
        [ETCL_KILLED_SOMEBODY] = "; probably out of memory: the kernel "
                                 "counted an out-of-memory kill",
    };

    return number == SIGKILL ? words[oom] : "";
}

void etcl_obituary_died(const etcl_obituary_t *of, int status)
{
    const char *ending = of->told_us ? " while it was ending" : "", *name;
    char facts[ETCL_OBITUARY_MAX];
    int number;

    etcl_obituary_facts(of, facts);
    if (!WIFSIGNALED(status)) {
        etcl_journal_say(ETCL_LOG_ERR,
                         "ETCL0232: worker %d of group %s (pid %ld) ended by "
                         "itself%s with exit status %d%s",
                         of->slot, of->group, of->pid, ending,
                         WEXITSTATUS(status), facts);
        return;
    }
    number = WTERMSIG(status);
    name = sigabbrev_np(number);
    etcl_journal_say(ETCL_LOG_ERR,
                     "ETCL0231: worker %d of group %s (pid %ld) died%s: "
                     "signal %d (SIG%s)%s%s%s",
                     of->slot, of->group, of->pid, ending, number,
                     name ? name : "?",
                     WCOREDUMP(status) ? ", core dumped" : "",
                     suspect(number, of->oom), facts);
}

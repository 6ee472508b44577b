/* Writes the scoreboard as JSON, which Python reads by itself. Strings in it
 * come from clients, and may be half written while they are read: every byte
 * that is not plain ASCII is escaped, and the ends of fields are kept. */

#include "etcl_scoreboard.h"

#include <ap_mpm.h>
#include <scoreboard.h>
#include <stdarg.h>

typedef struct {
    char *into;
    apr_size_t max;
    apr_size_t len; /* of the whole text, also of what did not fit */
} text_t;

static void add_char(text_t *text, char c)
{
    if (text->len < text->max) {
        text->into[text->len] = c;
    }
    text->len++;
}

static void add(text_t *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(text_t *text, const char *format, ...)
{
    char piece[512];
    const char *at;
    va_list args;

    va_start(args, format);
    apr_vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    for (at = piece; *at; ++at) {
        add_char(text, *at);
    }
}

static void add_text(text_t *text, const char *name, const char *value,
                     apr_size_t size)
{
    apr_size_t i;

    add(text, "\"%s\":\"", name);
    for (i = 0; i < size && value[i]; ++i) {
        unsigned char c = (unsigned char)value[i];

        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
            add(text, "\\u%04x", c);
        } else {
            add_char(text, (char)c);
        }
    }
    add(text, "\",");
}

static double seconds(apr_time_t time)
{
    return (double)time / APR_USEC_PER_SEC;
}

static char letter_of(int status)
{
    static const char letters[] = ".S_RWKLDCGI";

    return status >= 0 && status < (int)sizeof(letters) - 1 ? letters[status]
                                                            : '?';
}

static void add_worker(text_t *text, const worker_score *worker)
{
    add(text, "{\"thread_num\":%d,\"generation\":%d,\"status\":\"%c\",",
        worker->thread_num, (int)worker->generation, letter_of(worker->status));
    add(text,
        "\"access_count\":%lu,\"bytes_served\":%" APR_OFF_T_FMT
        ",\"start_time\":%.6f,\"stop_time\":%.6f,\"last_used\":%.6f,",
        worker->access_count, worker->bytes_served, seconds(worker->start_time),
        seconds(worker->stop_time), seconds(worker->last_used));
    add_text(text, "client", worker->client64, sizeof(worker->client64));
    add_text(text, "request", worker->request, sizeof(worker->request));
    add_text(text, "vhost", worker->vhost, sizeof(worker->vhost));
    text->len--;
    add_char(text, '}');
}

static void add_process(text_t *text, int number, int threads)
{
    const process_score *process = ap_get_scoreboard_process(number);
    worker_score worker;
    int i;

    add(text, "{\"process_num\":%d,\"pid\":%ld,\"generation\":%d,", number,
        (long)process->pid, (int)process->generation);
    add(text, "\"quiescing\":%s,\"workers\":[",
        process->quiescing ? "true" : "false");
    for (i = 0; i < threads; ++i) {
        ap_copy_scoreboard_worker(&worker, number, i);
        if (i) {
            add_char(text, ',');
        }
        add_worker(text, &worker);
    }
    add(text, "]}");
}

apr_size_t etcl_scoreboard_write(char *into, apr_size_t max)
{
    text_t text = { into, max, 0 };
    const global_score *global =
        ap_exists_scoreboard_image() ? ap_get_scoreboard_global() : NULL;
    int i;

    if (!global) {
        return 0;
    }
    add(&text, "{\"server_limit\":%d,\"thread_limit\":%d,",
        global->server_limit, global->thread_limit);
    add(&text,
        "\"running_generation\":%d,\"restart_time\":%.6f,"
        "\"running_time\":%.6f,\"processes\":[",
        (int)global->running_generation, seconds(global->restart_time),
        seconds(apr_time_now() - global->restart_time));
    for (i = 0; i < global->server_limit; ++i) {
        if (i) {
            add_char(&text, ',');
        }
        add_process(&text, i, global->thread_limit);
    }
    add(&text, "]}");
    return text.len;
}

/* Turns the bytes of a pipe into log lines. It knows nothing of processes:
 * the supervisor says when to read and when it is over. */

#include "etcl_output.h"
#include "etcl_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PUMP_MAX 16 /* pieces in one go, so that others get their turn */
#define PIECE 4096

etcl_output_t *etcl_output_create(etcl_level_t level, int *write_fd)
{
    etcl_output_t *output = calloc(1, sizeof(*output));
    int fds[2];

    if (!output || pipe2(fds, O_CLOEXEC)) {
        free(output);
        return NULL;
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    output->fd = fds[0];
    output->level = level;
    *write_fd = fds[1];
    return output;
}

etcl_output_t *etcl_output_journal(int *write_fd)
{
    etcl_output_t *output = etcl_output_create(ETCL_LOG_NOTICE, write_fd);

    if (output) {
        output->is_journal = 1;
    }
    return output;
}

static void write_all(int fd, const char *bytes, apr_size_t len)
{
    ssize_t written;

    do {
        written = write(fd, bytes, len);
    } while (written < 0 && errno == EINTR);
}

/* Application output has no level that could be filtered: it always appears. */
static void write_line(etcl_output_t *output, int log_fd)
{
    char line[ETCL_LOGLINE_MAX];
    etcl_span_t text = { output->line, output->len };
    apr_size_t len;

    if (output->is_journal) {
        output->line[output->len++] = '\n';
        write_all(log_fd, output->line, output->len);
    } else {
        len = etcl_logline_format(output->level, etcl_clock_wall_us(),
                                  output->pid, output->pid, text, line);
        write_all(log_fd, line, len);
    }
    output->len = 0;
}

static void take_byte(etcl_output_t *output, int log_fd, char byte)
{
    if (byte == '\n') {
        write_line(output, log_fd);
        return;
    }
    if (output->len ==
        (output->is_journal ? ETCL_LOGLINE_MAX - 1 : ETCL_OUTPUT_LINE_MAX)) {
        write_line(output, log_fd);
    }
    output->line[output->len++] = byte;
}

apr_status_t etcl_output_pump(etcl_output_t *output, int log_fd)
{
    char piece[PIECE];
    ssize_t got, i;
    int count;

    for (count = 0; count < PUMP_MAX; count++) {
        got = read(output->fd, piece, sizeof(piece));
        if (!got) {
            return APR_EOF;
        }
        if (got < 0) {
            return errno == EINTR ? APR_SUCCESS : APR_EAGAIN;
        }
        for (i = 0; i < got; i++) {
            take_byte(output, log_fd, piece[i]);
        }
    }
    return APR_SUCCESS;
}

void etcl_output_destroy(etcl_output_t *output, int log_fd)
{
    if (!output) {
        return;
    }
    if (output->len) {
        write_line(output, log_fd);
    }
    close(output->fd);
    free(output);
}

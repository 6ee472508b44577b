/* The C half of streams.py: one write of text by the application. During a
 * request the lines of the calling thread are entries of the request's log; a
 * line waits for its end. It formats and escapes nothing. */

#include "etcl_stream.h"

#include "etcl_outside.h"
#include "etcl_say.h"
#include "etcl_start.h"
#include "etcl_threads.h"

#include <errno.h>
#include <unistd.h>

static void say_line(etcl_turn_t *turn, etcl_span_t line)
{
    etcl_say_text(turn, ETCL_LOG_ERR, line);
}

/* Text behind what the stream holds already; a line that grows beyond all
 * measure is written in pieces. */
static void hold(etcl_turn_t *turn, etcl_buffer_t *line, etcl_span_t text)
{
    apr_size_t part;

    while (text.len) {
        part = line->max - line->len;
        part = part < text.len ? part : text.len;
        if (etcl_buffer_add(line, (etcl_span_t){ text.ptr, part })) {
            say_line(turn, text);
            return;
        }
        if (line->len == line->max) {
            say_line(turn, (etcl_span_t){ line->ptr, line->len });
            line->len = 0;
        }
        text.ptr += part;
        text.len -= part;
    }
}

static void say_lines(etcl_turn_t *turn, etcl_buffer_t *line, etcl_span_t text)
{
    const char *end;

    while (text.len && (end = memchr(text.ptr, '\n', text.len))) {
        apr_size_t len = (apr_size_t)(end - text.ptr);

        if (line->len) {
            hold(turn, line, (etcl_span_t){ text.ptr, len });
            say_line(turn, (etcl_span_t){ line->ptr, line->len });
            etcl_buffer_clear(line, 0);
        } else {
            say_line(turn, (etcl_span_t){ text.ptr, len });
        }
        text.ptr += len + 1;
        text.len -= len + 1;
    }
    hold(turn, line, text);
}

/* Outside any request. In an Apache child fd 1 leads nowhere. */
static int write_out(int fd, etcl_span_t text)
{
    etcl_turn_t *turn;

    if (*etcl_start_config()->process_group) {
        return etcl_outside_put(fd, text);
    }
    turn = etcl_threads_turn();
    if (!turn) {
        return ENOMEM;
    }
    say_lines(NULL, &turn->lines[fd == 2], text);
    return 0;
}

static PyObject *write_stream(PyObject *module, PyObject *args)
{
    etcl_turn_t *turn = etcl_threads_current();
    Py_buffer data;
    etcl_span_t text;
    int fd, rv = 0;

    (void)module;
    if (!PyArg_ParseTuple(args, "iy*:write", &fd, &data)) {
        return NULL;
    }
    text = (etcl_span_t){ data.buf, (apr_size_t)data.len };
    if (turn) {
        say_lines(turn, &turn->lines[fd == 2], text);
    } else {
        rv = write_out(fd, text);
    }
    PyBuffer_Release(&data);
    if (rv) {
        errno = rv;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromSize_t(text.len);
}

/* say(level, text): a line of the bridge's own Python files. */
static PyObject *say(PyObject *module, PyObject *args)
{
    const char *text;
    Py_ssize_t len;
    int level;

    (void)module;
    if (!PyArg_ParseTuple(args, "iy#:say", &level, &text, &len)) {
        return NULL;
    }
    etcl_say_text(etcl_threads_current(), (etcl_level_t)level,
                  (etcl_span_t){ text, (apr_size_t)len });
    Py_RETURN_NONE;
}

PyMethodDef etcl_stream_methods[] = {
    { "write", write_stream, METH_VARARGS, NULL },
    { "say", say, METH_VARARGS, NULL },
    { NULL, NULL, 0, NULL },
};

void etcl_stream_finish(etcl_turn_t *turn)
{
    int i;

    for (i = 0; i < ETCL_TURN_STREAMS; i++) {
        if (turn->lines[i].len) {
            say_line(turn,
                     (etcl_span_t){ turn->lines[i].ptr, turn->lines[i].len });
            etcl_buffer_clear(&turn->lines[i], 0);
        }
    }
}

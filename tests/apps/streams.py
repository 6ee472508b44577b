"""Blocks and when they leave; write(); exc_info; lengths that do not hold."""

import sys
import time

from routing import by_path, query, text

PLAIN = [("Content-Type", "text/plain")]


def slowly(environ, start_response):
    """Three blocks, a pause between them: none may be held back."""
    pause = float(query(environ).get("pause", "0.5"))
    start_response("200 OK", PLAIN)
    for block in (b"one\n", b"two\n", b"three\n"):
        yield block
        time.sleep(pause)


def header(environ, start_response):
    """One header as long as asked for."""
    long = ("X-Long", "x" * int(query(environ)["count"]))
    start_response("200 OK", [*PLAIN, long])
    return [b"done\n"]


def write_slowly(environ, start_response):
    pause = float(query(environ).get("pause", "0.5"))
    write = start_response("200 OK", PLAIN)
    for block in (b"one\n", b"two\n"):
        write(block)
        time.sleep(pause)
    return [b"three\n"]


def write_wrong(environ, start_response):
    write = start_response("200 OK", PLAIN)
    refused = []
    for wrong in ("text", None, 7, bytearray(b"x"), [b"x"]):
        try:
            write(wrong)
        except TypeError:
            refused.append(type(wrong).__name__)
    return [" ".join(refused).encode()]


def head_waits(environ, start_response):
    """Empty blocks do not send the headers; these may still be replaced."""
    start_response("200 OK", [("X-First", "yes")])
    yield b""
    yield b""
    try:
        raise ValueError("changed my mind")
    except ValueError:
        start_response("404 Not Found", [("X-Second", "yes")],
                       sys.exc_info())
    yield b"replaced"


def replaced(environ, start_response):
    start_response("200 OK", [("X-First", "yes")])
    try:
        raise ValueError("before output")
    except ValueError:
        return text(lambda status, headers: start_response(
            status, headers, sys.exc_info()), "oops", "500 Oops")


def too_late(environ, start_response):
    """exc_info after output: the exception given must come out again."""
    start_response("200 OK", PLAIN)
    yield b"started\n"
    try:
        raise KeyError("too late")
    except KeyError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    yield b"never"


def empty_then_nothing(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b""


def endless(environ, start_response):
    """An iterable without an end, but with a Content-Length."""
    start_response("200 OK", [("Content-Length", "10")])
    try:
        while True:
            yield b"1234567890"
    finally:
        environ["wsgi.errors"].write("endless was closed\n")


def large(environ, start_response):
    """`size` bytes in blocks of `block`: a download of any length."""
    asked = query(environ)
    left, block = int(asked["size"]), int(asked.get("block", "65536"))
    start_response("200 OK", PLAIN + (
        [("Content-Length", asked["size"])] if "length" in asked else []))
    while left > 0:
        yield b"x" * min(left, block)
        left -= block


def one_block(environ, start_response):
    """`size` bytes at once."""
    size = int(query(environ)["size"])
    start_response("200 OK", [("Content-Length", str(size))])
    return [b"x" * size]


def line_ends(environ, start_response):
    return text(start_response, bytes(range(256)) + b"\n\r\n\r\r\n")


def forever(environ, start_response):
    """Streams until its client is gone."""
    start_response("200 OK", PLAIN)
    try:
        while True:
            yield b"x" * 1024
            time.sleep(0.01)
    finally:
        environ["wsgi.errors"].write("forever was closed\n")


application = by_path({
    "/slowly": slowly, "/write-slowly": write_slowly, "/header": header,
    "/write-wrong": write_wrong, "/head-waits": head_waits,
    "/replaced": replaced, "/too-late": too_late,
    "/empty": empty_then_nothing, "/endless": endless, "/large": large,
    "/one-block": one_block, "/line-ends": line_ends, "/forever": forever,
})

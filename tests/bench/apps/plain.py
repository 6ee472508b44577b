"""The plain workloads: one callable each, chosen by the path alone."""

import os
import time
from pathlib import Path

HELLO = b"Hello World!\n"
BODY_16K = b"x" * (16 << 10)
BODY_1M = b"x" * (1 << 20)
BLOCK = b"x" * 1024
PIECE = 64 << 10
FILE = Path(__file__).resolve().parent.parent / "htdocs/file"
# How often the loop below turns in 2 ms here; the driver measures it.
TURNS = int((Path(__file__).resolve().parent / "turns").read_text())


def answer(start_response, body):
    start_response("200 OK", [("Content-Type", "text/plain"),
                              ("Content-Length", str(len(body)))])
    return [body]


def hello(environ, start_response):
    return answer(start_response, HELLO)


def body_16k(environ, start_response):
    return answer(start_response, BODY_16K)


def body_1m(environ, start_response):
    return answer(start_response, BODY_1M)


def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (BLOCK for _ in range(64))


def post(environ, start_response):
    """Read everything in pieces; say how much it was."""
    read, count = environ["wsgi.input"].read, 0
    while piece := read(PIECE):
        count += len(piece)
    return answer(start_response, b"%d" % count)


def file(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream"),
                              ("Content-Length", str(os.stat(FILE).st_size))])
    return environ["wsgi.file_wrapper"](open(FILE, "rb"), PIECE)


def compute(environ, start_response):
    number = 1
    for _ in range(TURNS):
        number = number * 5 % 1000003
    return answer(start_response, HELLO)


def sleep(environ, start_response):
    time.sleep(0.05)
    return answer(start_response, HELLO)


PATHS = {"/hello": hello, "/16k": body_16k, "/1m": body_1m,
         "/stream": stream, "/post": post, "/file": file,
         "/compute": compute, "/sleep": sleep}


def application(environ, start_response):
    return PATHS[environ["PATH_INFO"]](environ, start_response)

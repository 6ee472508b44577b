"""A body of any size, given in every way there is: the same bytes each time,
and others for another `seed`."""

import random
import time
from pathlib import Path

from routing import by_path, query

PIECE = 7000
WORK = Path(__file__).resolve().parent.parent / "work"


def numbers(environ):
    asked = query(environ)
    seed, size = int(asked.get("seed", "1")), int(asked["size"])
    line = b"".join(b"%d:%07d\n" % (seed, number) for number in range(1000))
    return (line * (size // len(line) + 1))[:size]


def pieces(body):
    return [body[at:at + PIECE] for at in range(0, len(body), PIECE)]


def begin(start_response, body=None):
    length = [] if body is None else [("Content-Length", str(len(body)))]
    start_response("200 OK", [("Content-Type", "text/plain"), *length])


def as_bytes(environ, start_response):
    body = numbers(environ)
    begin(start_response, body)
    return [body]


def as_list(environ, start_response):
    begin(start_response)
    return pieces(numbers(environ))


def as_iterator(environ, start_response):
    """As frameworks do: one block of an iterator, with its length."""
    body = numbers(environ)
    begin(start_response, body)
    return iter([body])


def as_stream(environ, start_response):
    begin(start_response)
    return iter(pieces(numbers(environ)))


def as_measured_stream(environ, start_response):
    body = numbers(environ)
    begin(start_response, body)
    return iter(pieces(body))


def written(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    for piece in pieces(numbers(environ)):
        write(piece)
    return []


def noise(environ, start_response):
    """What no filter makes smaller."""
    asked = query(environ)
    seed = random.Random(int(asked.get("seed", "1")))
    begin(start_response)
    return iter(pieces(seed.randbytes(int(asked["size"]))))


def between(environ, start_response):
    """A body is read, and given back, when much has been given already."""
    begin(start_response)
    yield from pieces(numbers(environ))
    yield environ["wsgi.input"].read()


def breaks(environ, start_response):
    """Fails when all but the end has been given."""
    begin(start_response)
    yield from pieces(numbers(environ))
    raise RuntimeError("no end")


def as_large_blocks(environ, start_response):
    body = numbers(environ)
    begin(start_response)
    return (body[at:at + 300000] for at in range(0, len(body), 300000))


def as_file(environ, start_response):
    body = numbers(environ)
    path = WORK / environ["QUERY_STRING"]
    path.write_bytes(body)
    begin(start_response, body)
    return environ["wsgi.file_wrapper"](open(path, "rb"))


def slowly(environ, start_response):
    begin(start_response)
    yield b"first\n"
    time.sleep(1)
    yield b"second\n"


application = by_path({
    "/bytes": as_bytes, "/list": as_list, "/iterator": as_iterator,
    "/stream": as_stream, "/blocks": as_large_blocks, "/file": as_file,
    "/slowly": slowly, "/measured": as_measured_stream, "/breaks": breaks,
    "/write": written, "/noise": noise, "/between": between,
})

"""Readers of wsgi.input, one per path; the answer says what was read."""

import hashlib

from routing import as_json, by_path, query


def sized(stream, size):
    blocks = []
    while block := stream.read(size):
        blocks.append(block)
    return blocks


READERS = {
    "/read": lambda stream, n: sized(stream, n),
    "/all": lambda stream, n: [stream.read()],
    "/minus": lambda stream, n: [stream.read(-1)],
    "/none": lambda stream, n: [],
    "/once": lambda stream, n: [stream.read(n)],
    "/zero": lambda stream, n: [stream.read(0), stream.read()],
    "/readline": lambda stream, n: list(iter(stream.readline, b"")),
    "/readline-n": lambda stream, n: list(
        iter(lambda: stream.readline(n), b"")),
    "/readlines": lambda stream, n: stream.readlines(),
    "/readlines-hint": lambda stream, n: list(
        block for lines in iter(lambda: stream.readlines(n), [])
        for block in lines),
    "/iterate": lambda stream, n: list(stream),
    "/mixed": lambda stream, n: [stream.readline(), stream.read(3),
                                 next(iter(stream), b""), *stream.readlines()],
}


def reader(path):
    def application(environ, start_response):
        stream = environ["wsgi.input"]
        size = int(query(environ).get("n", "0"))
        blocks = READERS[path](stream, size)
        whole = b"".join(blocks)
        after = ([] if path in ("/none", "/once") else
                 [repr(stream.read()), repr(stream.read(10)),
                  repr(stream.readline()), repr(stream.readlines())])
        return as_json(start_response, {
            "sha": hashlib.sha256(whole).hexdigest(),
            "length": len(whole),
            "calls": len(blocks),
            "bytes": all(type(block) is bytes for block in blocks),
            "first": blocks[0].decode("latin-1")[:60] if blocks else None,
            "after": after,
            "content_length": environ.get("CONTENT_LENGTH"),
            "terminated": environ.get("wsgi.input_terminated"),
        })
    return application


def echo(environ, start_response):
    """Answers while it reads: block by block, of any size."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    stream = environ["wsgi.input"]
    while block := stream.read(65536):
        yield block


def digest(environ, start_response):
    """Reads a body of any length in little memory."""
    sha, length, stream = hashlib.sha256(), 0, environ["wsgi.input"]
    while block := stream.read(65536):
        sha.update(block)
        length += len(block)
    return as_json(start_response, {"sha": sha.hexdigest(),
                                    "length": length})


def failing(environ, start_response):
    """What an incomplete body looks like to the application."""
    try:
        whole = environ["wsgi.input"].read()
    except OSError as error:
        environ["wsgi.errors"].write(f"body broke: {type(error).__name__}\n")
    else:
        environ["wsgi.errors"].write(f"body looked whole: {len(whole)}\n")
    return as_json(start_response, {})


application = by_path({path: reader(path) for path in READERS}
                      | {"/echo": echo, "/digest": digest,
                         "/failing": failing})

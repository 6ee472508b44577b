"""Applications that ask for their client, and large answers of every kind."""

import pathlib
import tempfile
import threading
import time

from routing import by_path, query, text

PLAIN = [("Content-Type", "text/plain")]


def watch(environ, said):
    """Ask until the client has gone, and write down how that went."""
    gone, longest = environ["etcl.client_disconnected"], 0.0
    end = time.monotonic() + float(query(environ).get("seconds", "5"))
    while time.monotonic() < end:
        begin = time.monotonic()
        answer = gone()
        longest = max(longest, time.monotonic() - begin)
        if answer is not False:
            break
        time.sleep(0.01)
    pathlib.Path(query(environ)[said]).write_text(f"{answer} {longest:.3f}")
    return answer


def before(environ, start_response):
    """Asks before there is an answer."""
    pathlib.Path(query(environ)["begun"]).write_text("begun")
    watch(environ, "flag")
    return text(start_response, "late")


def half_read(environ, start_response):
    """Asks in the middle of the body, and reads on when the client stays."""
    stream = environ["wsgi.input"]
    length = len(stream.read(1000))
    pathlib.Path(query(environ)["begun"]).write_text("begun")
    if not watch(environ, "flag"):
        length += len(stream.read())
    return text(start_response, str(length))


def streaming(environ, start_response):
    """Asks between the first block and the second."""
    start_response("200 OK", PLAIN)
    yield b"first\n"
    watch(environ, "flag")
    yield b"second\n"


def in_thread(environ, start_response):
    """A thread of the application asks, while its request sleeps."""
    asker = threading.Thread(target=watch, args=(environ, "flag"))
    asker.start()
    pathlib.Path(query(environ)["begun"]).write_text("begun")
    asker.join()
    return text(start_response, "late")


def often(environ, start_response):
    """Asks so many times; how long one question took, in microseconds."""
    gone, count = environ["etcl.client_disconnected"], 1000
    begin = time.perf_counter()
    answers = {gone() for _ in range(count)}
    spent = (time.perf_counter() - begin) / count * 1e6
    return text(start_response, f"{answers} {spent:.1f}")


BLOCK = b"x" * 65536


def blocks(environ):
    return [BLOCK] * (int(query(environ)["size"]) // len(BLOCK))


def as_bytes(environ, start_response):
    data = b"".join(blocks(environ))
    start_response("200 OK", [("Content-Length", str(len(data)))])
    return [data]


def as_list(environ, start_response):
    start_response("200 OK", PLAIN)
    return blocks(environ)


def as_generator(environ, start_response):
    """A body that is finished, in blocks, with its length."""
    parts = blocks(environ)
    length = len(parts) * len(BLOCK)
    start_response("200 OK", [("Content-Length", str(length))])
    yield from parts


def as_file(environ, start_response):
    file = tempfile.TemporaryFile()
    for block in blocks(environ):
        file.write(block)
    file.seek(0)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file)


application = by_path({
    "/before": before, "/half-read": half_read, "/streaming": streaming,
    "/in-thread": in_thread, "/often": often,
    "/bytes": as_bytes, "/list": as_list, "/generator": as_generator,
    "/file": as_file,
})

"""Applications that fail, each in its own way."""

import ctypes
import os
import pathlib
import sys
import time

from routing import by_path, query, text

PLAIN = [("Content-Type", "text/plain")]
LONG = [("Content-Length", "1000")]


def raises(environ, start_response):
    raise ValueError("raised before the headers")


def raises_started(environ, start_response):
    start_response("200 OK", PLAIN)
    raise ValueError("raised after start_response")


def late(headers, end):
    """Sends `started`, then comes to its end."""
    def application(environ, start_response):
        start_response("200 OK", headers)
        yield b"started\n"
        time.sleep(0.1)
        end()
    return application


def raise_late():
    raise ValueError("raised after the first block")


def crash():
    """A real segmentation fault, as a broken C extension has it."""
    ctypes.string_at(0)


def silent(environ, start_response):
    return [b"nobody called start_response"]


def exits(environ, start_response):
    sys.exit(3)


def dies(how):
    def application(environ, start_response):
        how()
        return text(start_response, "still there")
    return application


def dies_once(environ, start_response):
    """The first worker that serves `token` dies; the second one answers."""
    asked = query(environ)
    if "read" in asked:
        environ["wsgi.input"].read()
    flag = pathlib.Path(asked["flag"])
    if not flag.exists():
        flag.write_text(str(os.getpid()))
        os.kill(os.getpid(), 9)
    return text(start_response, f"{flag.read_text()} {os.getpid()}")


def forks(end):
    """Forks a child that comes back into the server; answers both ways."""
    def application(environ, start_response):
        pid = os.fork()
        if pid == 0:
            end()
            return text(start_response, "the child answers")
        time.sleep(0.3)
        return text(start_response, f"the parent answers {pid}")
    return application


def sleeps(environ, start_response):
    asked = query(environ)
    if "flag" in asked:
        pathlib.Path(asked["flag"]).write_text(str(os.getpid()))
    time.sleep(float(asked.get("seconds", "1")))
    return text(start_response, f"slept {os.getpid()}")


def spins(environ, start_response):
    """Busy in Python for some time, as a runaway loop is."""
    end = time.monotonic() + float(query(environ).get("seconds", "1"))
    while time.monotonic() < end:
        pass
    return text(start_response, "spun")


def blocks_gil(environ, start_response):
    """A C call that keeps the GIL: nobody else can run Python."""
    ctypes.PyDLL(None).sleep(int(query(environ).get("seconds", "1")))
    return text(start_response, "let go")


application = by_path({
    "/raises": raises, "/raises-started": raises_started,
    "/raises-late": late(PLAIN, raise_late),
    "/raises-late-length": late(LONG, raise_late),
    "/exits-late": late(PLAIN, sys.exit),
    "/dies-late": late(PLAIN, lambda: os._exit(3)),
    "/dies-late-length": late(LONG, lambda: os._exit(3)),
    "/crashes-late": late(PLAIN, crash),
    "/silent": silent, "/exits": exits,
    "/dies": dies(lambda: os._exit(3)), "/aborts": dies(os.abort),
    "/crashes": dies(crash), "/dies-once": dies_once,
    "/forks": forks(lambda: None), "/forks-exit": forks(sys.exit),
    "/sleeps": sleeps, "/spins": spins, "/blocks-gil": blocks_gil,
})

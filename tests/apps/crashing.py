"""Workers that die while they hold requests."""

import ctypes
import faulthandler
import os
import time

from routing import by_path, query, text


def pid(environ, start_response):
    return text(start_response, str(os.getpid()))


def post(environ, start_response):
    """A little work, so that a death finds it in the midst of it."""
    size = len(environ["wsgi.input"].read())
    time.sleep(0.005)
    return text(start_response, f"{size} bytes")


def hold(environ, start_response):
    time.sleep(float(query(environ)["seconds"]))
    return text(start_response, str(os.getpid()))


def crash(environ, start_response):
    """A real segmentation fault, as a broken C extension has it."""
    ctypes.string_at(0)


def leave(environ, start_response):
    os._exit(int(query(environ)["status"]))


def watch(environ, start_response):
    """Applications that want stacks of their own have always done this."""
    with open(query(environ)["into"], "w", encoding="utf-8") as file:
        faulthandler.enable(file)
        return crash(environ, start_response)


def eat(environ, start_response):
    """Pages that are really there."""
    held = bytearray(int(query(environ)["size"]))
    held[::4096] = b"x" * len(held[::4096])
    return text(start_response, str(len(held)))


def leak(environ, start_response):
    """Descriptors, until there is none."""
    try:
        while True:
            os.dup(2)
    except OSError:
        return text(start_response, str(os.getpid()))


def close_all(environ, start_response):
    """As daemons do that were written for a terminal."""
    os.closerange(3, 1024)
    return text(start_response, "closed")


application = by_path({
    "/pid": pid, "/post": post, "/hold": hold, "/crash": crash,
    "/exit": leave, "/eat": eat, "/leak": leak, "/watch": watch,
    "/close": close_all,
})

"""How often close() is called, in which thread, on each way out."""

import sys
import threading
import time

from routing import as_json, by_path, text

COUNTS = {}


class Closing:
    """An iterable that counts its close() and notes the thread of it."""

    def __init__(self, name, blocks=(), fail=None):
        self.name, self.blocks, self.fail = name, iter(blocks), fail
        self.thread = threading.get_ident()
        COUNTS.setdefault(name, {"closed": 0, "same thread": True})

    def __iter__(self):
        if self.fail == "iter":
            raise RuntimeError("iter failed")
        return self

    def __next__(self):
        if self.fail == "next":
            raise RuntimeError("next failed")
        return next(self.blocks)

    def close(self):
        COUNTS[self.name]["closed"] += 1
        COUNTS[self.name]["same thread"] &= (
            self.thread == threading.get_ident())
        if self.fail == "close":
            raise RuntimeError("close failed")
        if self.fail == "slow":
            print("closing slowly", file=sys.stderr, flush=True)
            time.sleep(1)


class WithLength(Closing):
    def __len__(self):
        return 1


def fails_after(block):
    yield block
    raise RuntimeError("late failure")


def trickle():
    while True:
        yield b"x" * 4096
        time.sleep(0.005)


def make(name, blocks=(), fail=None, headers=(), kind=Closing, start=True):
    def application(environ, start_response):
        if start:
            start_response("200 OK", list(headers))
        return kind(name, blocks() if callable(blocks) else blocks, fail)
    return application


def exits():
    yield b"x"
    sys.exit(3)


CASES = {
    "/normal": {"blocks": lambda: [b"a", b"b"]},
    "/nothing": {"blocks": lambda: []},
    "/empty-blocks": {"blocks": lambda: [b"", b""]},
    "/with-length": {"blocks": lambda: [b"a"], "kind": WithLength},
    "/enough": {"blocks": lambda: [b"abc", b"def", b"ghi"],
                "headers": [("Content-Length", "3")]},
    "/iter-fails": {"fail": "iter"},
    "/next-fails": {"fail": "next"},
    "/late-failure": {"blocks": lambda: fails_after(b"x")},
    "/wrong-item": {"blocks": lambda: ["text"]},
    "/late-wrong-item": {"blocks": lambda: [b"x", "text"]},
    "/not-started": {"blocks": lambda: [b"x"], "start": False},
    "/exits": {"blocks": exits},
    "/close-fails": {"blocks": lambda: [b"done"], "fail": "close"},
    "/client-leaves": {"blocks": trickle},
    "/slow": {"blocks": lambda: [b"abc"], "fail": "slow",
              "headers": [("Content-Length", "3")]},
    "/head": {"blocks": lambda: [b"a", b"b"]},
}


def counts(environ, start_response):
    return as_json(start_response, COUNTS)


def no_close(environ, start_response):
    return text(start_response, "a list has no close()")


application = by_path(
    {path: make(path, **case) for path, case in CASES.items()}
    | {"/counts": counts, "/no-close": no_close})

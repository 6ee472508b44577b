"""Requests that meet: they prove that they run at the same time."""

import threading

from routing import by_path, query, text

BARRIERS = {}
LOCK = threading.Lock()
LOCAL = threading.local()


def meet(environ, start_response):
    """Answers when `n` requests are inside together, or says `alone`."""
    asked = query(environ)
    with LOCK:
        barrier = BARRIERS.setdefault(
            asked["id"], threading.Barrier(int(asked["n"])))
    try:
        barrier.wait(float(asked.get("seconds", "5")))
    except threading.BrokenBarrierError:
        return text(start_response, "alone")
    return text(start_response, "met")


def local(environ, start_response):
    """Threads are kept, and with them what they remember."""
    LOCAL.count = getattr(LOCAL, "count", 0) + 1
    return text(start_response, str(LOCAL.count))


def own(environ, start_response):
    """A value that only this request has, in body and header alike."""
    value = query(environ)["v"]
    start_response("200 OK", [("Content-Type", f"text/x-{value}"),
                              ("X-Own", value), ("X-Twin", value)])
    for part in value:
        yield part.encode()


application = by_path({"/meet": meet, "/local": local, "/own": own})

"""For the limits: it waits, computes, answers, and says why it must go."""

import ctypes
import os
import time
from urllib.parse import parse_qsl

WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")
STATE = {"served": 0}


def leave(name, text):
    with open(os.path.join(WORK, name), "a", encoding="utf-8") as out:
        out.write(text + "\n")


def stopping(name, **event):
    leave("reasons", "%s %d %s" % (
        STATE["group"], os.getpid(), event.get("shutdown_reason")))


try:
    import mod_wsgi
    STATE["group"] = mod_wsgi.process_group
    mod_wsgi.subscribe_shutdown(stopping)
except (ImportError, AttributeError):
    STATE["group"] = "?"


def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def spend(seconds):
    """CPU time of this process, whatever the clock says."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


def hold(seconds):
    """Keep the GIL in C, as a bad extension does."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


WAYS = {"sleep": time.sleep, "compute": compute, "spend": spend, "hold": hold}


def application(environ, start_response):
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    way, seconds = query.get("do", "sleep"), float(query.get("s", "0"))
    STATE["served"] += 1
    if way == "stream":
        return stream(start_response, seconds)
    if way == "catch":
        return catch(start_response, seconds)
    if way == "flood":
        return flood(start_response)
    if way == "limits":
        return answer(start_response, repr(limits()))
    WAYS[way](seconds)
    return answer(start_response, "%d %d" % (os.getpid(), STATE["served"]))


def answer(start_response, text):
    start_response("200 OK", [("Content-Type", "text/plain"),
                              ("Content-Length", str(len(text)))])
    return [text.encode()]


def stream(start_response, seconds):
    """One block, a pause, another block."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begin "
    compute(seconds)
    yield b"end"


def catch(start_response, seconds):
    """The application may answer when its time is up."""
    try:
        compute(seconds)
    except BaseException as error:
        return answer(start_response, "caught " + type(error).__name__)
    return answer(start_response, "in time")


def flood(start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(400):
        yield b"x" * 65536


def limits():
    import resource
    return {"data": resource.getrlimit(resource.RLIMIT_DATA)[0],
            "space": resource.getrlimit(resource.RLIMIT_AS)[0],
            "cpu": resource.getrlimit(resource.RLIMIT_CPU),
            "nice": os.getpriority(os.PRIO_PROCESS, 0)}

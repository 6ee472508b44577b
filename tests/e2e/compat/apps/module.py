"""For the module API: events, metrics and the log, by what is subscribed."""

import atexit
import logging
import os
import types

import mod_wsgi

WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")
EVENTS = []
ORDER = []


def simple(value):
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return [simple(item) for item in value]
    return "<%s>" % type(value).__name__


def leave(text):
    with open(os.path.join(WORK, "signs"), "a", encoding="utf-8") as out:
        out.write("%d %s\n" % (os.getpid(), text))


@mod_wsgi.subscribe_events
def listen(name, **event):
    EVENTS.append((name, {key: simple(value)
                          for key, value in event.items()}))
    del EVENTS[:-60]
    if name == "process_stopping":
        leave("event process_stopping %s" % event.get("shutdown_reason"))
    if name == "request_started":
        event["request_data"]["mark"] = "set by the event"
        query = event["request_environ"].get("QUERY_STRING", "")
        if query == "replace":
            return {"application_object": replacement}
    return None


@mod_wsgi.subscribe_events
def second(name, **event):
    ORDER.append((name, sorted(event)))
    del ORDER[:-60]


@mod_wsgi.subscribe_events
def faulty(name, **event):
    path = event.get("request_environ", {}).get("QUERY_STRING", "")
    if path == "faulty":
        raise ValueError("a subscriber that fails")


@mod_wsgi.subscribe_shutdown
def shutdown(name="", **event):
    leave("shutdown %s %s" % (name, event.get("shutdown_reason")))


atexit.register(leave, "atexit")
if hasattr(mod_wsgi, "subscribe_signals"):
    @mod_wsgi.subscribe_signals
    def signals(name="", **event):
        leave("signal %s %s %s" % (name, event.get("signame"),
                                   event.get("signum")))
if hasattr(mod_wsgi, "LogHandler"):
    LOG = logging.getLogger("compat")
    LOG.setLevel(logging.DEBUG)
    LOG.propagate = False
    LOG.addHandler(mod_wsgi.LogHandler())


def replacement(environ, start_response):
    start_response("200 OK", [("Content-Length", "8")])
    return [b"replaced"]


def application(environ, start_response):
    import base64
    query = environ.get("QUERY_STRING", "")
    if query == "raise":
        raise KeyError("on purpose")
    if query == "late":
        return late(start_response)
    scope = {**globals(), "HERE": types.SimpleNamespace(**globals())}
    if "HTTP_X_DO" in environ:
        exec(base64.b64decode(environ["HTTP_X_DO"]).decode(), scope)
        body = repr(scope["act"](environ)).encode()
    else:
        body = environ["wsgi.input"].read() or b"module"
    start_response("201 Made", [("X-Mark", "1"),
                                ("Content-Length", str(len(body)))])
    return [body]


def late(start_response):
    start_response("200 OK", [])
    yield b"some"
    raise KeyError("late")

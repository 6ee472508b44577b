"""Keeps everything it was given, and uses it when it is too late."""

import threading

from routing import as_json, by_path, text

KEPT = []


def keep(environ, start_response):
    write = start_response("200 OK", [("Content-Length", "4")])
    KEPT.append((environ, start_response, write,
                 environ["wsgi.file_wrapper"]))
    return [b"kept"]


def attempts():
    """Each late use, and what came of it."""
    environ, start_response, write, _ = KEPT[-1]
    uses = {
        "read": lambda: environ["wsgi.input"].read(),
        "readline": lambda: environ["wsgi.input"].readline(),
        "iterate": lambda: list(environ["wsgi.input"]),
        "start_response": lambda: start_response("200 OK", []),
        "write": lambda: write(b"late"),
    }
    outcome = {}
    for name, use in uses.items():
        try:
            outcome[name] = repr(use())
        except Exception as error:
            outcome[name] = type(error).__name__
    return outcome


def use(environ, start_response):
    """In the thread of another request."""
    return as_json(start_response, attempts())


def use_in_thread(environ, start_response):
    """In a thread that the server has never seen."""
    result = {}
    thread = threading.Thread(target=lambda: result.update(attempts()))
    thread.start()
    thread.join()
    return as_json(start_response, result)


def log_late(environ, start_response):
    """wsgi.errors of an ended request must not harm anybody."""
    try:
        KEPT[-1][0]["wsgi.errors"].write("late words\n")
    except Exception as error:
        return text(start_response, type(error).__name__)
    return text(start_response, "written")


def count(environ, start_response):
    return text(start_response, str(len({id(kept[0]) for kept in KEPT})))


application = by_path({"/keep": keep, "/use": use, "/count": count,
                       "/use-in-thread": use_in_thread,
                       "/log-late": log_late})

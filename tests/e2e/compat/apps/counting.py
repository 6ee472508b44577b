"""How often it was loaded, by whom; a service of test_lifecycle."""

import atexit
import os
import threading

WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")
VERSION = "one"
STATE = {"served": 0, "own": None}


def leave(text):
    with open(os.path.join(WORK, "life"), "a", encoding="utf-8") as out:
        out.write("%d %s\n" % (os.getpid(), text))


leave("load " + VERSION)
atexit.register(leave, "atexit")
LOCAL = threading.local()


def application(environ, start_response):
    import base64
    STATE["served"] += 1
    if "HTTP_X_DO" in environ:
        scope = {"MODULE": globals()}
        exec(base64.b64decode(environ["HTTP_X_DO"]).decode(), scope)
        body = repr(scope["act"](environ)).encode()
    else:
        body = ("%s %d" % (VERSION, os.getpid())).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

"""Loads only when a sign says that it may; before that, it hangs."""

import os
import time

WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")
while not os.path.exists(os.path.join(WORK, "may-start")):
    time.sleep(0.05)


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

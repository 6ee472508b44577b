"""Everything that makes an interpreter hard to end."""

import atexit
import ctypes
import logging
import threading
import time

from routing import text


class Last:
    """Speaks when it is thrown away, as destructors do."""

    def __del__(self):
        logging.getLogger("last").info("thrown away")


def sleep_in_c():
    ctypes.CDLL(None).sleep(600)


def spin():
    while True:
        time.sleep(0.001)


KEPT = Last()
for target, daemon in ((spin, True), (sleep_in_c, True), (spin, False)):
    threading.Thread(target=target, daemon=daemon).start()
atexit.register(time.sleep, 600)


def application(environ, start_response):
    return text(start_response, str(threading.active_count()))

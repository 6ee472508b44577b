"""A service process (threads=0): it runs until it is told to end."""

import os
import signal
import threading
import time

WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")


def leave(text):
    with open(os.path.join(WORK, "service"), "a", encoding="utf-8") as out:
        out.write("%d %s\n" % (os.getpid(), text))


leave("start main=%s" % (threading.current_thread()
                         is threading.main_thread()))
leave("handler %s" % callable(signal.getsignal(signal.SIGUSR2)))
signal.signal(signal.SIGUSR2, lambda number, frame: leave("usr2"))
leave("handler %s" % callable(signal.getsignal(signal.SIGUSR2)))
try:
    while not os.path.exists(os.path.join(WORK, "service-end")):
        time.sleep(0.05)
    os.unlink(os.path.join(WORK, "service-end"))
    leave("end")
except SystemExit:
    leave("SystemExit")
    raise

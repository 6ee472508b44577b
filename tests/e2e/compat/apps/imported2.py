"""The second import: the order is that of the configuration."""

import os

WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")
with open(os.path.join(WORK, "imports"), "a", encoding="utf-8") as _out:
    _out.write(repr((os.getpid(), "second")) + "\n")

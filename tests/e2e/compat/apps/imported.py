"""Imported at the start of a process; leaves a sign of where."""

import os
import sys

try:
    import mod_wsgi
    GROUPS = mod_wsgi.process_group, mod_wsgi.application_group
except (ImportError, AttributeError):
    GROUPS = "?", "?"
WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")
with open(os.path.join(WORK, "imports"), "a", encoding="utf-8") as _out:
    _out.write(repr((os.getpid(), *GROUPS, os.path.basename(__file__),
                     __name__ == "__main__")) + "\n")
sys.compat_imported = True

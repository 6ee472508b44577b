#!/usr/bin/python3
"""What every file of the tree must keep, by its text alone."""

import re
import sys

sys.dont_write_bytecode = True

from tree import files, finish, read  # noqa: E402

CODE = (".c", ".h", ".py", ".sh", ".mk", "Makefile")
TOP_LEVEL = {"mod_etcl.c", "include", "src", "conf", "tests", "docs",
             "Makefile", "apxs.mk", "README.rst", "LICENSE"}
LENGTH = {".c": 600, ".h": 200}
COLUMNS = 80

HTTPD = re.compile(r'#\s*include\s*[<"]'
                   r'(httpd|http_\w+|ap_\w+|util_\w+|mpm_\w+|mod_\w+|unixd'
                   r'|scoreboard)\.h')
PYTHON = re.compile(r'#\s*include\s*[<"](\w+/)?Python\.h')
MAY_HTTPD = ("src/httpd/", "mod_etcl.c", "tests/bench/")
MAY_PYTHON = ("src/python/", "tests/python/")

GIL = re.compile(r"\b(Py_BEGIN_ALLOW_THREADS|Py_UNBLOCK_THREADS"
                 r"|PyEval_SaveThread|PyEval_ReleaseThread)\b")
GIL_HOME = "src/python/etcl_outside.c"

# (where, what is not wanted, the rule); the brackets keep this file clean.
WORDS = (
    ((), re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b"),
     "unfinished work has no place in the tree"),
    ((), re.compile(r"(?<![\w.])/(work|farm|root)/|\.pyen[v]"),
     "a path of one machine"),
    (CODE, re.compile(r"[-=*#~/]{8,}\s*(\*/)?$"), "a ruler"),
    ((), re.compile(r"[ \t]+$"), "blanks at the end of the line"),
    ((".c", ".h"), re.compile(r"\t"), "a tab"),
    ((".c", ".h"), re.compile(r"NOLINT(NEXTLINE)?(\([\w\-., ]*\))?"
                              r"[\s:]*(\*/)?$"),
     "NOLINT without its reason on the line"),
)


def top_level(names):
    for name in names:
        head = name.split("/")[0]
        if head not in TOP_LEVEL and not head.startswith("."):
            yield name, 1, f"{head} does not belong at the top level"


def is_code(name, lines):
    return name.endswith(CODE) or "".join(lines[:1]).startswith("#!")


def sizes(name, lines):
    ceiling = LENGTH.get(name[-2:])
    if ceiling and len(lines) > ceiling:
        yield name, len(lines), f"more than {ceiling} lines"
    if is_code(name, lines):
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                yield name, number, f"more than {COLUMNS} columns"


def opening(name, lines):
    """A .c file says in two to six lines what this room does."""
    if not name.endswith(".c") or not name.startswith(("src/", "mod_etcl")):
        return
    comment = "\n".join(lines).split("*/")[0]
    if not lines or not lines[0].startswith("/*"):
        yield name, 1, "does not open with what this room does"
    elif not 2 <= comment.count("\n") + 1 <= 6:
        yield name, 1, "opens with a comment that is not 2 to 6 lines long"


def layers(name, lines):
    if not name.endswith((".c", ".h")):
        return
    for number, line in enumerate(lines, 1):
        if HTTPD.search(line) and not name.startswith(MAY_HTTPD):
            yield name, number, "only src/httpd and mod_etcl.c see httpd"
        if PYTHON.search(line) and not name.startswith(MAY_PYTHON):
            yield name, number, "only src/python and tests/python see Python"
        if GIL.search(line) and name != GIL_HOME and "src/" in name:
            yield name, number, f"the GIL is released only in {GIL_HOME}"


def words(name, lines):
    for where, pattern, rule in WORDS:
        if where and not name.endswith(where):
            continue
        for number, line in enumerate(lines, 1):
            if pattern.search(line):
                yield name, number, rule


def findings():
    names = files()
    yield from top_level(names)
    for name in names:
        if name == "LICENSE":
            continue
        text = read(name)
        lines = text.splitlines()
        if text and not text.endswith("\n"):
            yield name, len(lines), "no newline at the end"
        for rule in (sizes, opening, layers, words):
            yield from rule(name, lines)


finish(findings())

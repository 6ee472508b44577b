#!/usr/bin/python3
"""Code and documents name the same things: each ETCLnnnn in the code has its
entry in docs/messages.rst, each directive and each option of a group its own
in docs/directives.rst, once, and the other way round."""

import re
import sys

sys.dont_write_bytecode = True

from tree import TOP, blank, files, finish, read  # noqa: E402

MESSAGES = "docs/messages.rst"
DIRECTIVES = "docs/directives.rst"
TABLE = "src/httpd/etcl_directives.h"
OPTIONS = "src/base/etcl_group_options.h"

NUMBER = re.compile(r"\bETCL\d{4}\b")
MESSAGE = re.compile(r"\bETCL\d{4}(?=:)")
ENTRY = re.compile(r"^[\s*`|:-]*(ETCL\d{4})\b")
DIRECTIVE = re.compile(r"\bWSGI[A-Z]\w+")
OPTION = re.compile(r'X\(\w+, "([a-z-]+)"')
TERM = re.compile(r"^``([a-z-]+)=``$")

# Which numbers a folder may use: first and last.
RANGES = {
    "src/httpd/": (1, 399), "mod_etcl.c": (1, 299),
    "src/daemon/": (200, 399), "src/python/": (300, 399),
}


def code_only(name: str) -> str:
    """A file without comments; nothing when it is not there."""
    if not (TOP / name).exists():
        return ""
    text = read(name)
    return text if name.endswith(".py") else blank(text, literals=False)


def places(name: str, text: str, pattern) -> list[tuple[str, str, int]]:
    """(what, file, line) of each match."""
    return [(found, name, number)
            for number, line in enumerate(text.splitlines(), 1)
            for found in pattern.findall(line)]


def sources() -> list[str]:
    return [name for name in files(".c", ".h", ".py")
            if name.startswith(("src/", "include/", "mod_etcl.c"))]


def entries(name: str, pattern) -> list[tuple[str, str, int]]:
    if not (TOP / name).exists():
        return []
    return places(name, read(name), pattern)


def twice(found):
    seen = {}
    for what, name, line in found:
        if what in seen:
            yield name, line, f"{what} is already in {seen[what]}"
        seen.setdefault(what, f"{name}:{line}")


def one_sided(left, right, where: str):
    known = {what for what, _, _ in right}
    for what, name, line in left:
        if what not in known:
            yield name, line, f"{what} is not in {where}"


def homes(found):
    """A number without its text may stand twice, but in one file only."""
    home = {}
    for what, name, line in found:
        if home.setdefault(what, name) != name:
            yield name, line, f"{what} is already in {home[what]}"


def ranges(found):
    for what, name, line in found:
        for folder, (first, last) in RANGES.items():
            if name.startswith(folder) and not first <= int(what[4:]) <= last:
                yield (name, line,
                       f"{what}: {folder} has {first:04} to {last:04}")


def messages():
    code = [(name, code_only(name)) for name in sources()]
    used = [found for name, text in code
            for found in places(name, text, NUMBER)]
    told = entries(MESSAGES, ENTRY)
    for name, text in code:
        yield from twice(places(name, text, MESSAGE))
    yield from homes(used)
    yield from twice(told)
    yield from ranges(used)
    yield from one_sided(used, told, MESSAGES)
    yield from one_sided(told, used, "the code")


def sections(name: str) -> list[tuple[str, str, int]]:
    """Directives that are section titles: underlined in the next line."""
    lines = read(name).splitlines() if (TOP / name).exists() else []
    return [(line.strip("` "), name, number + 1)
            for number, line in enumerate(lines[:-1])
            if DIRECTIVE.fullmatch(line.strip("` "))
            and re.fullmatch(r"([=\-~^\"'])\1{3,}", lines[number + 1])]


def both_ways(table, told, where: str):
    yield from twice(told)
    yield from one_sided(table, told, DIRECTIVES)
    yield from one_sided(told, table, where)


def directives():
    yield from both_ways(places(TABLE, code_only(TABLE), DIRECTIVE),
                         sections(DIRECTIVES), TABLE)


def options():
    """Those of WSGIDaemonProcess, in its section of the manual."""
    heads = sections(DIRECTIVES)
    starts = [line for what, _, line in heads if what == "WSGIDaemonProcess"]
    if not starts:
        return
    end = min([line for _, _, line in heads if line > starts[0]],
              default=sys.maxsize)
    told = [place for place in entries(DIRECTIVES, TERM)
            if starts[0] < place[2] < end]
    yield from both_ways(entries(OPTIONS, OPTION), told, OPTIONS)


finish([*messages(), *directives(), *options()])

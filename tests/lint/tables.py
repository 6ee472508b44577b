#!/usr/bin/python3
"""Code and documents name the same things: each ETCLnnnn in the code has its
entry in docs/messages.rst and each directive its own in docs/directives.rst,
once, and the other way round."""

import re
import sys

sys.dont_write_bytecode = True

from tree import TOP, files, finish, read  # noqa: E402

MESSAGES = "docs/messages.rst"
DIRECTIVES = "docs/directives.rst"
TABLE = "src/httpd/etcl_directives.h"

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
NUMBER = re.compile(r"ETCL\d{4}(?=:)")
ENTRY = re.compile(r"^[\s*`|:-]*(ETCL\d{4})\b")
DIRECTIVE = re.compile(r'\bWSGI[A-Z]\w+')

# Which numbers a folder may use: first and last.
RANGES = {
    "src/httpd/": (1, 299), "mod_etcl.c": (1, 299),
    "src/daemon/": (200, 299), "src/python/": (300, 399),
}


def code_only(text: str) -> str:
    """Without comments; lines stay where they are."""
    return COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


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


def ranges(found):
    for what, name, line in found:
        for folder, (first, last) in RANGES.items():
            if name.startswith(folder) and not first <= int(what[4:]) <= last:
                yield (name, line,
                       f"{what}: {folder} has {first:04} to {last:04}")


def messages():
    used = [place for name in sources()
            for place in places(name, code_only(read(name)), NUMBER)]
    told = entries(MESSAGES, ENTRY)
    yield from twice(used)
    yield from twice(told)
    yield from ranges(used)
    yield from one_sided(used, told, MESSAGES)
    yield from one_sided(told, used, "the code")


def titles(name: str) -> list[tuple[str, str, int]]:
    """Directives that are section titles: underlined in the next line."""
    lines = read(name).splitlines() if (TOP / name).exists() else []
    return [(line.strip("` "), name, number + 1)
            for number, line in enumerate(lines[:-1])
            if DIRECTIVE.fullmatch(line.strip("` "))
            and re.fullmatch(r"([=\-~^\"'])\1{3,}", lines[number + 1])]


def directives():
    text = code_only(read(TABLE)) if (TOP / TABLE).exists() else ""
    table = places(TABLE, text, DIRECTIVE)
    told = titles(DIRECTIVES)
    yield from twice(told)
    yield from one_sided(table, told, DIRECTIVES)
    yield from one_sided(told, table, TABLE)


finish([*messages(), *directives()])

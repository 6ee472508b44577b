#!/usr/bin/python3
"""Nesting and branches of each C function, as a reader counts them: only
what stands in the text, nothing from inside macros. It relies on the layout
of clang-format, which `make lint` checks first."""

import re
import sys

sys.dont_write_bytecode = True

from tree import blank, files, finish, read  # noqa: E402

LINES, NESTING, BRANCHES = 60, 3, 15

START = re.compile(r"^(?P<head>[A-Za-z_][^;{}#]*\))\s*\n\{$", re.M)
BRANCH = re.compile(r"\b(if|for|do|switch)\b|(?<!\} )\bwhile\b")
# A block's brace stands after a blank; one that begins a value does not, or
# follows `=`, `,`, `(` or another brace.
BLOCK = re.compile(r"(?:\)|else|do|:) \{$|^\s*\{$")


def deepest(body: list[str]) -> tuple[int, int]:
    """(nesting, line of it) of a function's body."""
    depth = worst = at = 0
    braces = []
    for number, line in enumerate(body):
        for place, char in enumerate(line):
            if char == "{":
                braces.append(bool(BLOCK.search(line[:place + 1])))
                depth += braces[-1]
            elif char == "}" and braces:
                depth -= braces.pop()
            if depth > worst:
                worst, at = depth, number
    return worst, at


def functions(text: str):
    """(line, name, body) of each function; the body is without braces."""
    for match in START.finditer(text):
        end = text.find("\n}", match.end() - 1)
        words = re.findall(r"(\w+)\s*\(", match["head"])
        line = text.count("\n", 0, match.end()) + 1
        yield line, words[0], text[match.end() + 1:end].split("\n")


def findings():
    for name in files(".c", ".h"):
        for line, function, body in functions(blank(read(name), literals=True)):
            nesting, at = deepest(body)
            branches = sum(len(BRANCH.findall(text)) for text in body)
            if len(body) > LINES:
                yield name, line, f"{function}: {len(body)} lines"
            if nesting > NESTING:
                yield name, line + at + 1, f"{function}: nesting {nesting}"
            if branches > BRANCHES:
                yield name, line, f"{function}: {branches} branches"


finish(findings())

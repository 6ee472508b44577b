#!/usr/bin/python3
"""Python files through pyflakes3, shell files through shellcheck. A tool that
is not installed is said and skipped; where CI=true it is a failure."""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

from tree import TOP, files, read  # noqa: E402

TOOLS = {"python": ["pyflakes3"], "sh": ["shellcheck", "-f", "gcc"]}


def kind(name: str) -> str:
    """python, sh, or nothing: by suffix, else by the first line."""
    first = read(name).split("\n", 1)[0]
    if name.endswith(".py") or (first.startswith("#!") and "python" in first):
        return "python"
    is_shell = first.startswith("#!") and first.endswith(("sh", "sh -e"))
    return "sh" if name.endswith(".sh") or is_shell else ""


def wanted(finding: str) -> bool:
    """Not one that the line itself answers, with noqa. The Python files of
    the runtime share one namespace, which C fills: a name may come from
    there, or be for another file."""
    name, line = finding.split(":")[:2]
    if name.startswith("src/python/") and re.search(
            "undefined name|imported but unused", finding):
        return False
    lines = read(name).splitlines() if line.isdigit() else []
    return not lines or "# noqa" not in lines[int(line) - 1]


def run(tool: list[str], names: list[str]) -> int:
    if not names:
        return 0
    if not shutil.which(tool[0]):
        print(f"{tool[0]} is not installed; {len(names)} files not looked at")
        return 1 if os.environ.get("CI") == "true" else 0
    out = subprocess.run(tool + names, cwd=TOP, text=True,
                         capture_output=True)
    findings = (out.stdout + out.stderr).splitlines()
    findings = [finding for finding in findings if wanted(finding)]
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


def main() -> int:
    kinds = {name: kind(name) for name in files()}
    return max(run(tool, [name for name in kinds if kinds[name] == what])
               for what, tool in TOOLS.items())


sys.exit(main())

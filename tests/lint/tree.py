"""The files of the tree, and how a finding is said: file:line: rule."""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

LITERAL = r'"(?:\\.|[^"\\\n])*"' + r"|'(?:\\.|[^'\\\n])*'"
TOKEN = re.compile(rf"/\*.*?\*/|{LITERAL}", re.S)


def files(*suffixes: str) -> list[str]:
    """Names of files that git knows or would add; without suffix: all."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=TOP,
        check=True, capture_output=True, text=True).stdout
    names = sorted(set(out.split("\0")) - {""})
    return [name for name in names if (TOP / name).is_file()
            and (not suffixes or name.endswith(suffixes))]


def read(name: str) -> str:
    """The text of a file, or nothing when it is not text."""
    try:
        return (TOP / name).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def blank(text: str, *, literals: bool) -> str:
    """C without its comments, and without its literals if asked: blanks
    instead, so that every line stays where it is."""
    def one(match):
        if match[0][0] != "/" and not literals:
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return TOKEN.sub(one, text)


def finish(findings) -> None:
    """Print (file, line, rule) triples; the exit status says if any."""
    lines = [f"{name}:{line}: {rule}" for name, line, rule in findings]
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(1 if lines else 0)

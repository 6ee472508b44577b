"""What a process holds: the figures that must not grow."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from groups import is_daemon
from leftovers import PROC, descent, read_proc, sockets_below, stat_fields

PRIVATE = ("Private_Dirty", "Swap")


@dataclass(frozen=True)
class Footprint:
    """Of an Apache parent, and of all that hangs on it."""

    descriptors: int
    threads: int
    mappings: int
    private_kb: int
    daemons: int            # processes of groups; httpd's own come and go
    sockets: int            # below the server's root
    kinds: tuple            # of descriptors and mappings, to tell which grew

    @classmethod
    def of(cls, pid: int, root: Path) -> "Footprint":
        links, names = descriptors(pid), mappings(pid)
        return cls(len(links), int(stat_fields(pid)[17]), len(names),
                   private_kb(pid), sum(map(is_daemon, descent(pid))),
                   len(sockets_below(root)),
                   tuple(Counter(kind(one) for one in links + names).items()))

    def grown(self, before: "Footprint") -> dict[str, int]:
        """By how much, of what is counted; memory is another question."""
        names = ("descriptors", "threads", "mappings", "daemons", "sockets")
        more = {name: getattr(self, name) - getattr(before, name)
                for name in names}
        return {name: count for name, count in more.items() if count > 0}

    def new_kinds(self, before: "Footprint") -> dict[str, int]:
        return dict(Counter(dict(self.kinds)) - Counter(dict(before.kinds)))


def descriptors(pid: int) -> list[str]:
    found = []
    for entry in (PROC / str(pid) / "fd").iterdir():
        try:
            found.append(os.readlink(entry))
        except FileNotFoundError:
            pass
    return found


def mappings(pid: int) -> list[str]:
    """Their names; memory without one has the permissions instead."""
    rows = read_proc(pid, "maps").decode("latin-1").splitlines()
    return [" ".join(["map", *row.split(None, 5)[5:]]) for row in rows]


def kind(name: str) -> str:
    """Without the numbers that tell one socket or file from another."""
    return "".join(char for char in name if not char.isdigit())


def private_kb(pid: int) -> int:
    """What is its own, and would not be there without it."""
    rows = read_proc(pid, "smaps_rollup").decode("latin-1").splitlines()[1:]
    return sum(int(row.split()[1]) for row in rows
               if row.split(":")[0] in PRIVATE)

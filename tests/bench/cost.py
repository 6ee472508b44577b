"""What the processes of one contender have cost: CPU time and memory.

CPU time is exact to the nanosecond for the living, and complete: what a
process used that has ended stands in its parent's account of children."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CPUS = os.sysconf("SC_NPROCESSORS_ONLN")


def stat(pid: int) -> list[str]:
    """The fields after the name: state, parent, …"""
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2:].split()


def descent(root: int) -> list[int]:
    """The process and everything below it."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                children.setdefault(parent(int(name)), []).append(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def parent(pid: int) -> int:
    return int(stat(pid)[1])


def own_seconds(pid: int) -> float:
    """By the process's CPU clock, all of its threads."""
    return time.clock_gettime((~pid << 3) | 2)


def reaped_seconds(pid: int) -> float:
    fields = stat(pid)
    return (int(fields[13]) + int(fields[14])) / TICKS


def tree_seconds(keeper: int) -> float:
    """User and system time of all that the keeper ever started."""
    for _ in range(20):
        try:
            below = descent(keeper)[1:]
            return reaped_seconds(keeper) + sum(
                own_seconds(pid) + reaped_seconds(pid) for pid in below)
        except OSError:
            continue
    raise RuntimeError("processes come and go too fast to be counted")


def machine_seconds() -> float:
    """What the whole machine has been busy with, and what it was denied."""
    fields = [int(word) for word in
              Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / TICKS


@dataclass(frozen=True)
class Memory:
    """Of one process, in MB."""

    pid: int
    name: str
    pss: float
    rss: float


def memory(pid: int) -> Memory:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = dict(line.split(":", 1) for line in rollup.splitlines()[1:])
    name = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0].strip()
    return Memory(pid, name, mb(sizes["Pss"]), mb(sizes["Rss"]))


def mb(kilobytes: str) -> float:
    return int(kilobytes.split()[0]) / 1024


def is_httpd(pid: int) -> bool:
    """Whether it still is Apache, parent or child, and serves no Python of
    its own: mod_wsgi's daemons are told by the name they take."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
    return line.startswith("/usr/sbin/apache2\0")

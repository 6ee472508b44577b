"""What a server leaves behind: processes, sockets, shared memory, IPC."""

import os
import stat
import time
from pathlib import Path

PROC = Path("/proc")
FOREIGN_SHM = (".org.chromium", ".com.google", "sem.")

Identity = tuple[int, int]          # pid and start time: a pid may be reused


def read_proc(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on."""
    text = read_proc(pid, "stat").decode("latin-1")
    return text.rpartition(")")[2].split()


def identity(pid: int) -> Identity | None:
    """None for a process that is gone or only waits to be reaped."""
    fields = stat_fields(pid)
    if not fields or fields[0] == "Z":
        return None
    return pid, int(fields[19])


def pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir()
            if entry.name.isdigit()]


def children_of() -> dict[int, list[int]]:
    tree: dict[int, list[int]] = {}
    for pid in pids():
        fields = stat_fields(pid)
        if fields:
            tree.setdefault(int(fields[1]), []).append(pid)
    return tree


def descent(pid: int) -> list[int]:
    """The process and all that descend from it."""
    tree, found, todo = children_of(), [], [pid]
    while todo:
        found.append(todo.pop())
        todo += tree.get(found[-1], [])
    return found


def belongs_to(pid: int, root: Path, cookie: str) -> bool:
    """Started by the server: by its environment, arguments or folder."""
    if cookie.encode() in read_proc(pid, "environ"):
        return True
    if str(root).encode() in read_proc(pid, "cmdline"):
        return True
    try:
        return os.readlink(PROC / str(pid) / "cwd").startswith(str(root))
    except OSError:
        return False


def describe(pid: int) -> str:
    command = read_proc(pid, "cmdline").replace(b"\0", b" ").decode("latin-1")
    return f"process {pid} ({command.strip() or 'no command line'})"


def shared_memory() -> set[str]:
    return {entry.name for entry in Path("/dev/shm").iterdir()
            if not entry.name.startswith(FOREIGN_SHM)}


def sysv_ipc() -> set[str]:
    found = set()
    for kind in ("shm", "sem", "msg"):
        for row in read_table(PROC / "sysvipc" / kind):
            found.add(f"{kind} {row[0]} {row[1]}")
    return found


def read_table(path: Path) -> list[list[str]]:
    try:
        return [row.split() for row in path.read_text().splitlines()[1:]]
    except OSError:
        return []


def sockets_below(root: Path) -> list[str]:
    return [str(Path(folder, name))
            for folder, _, names in os.walk(root) for name in names
            if is_socket(Path(folder, name))]


def is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


class Tree:
    """Every process that a server was seen to have."""

    def __init__(self, root: Path, cookie: str):
        self.root, self.cookie = root, cookie
        self.seen: set[Identity] = set()
        self.shm, self.ipc = shared_memory(), sysv_ipc()

    def note(self, pid: int) -> list[int]:
        """Remember the descent of `pid`, and give it."""
        found = descent(pid)
        self.seen |= {who for who in map(identity, found) if who}
        return found

    def alive(self) -> list[int]:
        """Of all that belong to the server, those that still run."""
        mine = {pid for pid in pids()
                if belongs_to(pid, self.root, self.cookie)}
        mine |= {pid for pid, _ in self.seen}
        mine.discard(os.getpid())
        return sorted(pid for pid in mine if self._is_ours(pid))

    def wait_until_gone(self, seconds: float = 5) -> list[str]:
        """What is left when `seconds` have passed; empty as soon as gone."""
        end = time.monotonic() + seconds
        while (left := self.leftovers()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def leftovers(self) -> list[str]:
        return ([describe(pid) for pid in self.alive()]
                + [f"socket {path}" for path in sockets_below(self.root)]
                + [f"/dev/shm/{name}" for name in shared_memory() - self.shm]
                + [f"IPC {name}" for name in sysv_ipc() - self.ipc])

    def _is_ours(self, pid: int) -> bool:
        who = identity(pid)
        if who is None:
            return False
        return who in self.seen or belongs_to(pid, self.root, self.cookie)


def resident_kb(pids_: list[int]) -> int:
    """Resident memory of the processes together, in kB."""
    total = 0
    for pid in pids_:
        for line in read_proc(pid, "status").decode("latin-1").splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total

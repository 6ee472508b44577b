"""One Apache of our own: its own ServerRoot, port, user, logs and end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections import deque
from pathlib import Path

from client import Connection, Response
from config import GROUP, HTTPD, USER, httpd_conf, is_root
from leftovers import Tree, descent
from oracle import ErrorLog

APPS = Path(__file__).resolve().parent.parent / "apps"
READY = r"AH0(0489|0292|0163): .*resuming normal operations"
START_SECONDS = 20
STOP_SECONDS = 20
HELD: deque[socket.socket] = deque(maxlen=64)


def free_port() -> int:
    """A port that nobody else is given until its server listens.

    A socket that is bound and does not listen holds it; whoever sets
    SO_REUSEADDR, as httpd does, may bind it nevertheless.
    """
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    HELD.append(holder)
    return holder.getsockname()[1]


def make_root() -> Path:
    """A temporary folder that Apache's user can read, with the test apps."""
    root = Path(tempfile.mkdtemp(prefix="etcl-e2e.", dir="/tmp"))
    root.chmod(0o755)
    for name in ("run", "logs", "htdocs", "apps", "work"):
        (root / name).mkdir(mode=0o755)
    for script in APPS.glob("*.py"):
        shutil.copy(script, root / "apps")
    if is_root():
        shutil.chown(root / "work", USER, GROUP)
    return root


class Server:
    """Configured at once, started by `start`, gone after `stop`.

    `{root}`, `{apps}`, `{work}` and `{port}` in the lines of a test stand for
    the server's own; `work` is a folder that the applications may write.
    """

    def __init__(self, lines: str = "", *, mpm: str = "event", **conf):
        self.root, self.port, self.mpm = make_root(), free_port(), mpm
        self.apps, self.work = self.root / "apps", self.root / "work"
        self.conf = self.root / "httpd.conf"
        self.cookie = f"ETCL_E2E={uuid.uuid4().hex}"
        self.options = conf
        self.process: subprocess.Popen | None = None
        self.left: list[str] | None = None
        self.tree = Tree(self.root, self.cookie)
        self.log = ErrorLog([self.root / "logs/error.log",
                             self.root / "logs/console.log"])
        self.configure(lines)

    # The configuration

    def configure(self, lines: str) -> None:
        """Write httpd.conf anew; a running server sees it when restarted."""
        for key in ("root", "apps", "work", "port"):
            lines = lines.replace("{%s}" % key, str(getattr(self, key)))
        head = httpd_conf(self.root, self.port, self.mpm, **self.options)
        self.first_line = head.count("\n") + 1
        self.conf.write_text(head + lines + "\n")

    def command(self, *arguments: str) -> list[str]:
        return [HTTPD, "-d", str(self.root), "-f", str(self.conf), *arguments]

    def environment(self) -> dict[str, str]:
        name, value = self.cookie.split("=")
        keep = {key: os.environ[key] for key in os.environ
                if key.startswith(("ASAN_", "UBSAN_", "LD_PRELOAD"))}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
                name: value, **keep}

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments), env=self.environment(), text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=30,
            check=False)

    def configtest(self) -> tuple[int, str]:
        """Exit status of `httpd -t`, and what it said."""
        done = self.run("-t")
        return done.returncode, done.stderr + done.stdout

    # The life

    @property
    def pid(self) -> int:
        assert self.process, "not started"
        return self.process.pid

    def start(self) -> "Server":
        with open(self.root / "logs/console.log", "ab") as console:
            self.process = subprocess.Popen(
                self.command("-DFOREGROUND"), env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                cwd="/", start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while not self._is_up():
            if self.process.poll() is not None or time.monotonic() > end:
                text = self.log.text()
                self.stop()
                raise AssertionError(f"Apache did not start:\n{text}")
            time.sleep(0.02)
        self.tree.note(self.pid)
        return self

    def _is_up(self) -> bool:
        if not self.log.find(READY):
            return False
        try:
            Connection(self.port, timeout=1).close()
        except OSError:
            return False
        return True

    def graceful(self) -> None:
        self._again("graceful")

    def restart(self) -> None:
        self._again("restart")

    def _again(self, how: str) -> None:
        """Ask for a restart and wait until the new generation is there."""
        self.tree.note(self.pid)
        ready = len(self.log.find(READY))
        done = self.run("-k", how)
        assert done.returncode == 0, done.stderr
        self.log.wait_for(READY, START_SECONDS, ready + 1)
        self.tree.note(self.pid)

    def processes(self) -> list[int]:
        """The parent and everything that descends from it."""
        return self.tree.note(self.pid)

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """End the server, by force when it does not; nothing when ended."""
        if not self.process:
            return
        self.tree.note(self.pid)
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_all()

    def leftovers(self, seconds: float = 5) -> list[str]:
        """What is still there of a server that was stopped."""
        if self.process and self.left is None:
            self.left = self.tree.wait_until_gone(seconds)
        return self.left or []

    def kill_all(self) -> None:
        """The last resort: end each process that is known to be ours."""
        for pid in self.tree.alive():
            for victim in descent(pid):
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if self.process:
            self.process.wait(5)

    def remove(self) -> None:
        self.kill_all()
        shutil.rmtree(self.root, ignore_errors=True)

    # The client's side

    def connect(self, **how) -> Connection:
        return Connection(self.port, **how)

    def ask(self, target: str = "/", **how) -> Response:
        """One request on a connection of its own."""
        headers = (*how.pop("headers", ()), ("Connection", "close"))
        with self.connect(timeout=how.pop("timeout", 15)) as connection:
            return connection.ask(target, headers=headers, **how)

    # What the log must say

    def expect_log(self, pattern: str, count: int | None = None) -> None:
        self.log.expect(pattern, count)

    def allow_log(self, pattern: str) -> None:
        self.log.allow(pattern)

    def expect_traceback(self, pattern: str, count: int | None = None) -> None:
        self.log.expect_traceback(pattern, count)

"""The arena, a temporary folder with all that is served, and in it a stand
for each contender: its own Apache, ServerRoot, port, programs, and end."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import cost
from contenders import USER, Contender, Place, load
from workloads import BULK, Setup, Workload

HERE = Path(__file__).resolve().parent
HTTPD = "/usr/sbin/apache2"
MODULES = ("mpm_event", "authz_core")
QUIET = re.compile(r"^keeper: |:(notice|info|debug)\]")
STAMP = re.compile(r"^(\[[^]]*\] )+")
START_SECONDS, STOP_SECONDS = 10, 30
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
               "PYTHONDONTWRITEBYTECODE": "1"}

CONF = """\
ServerRoot {root}
ServerName localhost
DefaultRuntimeDir {root}/run
PidFile {root}/run/httpd.pid
Listen 127.0.0.1:{port}
{modules}{identity}StartServers 2
ServerLimit 2
ThreadsPerChild 64
MaxRequestWorkers 128
MinSpareThreads 64
MaxSpareThreads 128
Timeout 60
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
EnableSendfile On
ErrorLog {root}/logs/error.log
DocumentRoot {root}/htdocs
<Directory />
    AllowOverride None
    Require all granted
</Directory>
"""


class Unfit(Exception):
    """A contender that cannot take part; the text says why."""


def find_turns() -> int:
    """How often the loop of apps/plain.py turns in 2 ms."""
    def loop(turns: int) -> float:
        number, start = 1, time.thread_time()
        for _ in range(turns):
            number = number * 5 % 1000003
        return time.thread_time() - start
    best = min(loop(20000) for _ in range(25))
    return int(20000 * 0.002 / best)


class Arena:
    """Holds what all stands share; gone at the end of the `with`."""

    def __init__(self, build: Path):
        self.build = build

    def __enter__(self) -> "Arena":
        self.root = Path(tempfile.mkdtemp(prefix="etcl-bench.", dir="/tmp"))
        self.root.chmod(0o755)
        self.body = self.root / "body"
        self.etcl, self.floor = self.root / "build", self.root / "floor"
        with open(self.body, "wb") as file:
            for _ in range(BULK >> 20):
                file.write(b"x" * (1 << 20))
        self.turns = find_turns()
        self.copy_build()
        return self

    def __exit__(self, *_exc) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def copy_build(self) -> None:
        """A copy, so that a build that goes on disturbs nothing."""
        if (self.build / "mod_etcl.so").exists():
            self.etcl.mkdir()
            shutil.copy(self.build / "mod_etcl.so", self.etcl)
            shutil.copytree(self.build / "etcl", self.etcl / "etcl")

    def compile_floor(self) -> None:
        if self.floor.exists():
            return
        self.floor.mkdir()
        shutil.copy(HERE / "floor_handler.c", self.floor)
        done = subprocess.run(
            ["apxs", "-Wc,-O2", "-c", "floor_handler.c"], cwd=self.floor,
            capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unfit(f"apxs failed: {done.stderr.strip()[-200:]}")


class Stand:
    """One contender with one setup, between `start` and `stop`."""

    def __init__(self, arena: Arena, contender: Contender, setup: Setup):
        self.arena, self.contender, self.setup = arena, contender, setup
        self.keeper: subprocess.Popen | None = None
        self.root = Path(tempfile.mkdtemp(prefix="stand.", dir=arena.root))
        self.port = free_port()

    def start(self, probe: Workload) -> None:
        """Up, and the probe answered; or Unfit."""
        if not self.contender.there(self.arena.build):
            raise Unfit(self.contender.why)
        if self.contender.name == "C handler":
            self.arena.compile_floor()
        self.furnish()
        place = Place(self.root, self.arena.etcl,
                      self.arena.floor / ".libs/floor_handler.so", self.setup)
        self.configure(place)
        programs = [[HTTPD, "-d", str(self.root), "-f",
                     str(self.root / "httpd.conf"), "-DFOREGROUND"]]
        if self.contender.program:
            programs.append(self.contender.program(place))
        with open(self.root / "logs/console.log", "wb") as console:
            self.keeper = subprocess.Popen(
                [sys.executable, str(HERE / "keeper.py"),
                 json.dumps(programs), str(os.getpid()),
                 str(self.arena.root)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env=ENVIRONMENT, start_new_session=True)
        self.wait_until_up(probe)

    def furnish(self) -> None:
        self.root.chmod(0o755)
        for name in ("run", "logs", "htdocs"):
            (self.root / name).mkdir()
        shutil.copytree(HERE / "apps", self.root / "apps",
                        ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "apps/turns").write_text(str(self.arena.turns))
        os.link(self.arena.body, self.root / "htdocs/file")
        if os.geteuid() == 0:
            shutil.chown(self.root / "run", USER, USER)

    def configure(self, place: Place) -> None:
        root_only = f"User {USER}\nGroup {USER}\n"
        conf = CONF.format(
            root=self.root, port=self.port,
            modules="".join(load(name) for name in MODULES),
            identity=root_only if os.geteuid() == 0 else "")
        (self.root / "httpd.conf").write_text(
            conf + self.contender.lines(place))

    def wait_until_up(self, probe: Workload) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.probe(probe)
            except (Unfit, OSError, http.client.HTTPException) as error:
                if time.monotonic() > end or self.keeper.poll() is not None:
                    raise Unfit(f"{error}; {self.last_words()}") from None
            time.sleep(0.05)

    def probe(self, workload: Workload) -> None:
        """One request, whose answer must be what the workload says."""
        body = b"x" * workload.post if workload.post is not None else None
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=10)
        try:
            connection.request("POST" if body else "GET", workload.path, body)
            response = connection.getresponse()
            count = len(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise Unfit(f"{workload.path} answered {response.status}")
        if count != workload.answer:
            raise Unfit(f"{workload.path} answered {count} bytes,"
                        f" not {workload.answer}")

    def console(self) -> str:
        text = ""
        for name in ("console.log", "error.log"):
            path = self.root / "logs" / name
            text += path.read_text("utf-8", "replace") if path.exists() else ""
        return text

    def last_words(self) -> str:
        lines = [STAMP.sub("", line) for line in self.console().splitlines()
                 if line.strip() and not QUIET.search(line)]
        return f"its log ends: {lines[-1][:300]}" if lines else "no log"

    def sides(self) -> tuple[list[int], list[int]]:
        """(Apache's children, the application's processes and whoever looks
        after them); Apache's parent has no part in a request."""
        everyone = cost.descent(self.keeper.pid)[1:]
        parents = [pid for pid in everyone if cost.is_httpd(pid)
                   and cost.parent(pid) == self.keeper.pid]
        children = [pid for pid in everyone if cost.is_httpd(pid)
                    and pid not in parents]
        others = {*everyone} - {*parents, *children}
        return children, sorted(others)

    def stop(self) -> str:
        """End everything; what had to be ended by force, or nothing."""
        if not self.keeper:
            return ""
        self.keeper.terminate()
        self.keeper.wait(STOP_SECONDS)
        forced = [line for line in self.console().splitlines()
                  if line.startswith("keeper: still")]
        shutil.rmtree(self.root, ignore_errors=True)
        return " ".join(forced)


@contextmanager
def ended(stand: Stand):
    """The stand, which has come to its end afterwards."""
    try:
        yield stand
    finally:
        forced = stand.stop()
        if forced:
            print(f"{stand.contender.name}: {forced}", flush=True)


def default_build() -> Path:
    """Where `make` builds, or what it was told."""
    return Path(os.environ.get("BUILD") or HERE.parents[1] / ".build")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]

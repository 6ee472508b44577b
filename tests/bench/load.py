"""One sample: load on one stand for some seconds, and what it cost."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cost
from stand import HERE, Stand
from workloads import Workload

WRK = "/usr/bin/wrk"


@dataclass(frozen=True)
class Sample:
    requests: float     # of a long body, the part that was sent
    cpu: float          # in the workload's unit
    rate: float         # requests per second
    p50: float          # ms
    p99: float          # ms
    failed: dict[str, int]
    others: float       # part of the machine that other programs took

    @property
    def failures(self) -> int:
        return sum(self.failed.values())

    def as_json(self) -> dict:
        return asdict(self)


def command(stand: Stand, workload: Workload, seconds: int) -> list[str]:
    if workload.bulk and workload.post:
        return [sys.executable, str(HERE / "upload.py"), str(stand.port),
                workload.path, str(workload.connections), str(seconds),
                str(stand.arena.body)]
    body = ["--", str(workload.post)] if workload.post is not None else []
    return [WRK, "-t1", f"-c{workload.connections}", f"-d{seconds}s",
            "--timeout", "10s", "-s", str(HERE / "wrk.lua"),
            f"http://127.0.0.1:{stand.port}{workload.path}", *body]


def run(stand: Stand, workload: Workload, seconds: int) -> dict:
    done = subprocess.run(
        command(stand, workload, seconds), capture_output=True, text=True,
        check=False, timeout=seconds + 120, env={"LANG": "C"})
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def client_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime + time.process_time()


def take(stand: Stand, workload: Workload, seconds: int) -> Sample:
    """The servers rest before and after, so all that they use is this."""
    keeper = stand.keeper.pid
    start, busy = time.monotonic(), cost.machine_seconds()
    servers, client = cost.tree_seconds(keeper), client_seconds()
    said = run(stand, workload, seconds)
    used = cost.tree_seconds(keeper) - servers
    elapsed = time.monotonic() - start
    busy = cost.machine_seconds() - busy
    others = busy - used - (client_seconds() - client)
    requests = said["requests"]
    if workload.bulk and not workload.post:
        # What was half sent when the time was over has cost its half.
        requests = said["bytes"] / workload.answer
    return Sample(
        requests=requests,
        cpu=workload.cost(used, requests) if requests else 0.0,
        rate=requests / said["seconds"], p50=said["p50_ms"],
        p99=said["p99_ms"], failed=said["failed"],
        others=max(0.0, others / elapsed / cost.CPUS))


def conditions() -> dict[str, str]:
    """What the figures depend on."""
    def say(*words: str) -> str:
        done = subprocess.run(words, capture_output=True, text=True,
                              check=False)
        return (done.stdout or done.stderr).strip().split("\n")[0]

    return {"machine": f"{cost.CPUS} CPUs, Linux {os.uname().release}",
            "httpd": say("/usr/sbin/apache2", "-v"),
            "python": say("/usr/bin/python3", "--version"),
            "packages": packages(),
            "load average": Path("/proc/loadavg").read_text().split()[0]}


def packages() -> str:
    names = ("libapache2-mod-wsgi-py3", "uwsgi-core", "gunicorn", "wrk")
    try:
        return subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package} ${Version}; ", *names],
            capture_output=True, text=True, check=False).stdout.strip("; \n")
    except FileNotFoundError:
        return "not known"

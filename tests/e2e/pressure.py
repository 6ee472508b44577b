#!/usr/bin/python3
"""Load on a server while something is done to it, and what came of each
request.

    with Pressure(server.port, Ask("/hello", holds="Hello")) as load:
        calm = load.pause(2)
        os.kill(worker, signal.SIGKILL)
        after = load.pause(2)
    assert not load.report.failed, load.report
    assert load.report.between(*after).max_ms < 3 * load.report.within(
        *calm).p99_ms

The load comes from a process of its own, so that nothing the test does is in
its way: this file, which reads a plan and runs until its standard input ends.
Each connection is kept, and sends its next request `every` seconds after the
last one, or as soon as that is answered. An answer that is not as it was asked
for is a failure.
"""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True

from client import Connection, ProtocolError, Response  # noqa: E402

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
URGENT = -5          # its own wait for a processor is not the server's


@dataclass(frozen=True)
class Ask:
    """One request, and what its answer must be."""

    target: str = "/"
    method: str = "GET"
    body: str = ""
    statuses: tuple[int, ...] = (200,)
    holds: str = ""                  # text that the answer's body has
    length: int | None = None        # of the answer's body

    def fault(self, answer: Response) -> str:
        """What is wrong with the answer, or nothing."""
        if answer.status not in self.statuses:
            return f"status {answer.status}"
        if not answer.complete:
            return "truncated"
        if answer.status == self.statuses[0] and not self._fits(answer.body):
            return "wrong content"
        return ""

    def _fits(self, body: bytes) -> bool:
        return (self.holds.encode() in body
                and self.length in (None, len(body)))


@dataclass(frozen=True)
class Event:
    """One request that was sent; times by CLOCK_MONOTONIC."""

    start: float
    seconds: float
    fault: str
    target: str
    repeated: bool


@dataclass
class Report:
    events: list[Event] = field(default_factory=list)

    def between(self, start: float, end: float) -> "Report":
        """The requests that were under way in that time."""
        return Report([one for one in self.events
                       if one.start < end and one.start + one.seconds > start])

    def within(self, start: float, end: float) -> "Report":
        """The requests that began and ended in that time."""
        return Report([one for one in self.events if one.start >= start
                       and one.start + one.seconds <= end])

    def over(self, ms: float) -> int:
        """How many took longer."""
        return sum(one.seconds * 1e3 > ms for one in self.events)

    @property
    def sent(self) -> int:
        return len(self.events)

    @property
    def failed(self) -> list[Event]:
        return [one for one in self.events if one.fault]

    @property
    def repeated(self) -> int:
        """Those whose kept connection was closed as they were sent."""
        return sum(one.repeated for one in self.events)

    def percentile_ms(self, part: float) -> float:
        times = sorted(one.seconds for one in self.events)
        return times[round(part * (len(times) - 1))] * 1e3 if times else 0.0

    @property
    def p50_ms(self) -> float:
        return self.percentile_ms(0.50)

    @property
    def p99_ms(self) -> float:
        return self.percentile_ms(0.99)

    @property
    def max_ms(self) -> float:
        return self.percentile_ms(1)

    def __str__(self) -> str:
        faults = Counter(f"{one.target}: {one.fault}" for one in self.failed)
        return (f"{self.sent} sent, {len(self.failed)} failed"
                f" {dict(faults) or ''}, {self.repeated} repeated, p50"
                f" {self.p50_ms:.1f} ms, p99 {self.p99_ms:.1f},"
                f" max {self.max_ms:.1f}")


class Pressure:
    """The load between the beginning and the end of a `with`."""

    def __init__(self, port: int, *asks: Ask, connections: int = 16,
                 every: float = 0.01, timeout: float = 15):
        self.plan = json.dumps({
            "port": port, "asks": [asdict(ask) for ask in asks or (Ask(),)],
            "connections": connections, "every": every, "timeout": timeout})
        self.timeout = timeout
        self.report = Report()
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Pressure":
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(self.plan + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "go\n"
        return self

    def __exit__(self, *_: object) -> None:
        try:
            said, _none = self.process.communicate(timeout=self.timeout + 15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        self.report = Report([Event(*one) for one in json.loads(said)])

    @staticmethod
    def pause(seconds: float) -> tuple[float, float]:
        """Let it run, and say from when to when."""
        start = time.monotonic()
        time.sleep(seconds)
        return start, time.monotonic()


class Client(threading.Thread):
    """One kept connection. A request that may be repeated is, once, when the
    server closed the connection as it was sent, as every browser does; another
    has a connection of its own, on which that cannot happen."""

    def __init__(self, plan: dict, first: int, stop: threading.Event):
        super().__init__()
        self.port, self.timeout = plan["port"], plan["timeout"]
        self.every, self.stop = plan["every"], stop
        asks = [Ask(**{**ask, "statuses": tuple(ask["statuses"])})
                for ask in plan["asks"]]
        self.asks = itertools.islice(itertools.cycle(asks),
                                     first % len(asks), None)
        self.delay = self.every * first / plan["connections"]
        self.connection: Connection | None = None
        self.events: list[Event] = []

    def run(self) -> None:
        time.sleep(self.delay)
        due = time.monotonic()
        while not self.stop.is_set():
            self.one(next(self.asks))
            due = max(due + self.every, time.monotonic())
            self.stop.wait(max(0.0, due - time.monotonic()))
        self.hang_up()

    def one(self, ask: Ask) -> None:
        start = time.monotonic()
        if ask.method not in SAFE:
            self.hang_up()
        fault = self.attempt(ask)
        repeated = fault == "stale"
        if repeated:
            fault = self.attempt(ask)
        if ask.method not in SAFE:
            self.hang_up()
        self.events.append(Event(start, time.monotonic() - start, fault,
                                 ask.target, repeated))

    def attempt(self, ask: Ask) -> str:
        """What was wrong, or nothing; `stale`: closed before it was heard."""
        is_fresh = self.connection is None
        heard = 0 if is_fresh else self.connection.heard
        try:
            if is_fresh:
                self.connection = Connection(self.port, timeout=self.timeout)
            answer = self.connection.ask(ask.target, method=ask.method,
                                         body=ask.body.encode())
        except (OSError, EOFError, ProtocolError) as error:
            is_stale = (not is_fresh and self.connection.heard == heard
                        and not isinstance(error, TimeoutError))
            self.hang_up()
            return "stale" if is_stale else (
                type(error).__name__ + (" when kept" if not is_fresh else ""))
        if answer.get("Connection").lower() == "close" or not answer.complete:
            self.hang_up()
        return ask.fault(answer)

    def hang_up(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


def be_urgent() -> None:
    try:
        os.nice(URGENT)
    except PermissionError:
        pass


def main() -> None:
    plan, stop = json.loads(sys.stdin.readline()), threading.Event()
    be_urgent()
    clients = [Client(plan, number, stop)
               for number in range(plan["connections"])]
    for client in clients:
        client.start()
    print("go", flush=True)
    sys.stdin.read()
    stop.set()
    for client in clients:
        client.join()
    events = [one for client in clients for one in client.events]
    events.sort(key=lambda one: one.start)
    json.dump([list(asdict(one).values()) for one in events], sys.stdout)


if __name__ == "__main__":
    main()

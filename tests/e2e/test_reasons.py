"""Workers that are replaced, for each reason there is, under load: no request
fails, none waits for code to load, and one worker at a time is loaded."""

import os
import re
import signal
import time

import pytest

from groups import WIDE, daemons
from leftovers import children_of, read_proc
from pressure import Ask, Pressure, Report

LOADS = 1.2             # seconds that the code takes, and nobody waits for
LONGEST_MS = 1000
SECONDS_MAX = 20        # a worker is five seconds old before its size counts

SITE = """
import time
time.sleep(%s)
HELD = []


def spend():
    end = time.thread_time() + 0.02
    while time.thread_time() < end:
        pass


def application(environ, start_response):
    if environ["SCRIPT_NAME"] == "/cpu":
        spend()
    if environ["SCRIPT_NAME"] == "/rss":
        HELD.append(b"x" * 1_500_000)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""

# A group's options, and what the log says of each replacement.
REASONS = {
    "touch": ("", r"ETCL0241: group touch .*touch\.py has changed"),
    "signal": ("", "ETCL0238: group signal replaces its workers: SIGUSR1"),
    "requests": ("maximum-requests=20",
                 "ETCL0263.*group requests .*it has answered maximum-requests"),
    "age": ("restart-interval=2",
            "ETCL0263.*group age .*its restart-interval is over"),
    "cpu": ("cpu-time-limit=1", "ETCL0263.*group cpu .*cpu-time-limit"),
    "rss": ("rss-limit=40M", r"ETCL0286.*group rss .*rss-limit= is 40\.0 MB"),
}
GROUP = """
    WSGIDaemonProcess {name} threads=4 python-path={{work}} {options}
    WSGIScriptAlias /{name} {{work}}/{name}.py process-group={name} \\
        application-group=%{{GLOBAL}}"""
GRANTED = "\n<Directory {work}>\nRequire all granted\n</Directory>"


def site(apache, options: dict[str, str], script: str):
    """A server with these groups, each with the script for its own."""
    server = apache(start=False)
    for name in options:
        (server.work / f"{name}.py").write_text(script)
    server.configure(WIDE + GRANTED + "".join(
        GROUP.format(name=name, options=text)
        for name, text in options.items()))
    return server.start()


def supervisors(server) -> dict[str, int]:
    """The groups' own, by the name that ps shows: "etcld NAME"."""
    own = daemons(server)
    return {read_proc(pid, "cmdline").rstrip(b"\0").split()[-1].decode(): pid
            for pid in children_of()[server.pid] if pid in own}


def loading(server, pids: dict[str, int]) -> dict[str, int]:
    """How many workers of each group are not ready."""
    below = children_of()
    known = {int(found[1]) for line in server.log.lines()
             if (found := re.search(r"ETCL02(?:36|81).*\(?pid (\d+)",
                                    line.text))}
    return {name: len({*below.get(pid, [])} - known)
            for name, pid in pids.items()}


def unreplaced(server) -> list[str]:
    """The groups whose reason was not given, or none of whose workers ended
    for it."""
    return [name for name, (_options, said) in REASONS.items()
            if not server.log.find(said)
            or not server.log.find(f"ETCL0237.*group {name} ")]


@pytest.mark.parametrize("preload", ["off", "on"])
def test_whatever_the_reason_nobody_notices(apache, preload):
    server = site(apache, {
        name: f"processes=2 preload={preload} {options}"
        for name, (options, _said) in REASONS.items()}, SITE % LOADS)
    server.log.wait_for("ETCL0236", 20, 2 * len(REASONS))
    pids, most = supervisors(server), dict.fromkeys(REASONS, 0)
    assert {*pids} == {*REASONS}
    asks = [Ask(f"/{name}", holds="ok") for name in REASONS]
    with Pressure(server.port, *asks, connections=12, every=0.07) as load:
        end = time.monotonic() + SECONDS_MAX
        os.utime(server.work / "touch.py")
        os.kill(pids["signal"], signal.SIGUSR1)
        while unreplaced(server) and time.monotonic() < end:
            for name, count in loading(server, pids).items():
                most[name] = max(most[name], count)
            load.pause(0.05)
    assert not unreplaced(server)
    assert load.report.sent > 500 and not load.report.failed, str(load.report)
    others = Report([one for one in load.report.events
                     if one.target != "/cpu"])     # which waits for a CPU
    assert others.max_ms < LONGEST_MS, str(others)
    assert max(most.values()) <= 1, most


COUNTS = """
import os
answered = 0


def application(environ, start_response):
    global answered
    answered += 1
    start_response("200 OK", [])
    return [f"{os.getpid()} {answered}".encode()]
"""


def test_workers_do_not_all_reach_their_number_together(apache):
    """maximum-requests= less a tenth of it at most, by chance."""
    server = site(apache, {
        "counts": "processes=1 preload=on maximum-requests=100"}, COUNTS)
    reached, end = {}, time.monotonic() + 15
    with server.connect() as connection:
        while len(reached) < 6 and time.monotonic() < end:
            pid, count = connection.ask("/counts").text.split()
            if int(count) >= 80 and pid not in reached and server.log.find(
                    rf"ETCL0263.*counts \(pid {pid}\).*maximum-requests"):
                reached[pid] = int(count)
    assert len(reached) == 6
    assert all(90 <= count <= 105 for count in reached.values()), reached
    assert len({*reached.values()}) > 1, reached


EATS = """
def application(environ, start_response):
    if environ["QUERY_STRING"]:
        bytearray(int(environ["QUERY_STRING"]))
    start_response("200 OK", [])
    return [b"ok"]
"""


@pytest.mark.parametrize("preload", ["off", "on"])
def test_memory_that_is_not_given_costs_the_request_that_wanted_it(apache,
                                                                   preload):
    """memory-limit=: MemoryError, and nobody is replaced."""
    server = site(apache, {"eats": f"processes=2 memory-limit=500000000"
                                   f" preload={preload}"}, EATS)
    server.log.wait_for("ETCL0236", count=2)
    server.expect_traceback("MemoryError", 10)
    before = daemons(server)
    with Pressure(server.port, Ask("/eats", holds="ok"),
                  connections=8) as load:
        load.pause(0.3)
        for _ in range(10):
            assert server.ask("/eats?800000000").status == 500
            assert server.ask("/eats?8000000").status == 200
    assert load.report.sent > 50 and not load.report.failed, load.report
    assert daemons(server) == before

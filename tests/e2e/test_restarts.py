"""Graceful restarts: nothing fails, nothing waits, nothing piles up."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from client import request
from footprint import Footprint
from groups import (PROCESSES, WIDE, daemons, group, status,
                    supervisors)
from pressure import Ask, Pressure
from server import free_port
from waiting import wait_for_file, wait_until

RESTARTS = 40
GENERATION = 3          # processes of the group: a supervisor, two workers
STALL_MS = 900          # httpd's own is a second, when nothing is done


def settled(server) -> Footprint:
    """What the parent holds when only one generation is left."""
    assert wait_until(lambda: len(daemons(server)) == GENERATION, 20)
    return Footprint.of(server.pid, server.root)


@pytest.mark.slow(120)
def test_many_restarts_leave_the_parent_as_it_was(apache):
    """And old generations do not wait for each other: what is there at once
    is bounded, however fast the restarts come."""
    server = apache(PROCESSES)
    server.graceful()
    before, most = settled(server), 0
    for _ in range(RESTARTS):
        server.graceful()
        most = max(most, len(daemons(server)))
    after = settled(server)
    assert not after.grown(before), (after.grown(before),
                                     after.new_kinds(before))
    assert after.private_kb < before.private_kb + 4 * RESTARTS
    assert most <= 5 * GENERATION
    assert server.ask("/hello").status == 200


@pytest.mark.slow(90)
def test_restarts_of_a_group_that_does_not_load_pile_up_no_more(apache):
    server = apache(group("processes=2"), start=False)
    (server.work / "broken.py").write_text("import no_such_module\n")
    server.configure(group("processes=2").replace(
        "WSGIScriptAlias /hello {apps}/hello.py",
        "WSGIScriptAlias /hello {work}/broken.py"))
    server.allow_log("ETCL0|no_such_module|Traceback|^  ")
    server.start()
    for _ in range(12):
        server.graceful()
        assert len(daemons(server)) <= 5 * GENERATION


def test_a_service_is_not_there_twice_after_a_restart(apache):
    """Its successor may want its port, and its work done once, though an
    Apache child has something to finish."""
    server = apache(group() + """
        WSGIDaemonProcess jobs threads=0
        WSGIImportScript {work}/job.py process-group=jobs \\
            application-group=%{GLOBAL}""", start=False)
    flag = server.work / "holds the port"
    (server.work / "job.py").write_text(SERVICE % (free_port(), str(flag)))
    server.start()
    wait_for_file(flag)
    with server.connect() as connection:
        connection.send(request("/failing/sleeps?seconds=4"))
        time.sleep(0.3)
        first = flag.read_text()
        server.graceful()
        assert wait_until(lambda: flag.read_text() not in (first, ""), 3)
        assert wait_until(lambda: not Path(f"/proc/{first}").exists(), 1)
        assert connection.read().status == 200


SERVICE = """
import os, pathlib, socket, time
port = socket.create_server(("127.0.0.1", %d))
pathlib.Path(%r).write_text(str(os.getpid()))
while True:
    time.sleep(0.1)
"""


@pytest.mark.parametrize("more", [0, 2])
def test_a_request_in_flight_survives_restarts(apache, more):
    server = apache(group())
    pid, answers = status(server)["pid"], []
    asking = threading.Thread(target=lambda: answers.append(
        server.ask("/failing/sleeps?seconds=3")))
    asking.start()
    time.sleep(0.3)
    for _ in range(1 + more):
        server.graceful()
    assert wait_until(lambda: status(server)["pid"] != pid)
    assert not answers
    asking.join(20)
    assert [answer.status for answer in answers] == [200]


@pytest.mark.parametrize("first", ["kill", "graceful"])
def test_old_children_get_another_supervisor_for_their_queue(apache, first):
    """Those who wait in them have nowhere else to go."""
    server = apache(group("processes=1 threads=1") + WIDE)
    server.allow_log("ETCL0154|ETCL0271")
    victim = supervisors(server)[0]
    waiting = [server.connect() for _ in range(3)]
    for connection in waiting:
        connection.send(request("/failing/sleeps?seconds=1"))
    time.sleep(0.3)
    if first == "kill":
        os.kill(victim, signal.SIGKILL)
    server.graceful()
    if first == "graceful":
        os.kill(victim, signal.SIGKILL)
    begin = time.monotonic()
    for connection in waiting:
        assert connection.read().status == 200
        connection.close()
    assert time.monotonic() - begin < 8
    assert wait_until(lambda: len(daemons(server)) == 2, 15)


@pytest.mark.parametrize("times, limit_ms", [(1, STALL_MS),
                                             (6, 3 * STALL_MS)])
def test_a_graceful_restart_under_load_fails_nothing(apache, times, limit_ms):
    """With several in a row, each begins before the last one has ended."""
    server = apache(PROCESSES + WIDE)
    server.allow_log("ETCL0154")
    with Pressure(server.port, Ask("/hello", holds="Hello", length=14)) as load:
        load.pause(0.5)
        for _ in range(times):
            server.run("-k", "graceful")
            load.pause(0.05)
        load.pause(1.5)
    assert not load.report.failed, load.report
    assert load.report.max_ms < limit_ms, load.report


@pytest.mark.parametrize("threaded", ["event", "worker"])
def test_new_children_do_not_wait_for_the_end_of_old_ones(apache, threaded):
    """Each old child has a request that takes longer than httpd's pause
    before it starts new ones; others are answered meanwhile."""
    server = apache(group("threads=15") + WIDE, mpm=threaded)
    busy = [server.connect() for _ in range(8)]
    for connection in busy:
        connection.send(request("/failing/sleeps?seconds=2.5"))
    time.sleep(0.3)
    with Pressure(server.port, Ask("/hello"), connections=2) as load:
        load.pause(0.2)
        server.run("-k", "graceful")
        load.pause(1.5)
    assert not load.report.failed, load.report
    assert load.report.max_ms < STALL_MS, load.report
    for connection in busy:
        assert connection.read().status == 200
        connection.close()

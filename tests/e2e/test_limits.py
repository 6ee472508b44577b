"""Time limits and overload: 504, 503, and nothing that is mixed up."""

import os
import signal
import time

import pytest

from client import request
from groups import group
from test_callables import ask_together
from waiting import wait_for_file, wait_for_hello

NUMBER = r"ETCL0\d\d\d"

@pytest.mark.differs
def test_a_request_that_takes_too_long_is_a_504(apache):
    """request-timeout: 504; Python stack of exactly that thread."""
    server = apache(group("threads=1 request-timeout=1"))
    server.expect_log(f"{NUMBER}.*failing|failing.py")
    server.allow_log(f"{NUMBER}|File|sleep|line")
    begin = time.monotonic()
    assert server.ask("/failing/sleeps?seconds=20").status == 504
    assert time.monotonic() - begin < 6
    wait_for_hello(server)


@pytest.mark.differs
def test_a_stale_answer_never_reaches_the_next_request(apache):
    """gunicorn 26.1: an answer that comes after its time limit is dropped
    with its link."""
    server = apache(group("threads=2 socket-timeout=1"))
    server.expect_log(NUMBER)
    for _ in range(3):
        assert server.ask("/failing/sleeps?seconds=1.3").status == 504
        for _ in range(5):
            assert server.ask("/hello").body == b"Hello, world!\n"
            time.sleep(0.1)


def occupy(server, count: int, seconds: float) -> list:
    """Hold `count` threads of the group for some time."""
    held = []
    for number in range(count):
        flag = server.work / f"held-{number}-{time.monotonic_ns()}"
        connection = server.connect()
        connection.send(request(
            f"/failing/sleeps?seconds={seconds}&flag={flag}"))
        wait_for_file(flag)
        held.append(connection)
    return held


@pytest.mark.every_mpm
@pytest.mark.differs
def test_a_full_queue_answers_503_at_once(apache):
    """queue full: 503 with Retry-After; busy, queued; once per burst."""
    server = apache(group("threads=1 listen-backlog=1"))
    held = occupy(server, 1, 2)
    queued = server.connect()
    queued.send(request("/hello"))
    time.sleep(0.2)
    server.expect_log(rf"{NUMBER}.*\bg\b.*queue.*busy", 1)
    for _ in range(5):
        begin = time.monotonic()
        answer = server.ask("/hello")
        assert answer.status == 503 and answer.get("Retry-After")
        assert time.monotonic() - begin < 1
    assert held[0].read().status == 200
    assert queued.read().status == 200


@pytest.mark.differs
def test_too_long_in_the_queue_is_a_504(apache):
    """too old: 504, enforced while waiting."""
    server = apache(group("threads=1 queue-timeout=1"))
    occupy(server, 1, 4)
    server.expect_log(rf"{NUMBER}.*\bg\b.*(queue|wait)")
    begin = time.monotonic()
    assert server.ask("/hello").status == 504
    assert 0.8 < time.monotonic() - begin < 2.5


def test_requests_queue_while_the_group_is_busy(apache):
    """One thread, ten requests: all are answered, one after the other."""
    server = apache(group("threads=1"))
    answers = ask_together(server, ["/failing/sleeps?seconds=0.1"] * 10)
    assert all(answer.startswith("slept") for answer in answers)


@pytest.mark.differs
def test_a_stopped_worker_does_not_stop_its_group(apache):
    """A worker whose heartbeat stands still gets no new requests; the
    others of its group go on."""
    server = apache(group("processes=2 threads=2"))
    pids = set()
    for _ in range(200):
        pids.add(int(server.ask("/failing/sleeps?seconds=0").text.split()[1]))
        if len(pids) == 2:
            break
    victim = pids.pop()
    os.kill(victim, signal.SIGSTOP)
    try:
        time.sleep(3)
        good = sum(server.ask("/hello", timeout=5).status == 200
                   for _ in range(10))
    finally:
        os.kill(victim, signal.SIGCONT)
    server.allow_log(NUMBER)
    assert good == 10

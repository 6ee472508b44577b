"""More requests than a group answers: who waits, who is refused, who has left,
and what the log says of it."""

import re
import socket
import struct
import time

import pytest

from client import request
from groups import WIDE, group
from pressure import Ask, Pressure
from test_limits import occupy
from waiting import wait_until

BUSY = r"ETCL0150"
LEFT = r"ETCL0157"


def reset(connection) -> None:
    """Leave as a client does that is killed: RST instead of FIN."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
    connection.close()


def waiting(server, flag) -> object:
    """A connection whose request waits in the queue of a busy group."""
    connection = server.connect()
    connection.send(request(f"/failing/sleeps?seconds=0&flag={flag}"))
    time.sleep(0.4)
    return connection


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("leave", [reset, lambda c: c.close()],
                         ids=["reset", "close"])
def test_a_client_that_left_the_queue_is_not_served(apache, leave):
    """A request whose client has left is not given to a worker; the access
    log says 499."""
    server = apache(group("threads=1")
                    + 'CustomLog {root}/logs/access.log "%>s %U"')
    held = occupy(server, 1, 1.5)
    flag = server.work / "served"
    leave(waiting(server, flag))
    server.log.wait_for(LEFT)
    server.expect_log(LEFT, 1)
    assert held[0].read().status == 200
    assert server.ask("/hello").status == 200
    assert not flag.exists()
    access = (server.root / "logs/access.log").read_text()
    assert "499 /failing/sleeps" in access


@pytest.mark.differs
def test_a_place_in_the_queue_is_free_again_when_its_client_leaves(apache):
    server = apache(group("threads=1 listen-backlog=1"))
    server.allow_log(LEFT)
    held = occupy(server, 1, 2)
    waiting(server, server.work / "first").close()
    server.log.wait_for(LEFT)
    second = waiting(server, server.work / "second")
    assert held[0].read().status == 200
    assert second.read().status == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_half_a_connection_is_waited_for(apache, version):
    """Who closes its sending side with its request, as `nc -N` does, is
    answered, also after a wait."""
    server = apache(group("threads=1"))
    held = occupy(server, 1, 1)
    with server.connect() as connection:
        connection.send(request("/hello", version=version,
                                headers=(("Connection", "close"),)))
        time.sleep(0.05)
        connection.sock.shutdown(socket.SHUT_WR)
        assert connection.read().body == b"Hello, world!\n"
    assert held[0].read().status == 200


@pytest.mark.differs
def test_the_slowest_request_is_named(apache):
    """busy, queued, oldest, slowest URL; one line for a burst; 503 with
    Retry-After."""
    server = apache(group("threads=2 listen-backlog=1"))
    server.expect_log(BUSY, 1)
    slow = occupy(server, 1, 4)
    time.sleep(1.1)
    other = server.connect()
    other.send(request("/threads/meet?id=alone&n=2&seconds=2"))
    time.sleep(0.2)
    queued = waiting(server, server.work / "queued")
    for _ in range(3):
        answer = server.ask("/hello?secret=1")
        assert answer.status == 503 and int(answer.get("Retry-After")) > 0
    server.log.wait_for(BUSY)
    text = server.log.text()
    found = re.search(r"2 of 2 threads busy, 1 requests waiting, the oldest "
                      r"for (\d+) ms; the slowest is GET /failing/sleeps, for "
                      r"(\d+) s; GET /hello was answered 503", text)
    assert found, text
    assert 300 < int(found[1]) < 3000 and 1 <= int(found[2]) <= 3
    assert "secret" not in text.partition(BUSY)[2].partition("\n")[0]
    assert slow[0].read().status == queued.read().status == 200


@pytest.mark.differs
def test_a_burst_of_504_is_one_line(apache):
    """Too old: 504 while it waits, in its time, one line for all."""
    server = apache(group("threads=1 queue-timeout=1") + WIDE)
    server.expect_log(BUSY, 1)
    held = occupy(server, 1, 3)
    begin = time.monotonic()
    many = [server.connect() for _ in range(10)]
    for connection in many:
        connection.send(request("/hello"))
    assert [each.read().status for each in many] == [504] * 10
    assert 0.9 < time.monotonic() - begin < 2.5
    assert held[0].read().status == 200


@pytest.mark.differs
def test_a_stalled_upload_takes_no_thread(apache):
    """request-buffering=on: a small body is received before a thread of the
    group is taken; who leaves meanwhile costs none either."""
    server = apache(group("threads=1") + BODY)
    server.expect_log("ETCL0156", 3)
    slow = [server.connect() for _ in range(3)]
    for connection in slow:
        connection.send(request("/body/all", method="POST",
                                body=b"x" * 1000)[:-999])
    begin = time.monotonic()
    for _ in range(5):
        assert server.ask("/hello").status == 200
    assert time.monotonic() - begin < 2
    for connection in slow:
        connection.close()
    assert wait_until(lambda: len(server.log.find("ETCL0156")) == 3)
    assert not server.log.find("body broke|Traceback|ClientDisconnected")


BODY = "WSGIScriptAlias /body {apps}/body.py\n"


@pytest.mark.differs
def test_fifty_clients_of_a_byte_at_a_time_take_no_thread(apache):
    """Half of them send their head so, half their body; others are answered
    as if they were not there, and in the end so are they."""
    server = apache(group("threads=1") + BODY + WIDE)
    whole = request("/body/all", method="POST", body=b"x" * 50)
    starts = [0 if number % 2 else len(whole) - 50 for number in range(50)]
    slow = [server.connect(timeout=30) for _ in starts]
    with Pressure(server.port, Ask("/hello"), connections=4) as load:
        for connection, start in zip(slow, starts):
            connection.send(whole[:start])
        for step in range(50):
            for connection, start in zip(slow, starts):
                connection.send(whole[start + step:start + step + 1])
            load.pause(0.03)
        busy = load.pause(0.1)
    for connection, start in zip(slow, starts):
        connection.send(whole[start + 50:])
        assert connection.read().status == 200
        connection.close()
    report = load.report.within(0, busy[1])
    assert report.sent > 100 and not report.failed, report
    assert report.max_ms < 500, report


@pytest.mark.differs
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [131071, 131072, 131073, 400000])
def test_around_the_bound_every_byte_arrives(battery, size, chunked):
    """Bytes that come in pieces, below and above what is buffered."""
    body = bytes(i % 251 for i in range(size))
    whole = request("/body/echo", method="POST", body=body, chunked=chunked)
    with battery.connect() as connection:
        connection.send(whole[:70000])
        time.sleep(0.05)
        connection.send(whole[70000:131000])
        time.sleep(0.05)
        connection.send(whole[131000:])
        assert connection.read().body == body


LINES = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield from environ["wsgi.input"]
"""


@pytest.mark.differs
def test_without_buffering_a_client_may_wait_in_the_middle(apache):
    """request-buffering=off: a piece of the answer for each piece of the
    body."""
    server = apache(group("threads=1 request-buffering=off"), start=False)
    (server.work / "lines.py").write_text(LINES)
    server.start()
    with server.connect() as connection:
        connection.send(request("/own/lines.py", chunked=True)[:-5]
                        + b"4\r\none\n\r\n")
        connection.read_head()
        seen = b""
        while b"one\n" not in seen:
            seen += connection.read_some()
        connection.send(b"4\r\ntwo\n\r\n0\r\n\r\n")
        while b"two\n" not in seen:
            seen += connection.read_some()


@pytest.mark.differs
def test_a_body_that_is_too_slow_is_a_408(apache):
    """mod_reqtimeout still holds, and no worker is asked."""
    server = apache(group("threads=1") + BODY
                    + "RequestReadTimeout body=1\n", extra=("reqtimeout",))
    server.expect_log("ETCL0156.*in time", 1)
    server.allow_log("AH0")
    with server.connect() as connection:
        connection.send(request("/body/all", method="POST",
                                body=b"x" * 1000)[:-10])
        assert connection.read().status == 408

"""Clients that take long to ask or to read keep nobody else from an answer,
whatever the application's way of giving it."""

import gzip
import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import request
from groups import WIDE, group
from test_filters import GZIP, content, read_slowly
from test_overload import reset
from tls import MODULES, NOISE, tls_host, trusting
from waiting import wait_until

WAYS = ("bytes", "list", "stream", "measured", "write", "blocks", "file")
SIZE = 5_000_000
LEFT = r"ETCL0143"
LINES = WIDE + """
    Timeout 60
    <IfModule mpm_event_module>
        MaxRequestWorkers 384
        MaxSpareThreads 384
        AsyncRequestWorkerFactor 8
    </IfModule>
    WSGIScriptAlias /counted {apps}/counted.py
    WSGIScriptAlias /streams {apps}/streams.py
"""
DEFLATE = """
    <Location /counted/noise>
        SetOutputFilter DEFLATE
    </Location>
    SendBufferSize 8192
"""
HURRIED = """
    SendBufferSize 8192
    Timeout 2
"""


@pytest.fixture
def site(apache):
    return apache(group("threads=2") + LINES)


def hello_is_quick(site, times: int = 20) -> None:
    """While others are slow; one answer in the time they take all of it."""
    longest = 0.0
    for _ in range(times):
        begin = time.monotonic()
        with site.connect(timeout=8) as connection:
            assert connection.ask("/hello").body == b"Hello, world!\n"
        longest = max(longest, time.monotonic() - begin)
    assert longest < 5


def is_whole(connection, size: int, seed: int = 1) -> bool:
    with connection:
        answer = connection.read()
        return answer.complete and answer.body == content(size, seed)


@pytest.mark.every_mpm
def test_a_crowd_that_reads_nothing_keeps_nobody_waiting(site):
    """60 readers of 5 MB and 50 that send byte by byte; two threads. Fewer
    where each keeps a thread, or a process, of Apache."""
    readers, senders = (60, 50) if site.mpm == "event" else (7, 4)
    ways = list(itertools.islice(itertools.cycle(WAYS), readers))
    slow = [read_slowly(site.port, f"/counted/{way}?size={SIZE}&seed={seed}")
            for seed, way in enumerate(ways)]
    senders = [site.connect() for _ in range(senders)]
    asked = request("/hello", method="POST", body=b"x" * 20)
    for at in range(3):
        for sender in senders:
            sender.send(asked[at:at + 1])
        hello_is_quick(site, 5)
    assert wait_until(lambda: is_idle(site))
    hello_is_quick(site)
    for sender in senders:
        sender.send(asked[3:])
        assert sender.read().status == 200
        sender.close()
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda each, seed: is_whole(each, SIZE, seed),
                             slow, range(readers)))
    assert [way for way, good in zip(ways, said) if not good] == []


def is_idle(site) -> bool:
    """Two threads answer at once, since nobody else has them."""
    begin = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda _: site.ask("/hello").status, range(8))
        assert set(answers) == {200}
    return time.monotonic() - begin < 0.5


def test_more_than_is_kept_for_a_client_comes_in_order(site):
    """Four times what is kept; the worker waits for this client."""
    size = 48_000_000
    slow = read_slowly(site.port, f"/counted/stream?size={size}")
    hello_is_quick(site, 5)
    assert is_whole(slow, size)


def breaks(site, **how):
    """A slow client of an answer that has broken off."""
    slow = read_slowly(site.port, f"/counted/breaks?size={SIZE}", **how)
    site.log.wait_for("no end")
    site.allow_log('no end|Traceback|ETCL0314|File "')
    hello_is_quick(site, 5)
    return slow


def test_an_answer_that_breaks_off_has_no_end(site):
    with breaks(site) as slow:
        answer = slow.read()
    assert not answer.complete
    assert answer.body == content(SIZE)[:len(answer.body)]


def test_an_answer_without_length_that_breaks_off_ends_with_a_reset(site):
    with breaks(site, version="1.0") as slow:
        slow.read_head()
        with pytest.raises(ConnectionResetError):
            while slow.sock.recv(65536):
                pass


@pytest.mark.parametrize("leave", [lambda _: None, reset],
                         ids=["waits", "resets"])
def test_an_endless_answer_ends_when_nobody_takes_it(mpm, apache, leave):
    """Whoever reads nothing for all of Timeout is given up, as is whoever has
    gone; the application is told."""
    site = apache(group("threads=2") + LINES + HURRIED)
    site.allow_log(LEFT)
    slow = read_slowly(site.port, "/streams/forever")
    hello_is_quick(site, 5)
    leave(slow)
    site.log.wait_for("forever was closed", 15)
    site.allow_log("forever was closed")
    slow.close()


def test_what_follows_a_part_that_was_waited_for(site):
    """The application reads a body while its client reads nothing."""
    body = content(300_000)
    slow = read_slowly(site.port, "/counted/between?size=2000000",
                       method="POST", body=body)
    hello_is_quick(site, 5)
    with slow:
        answer = slow.read()
    assert answer.complete and answer.body == content(2_000_000) + body


def test_slow_readers_of_what_is_compressed_hold_no_worker(apache):
    site = apache(group("threads=2") + LINES + DEFLATE,
                  extra=("filter", "deflate"))
    size = 1_000_000
    slow = [read_slowly(site.port, f"/counted/noise?size={size}", headers=GZIP)
            for _ in range(3)]
    hello_is_quick(site)
    noise = random.Random(1).randbytes(size)
    for connection in slow:
        with connection:
            answer = connection.read()
            assert answer.complete
            assert gzip.decompress(answer.body) == noise


def test_slow_readers_over_tls_hold_no_worker(mpm, apache):
    site = apache(start=False, extra=MODULES)
    host, site.tls_port = tls_host(site)
    site.configure(group("threads=2") + LINES + host)
    site.start()
    site.allow_log(NOISE)
    slow = [read_slowly(site.tls_port, f"/counted/{way}?size={SIZE}",
                        trusting())
            for way in WAYS]
    hello_is_quick(site)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda each: is_whole(each, SIZE), slow))

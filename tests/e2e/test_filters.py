"""Large answers, and what stands between them and the client: the same bytes,
as soon as they are there, whoever reads them and however slowly."""

import gzip
import os
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Connection, request
from conftest import missing
from tls import MODULES, NOISE, tls_host

WAYS = ("bytes", "list", "iterator", "stream", "blocks", "file")
WITH_RANGES = ("bytes", "list", "iterator", "file")
SIZES = (0, 65000, 70001, 1 << 20, (2 << 20) + 1, 3000000)
FILTERS = ("plain", "deflate", "rate", "both")
LINES = """
WSGIRestrictEmbedded On
WSGIDaemonProcess etcl processes=1 threads=2 python-path={apps}
WSGIProcessGroup etcl
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAliasMatch ^/(?:plain|deflate|rate|both)(?=/) {apps}/counted.py
<Location /deflate>
    SetOutputFilter DEFLATE
</Location>
<Location /rate>
    SetOutputFilter RATE_LIMIT
    SetEnv rate-limit 200000
</Location>
<Location /both>
    SetOutputFilter DEFLATE;RATE_LIMIT
    SetEnv rate-limit 200000
</Location>
Protocols h2 http/1.1
"""
GZIP = (("Accept-Encoding", "gzip"),)


def content(size: int, seed: int = 1) -> bytes:
    """What apps/counted.py answers."""
    line = b"".join(b"%d:%07d\n" % (seed, number) for number in range(1000))
    return (line * (size // len(line) + 1))[:size]


@pytest.fixture
def site(apache):
    """A server with every filter; its host with TLS speaks HTTP/2, too."""
    server = apache(start=False, extra=("filter", "deflate", "ratelimit",
                                        "http2", *MODULES))
    host, server.tls_port = tls_host(server)
    server.configure(LINES + host)
    server.start()
    server.allow_log(f"{NOISE}|AH10034")
    return server


def with_tls(server) -> Connection:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return Connection(server.tls_port, tls=context)


def check(connection, target: str, want: bytes, headers: tuple = ()) -> None:
    answer = connection.ask(target, headers=headers)
    body = answer.body
    assert answer.status == 200 and answer.complete
    if answer.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    elif answer.get("Content-Length"):
        assert int(answer.get("Content-Length")) == len(want)
    assert body == want


@pytest.mark.every_mpm
@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_gets_the_same_bytes(site, name):
    """The connection is kept, and so is what stays with a link."""
    with site.connect() as plain, with_tls(site) as tls:
        for size in SIZES:
            for way in WAYS:
                target = f"/{name}/{way}?size={size}"
                check(plain, target, content(size), GZIP)
                check(tls, target, content(size), GZIP)


def curl(server, *arguments: str) -> list[str]:
    """Ask in HTTP/2, for one after the other on one connection."""
    if not os.path.exists("/usr/bin/curl"):
        missing("curl")
    return ["/usr/bin/curl", "-sSNk", "--http2", "--fail", "-w",
            "%{stderr}%{http_version}",
            *(f"https://127.0.0.1:{server.tls_port}{each}"
              for each in arguments)]


@pytest.mark.http2
@pytest.mark.parametrize("way", WAYS)
def test_http_2_gets_the_same_bytes(site, way):
    targets = [f"/{name}/{way}?size={size}"
               for size in SIZES for name in FILTERS]
    done = subprocess.run(curl(site, *targets), capture_output=True,
                          check=True, timeout=30)
    want = b"".join(content(size) * len(FILTERS) for size in SIZES)
    assert done.stdout == want and done.stderr == b"2" * len(targets)


@pytest.mark.parametrize("way", WITH_RANGES)
@pytest.mark.parametrize("tls", [False, True])
def test_ranges_of_a_large_answer(site, way, tls):
    """httpd makes them, of what it has as a whole."""
    want = content(1 << 20)
    with with_tls(site) if tls else site.connect() as connection:
        for first, last in ((0, 0), (100, 199), (65530, 900000), (5, 1 << 20)):
            answer = connection.ask(
                f"/plain/{way}?size={1 << 20}",
                headers=(("Range", f"bytes={first}-{last}"),))
            assert answer.status == 206 and answer.complete
            assert answer.body == want[first:last + 1]


@pytest.mark.parametrize("way", WAYS)
def test_head_of_a_large_answer(site, way):
    with site.connect() as connection:
        answer = connection.ask(f"/plain/{way}?size=1000000", method="HEAD")
        assert answer.status == 200 and answer.body == b""
        assert answer.get("Content-Length", "1000000") == "1000000"
        check(connection, "/plain/bytes?size=1000000", content(1000000))


@pytest.mark.parametrize("name", ["plain", "deflate", "rate"])
def test_the_first_block_does_not_wait_for_the_second(site, name):
    """PEP 3333, "Middleware Handling of Block Boundaries"."""
    for connection in (site.connect(), with_tls(site)):
        with connection:
            start = time.monotonic()
            connection.send(request(f"/{name}/slowly"))
            connection.read_head()
            assert connection.read_some()
            assert time.monotonic() - start < 0.8


@pytest.mark.http2
def test_the_first_block_does_not_wait_in_http_2(site):
    start = time.monotonic()
    with subprocess.Popen(curl(site, "/plain/slowly"), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as done:
        assert done.stdout.readline() == b"first\n"
        assert time.monotonic() - start < 0.8
        assert done.stdout.read() == b"second\n"


def read_slowly(port: int, target: str,
                tls: ssl.SSLContext | None = None, **how) -> Connection:
    """Ask with a small window, and read nothing yet."""
    connection = Connection(port, timeout=20)
    connection.sock.close()
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sock.settimeout(20)
    connection.sock.connect(("127.0.0.1", port))
    if tls:
        connection.sock = tls.wrap_socket(connection.sock)
    connection.send(request(target, **how))
    return connection


@pytest.mark.parametrize("way", ["bytes", "list", "iterator"])
def test_clients_that_read_slowly_hold_nobody(site, way):
    """More of them than Apache has threads, and than the worker has."""
    if site.mpm != "event":
        pytest.skip("only the event MPM finishes an answer without a thread")
    sizes = (200000, 2 << 20, 5000000, 1 << 20)
    slow = [read_slowly(site.port, f"/plain/{way}?size={sizes[n % 4]}&seed={n}")
            for n in range(40)]
    start = time.monotonic()
    for _ in range(5):
        check(site, "/plain/bytes?size=100000", content(100000))
    assert time.monotonic() - start < 5
    for number, connection in enumerate(slow):
        with connection:
            answer = connection.read()
            assert answer.complete
            assert answer.body == content(sizes[number % 4], number)


def test_answers_are_never_mixed(site):
    """Many at once, through few links, each with bytes of its own."""
    def ask(number: int) -> bool:
        size = (1 + number * 7919 % 23) * 90000
        way = WAYS[number % len(WAYS)]
        answer = site.ask(f"/plain/{way}?size={size}&seed={number}")
        return answer.complete and answer.body == content(size, number)

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(200)))


def test_a_client_that_leaves_breaks_nothing_for_the_next(site):
    for number in range(20):
        with site.connect() as connection:
            connection.send(request(f"/plain/bytes?size={2 << 20}"))
            if number % 2:
                connection.read_head()
        check(site, f"/plain/bytes?size=300000&seed={number}",
              content(300000, number))

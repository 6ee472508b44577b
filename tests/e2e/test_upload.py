"""Long bodies: whatever way they take from the socket to the application,
every byte arrives, once and in its place, and none of the next request's."""

import gzip
import hashlib
import json
import random
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from client import Connection, chunk, request
from tls import MODULES as TLS_MODULES, NOISE, tls_host
from waiting import wait_until

LONG = random.Random(5).randbytes(3_000_017)
SHA = hashlib.sha256(LONG).hexdigest()
MODES = {"daemon": "WSGIDaemonProcess g threads=4 python-path={apps}\n"
                   "WSGIProcessGroup g\n",
         "embedded": "WSGIPythonPath {apps}\n"}
MOUNT = """
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAlias /body {apps}/body.py
WSGIScriptAlias /hello {apps}/hello.py
"""
READERS = ["digest", "all", "read?n=1000000", "read?n=300001", "read?n=65536",
           "read?n=50000", "read?n=9000", "iterate", "mixed"]

pytestmark = pytest.mark.differs


@pytest.fixture(scope="module", params=MODES)
def way(request):
    return request.param


@pytest.fixture
def site(apache, way):
    """A function: a server of this mode with more lines."""
    def make(lines: str = "", **how):
        return apache(MODES[way] + MOUNT + lines, **how)
    return make


def seen(answer) -> tuple:
    assert answer.status == 200, answer.body
    said = json.loads(answer.body)
    return said["length"], said["sha"]


def in_pieces(connection, data: bytes, size: int, pause: float = 0) -> None:
    for at in range(0, len(data), size):
        connection.send(data[at:at + size])
        time.sleep(pause)


def test_every_way_to_read_a_long_body(site):
    server = site()
    with server.connect() as connection:
        for how in READERS:
            answer = connection.ask(f"/body/{how}", method="POST", body=LONG)
            assert seen(answer) == (len(LONG), SHA), how
            answer = connection.ask(f"/body/{how}", method="POST", body=LONG,
                                    chunked=True)
            assert seen(answer) == (len(LONG), SHA), how


@pytest.mark.parametrize("size", [1, 7999, 8000, 8001, 65536, 98303, 98304,
                                  262143, 262144, 262145, 524289, 1_048_576])
def test_a_length_around_each_limit(web, size):
    with web.connect() as connection:
        for how in ("digest", "read?n=98304", "read?n=262144"):
            answer = connection.ask(f"/body/{how}", method="POST",
                                    body=LONG[:size])
            assert seen(answer) == (
                size, hashlib.sha256(LONG[:size]).hexdigest())


def test_a_body_that_comes_in_dribs_and_drabs(site):
    """The head alone, with some of the body, in large and in small pieces."""
    server = site()
    head = request("/body/digest", method="POST", body=LONG)[:-len(LONG)]
    with server.connect() as connection:
        for first, size, pause in ((0, 100_000, 0.002), (1, 30_000, 0.001),
                                   (9000, 1_000_000, 0.02)):
            connection.send(head + LONG[:first])
            in_pieces(connection, LONG[first:], size, pause)
            assert seen(connection.read()) == (len(LONG), SHA)


def test_the_next_request_is_not_taken_for_the_body(site):
    """Pipelined in the same packets: long, long, small, long, small."""
    server = site()
    post = request("/body/digest", method="POST", body=LONG)
    get = request("/hello")
    last = request("/hello", headers=(("Connection", "close"),))
    with server.connect() as connection:
        sender = threading.Thread(
            target=connection.send, args=(post + post + get + post + last,))
        sender.start()
        for kind in "ppgpg":
            answer = connection.read()
            if kind == "p":
                assert seen(answer) == (len(LONG), SHA)
            else:
                assert answer.body == b"Hello, world!\n"
        sender.join(10)


def test_what_is_not_read_is_thrown_away(site):
    """The application reads some of it, and the connection goes on."""
    server = site()
    with server.connect() as connection:
        for size in (1, 70_000, 300_000):
            answer = connection.ask(f"/body/once?n={size}", method="POST",
                                    body=LONG)
            assert seen(answer) == (
                size, hashlib.sha256(LONG[:size]).hexdigest())
            assert connection.ask("/hello").body == b"Hello, world!\n"


def test_many_at_once_do_not_mix(site):
    server = site()
    failed = []

    def upload(number: int) -> None:
        body = bytes([number]) * 10 + LONG[number:1_500_000 + number]
        sha = hashlib.sha256(body).hexdigest()
        with server.connect() as connection:
            for _ in range(4):
                answer = connection.ask("/body/digest", method="POST",
                                        body=body)
                if seen(answer) != (len(body), sha):
                    failed.append(number)

    threads = [threading.Thread(target=upload, args=(number,))
               for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failed


def test_the_time_of_a_slow_client_is_watched(site):
    """mod_reqtimeout: too slow in the middle of a long body is 408."""
    server = site("RequestReadTimeout body=1\n", extra=("reqtimeout",))
    server.allow_log("(?i)AH0\\d+|client|body|ETCL")
    with server.connect() as connection:
        assert seen(connection.ask("/body/digest", method="POST",
                                   body=LONG)) == (len(LONG), SHA)
        connection.send(request("/body/digest", method="POST",
                                body=LONG)[:1_000_000])
        begin = time.monotonic()
        assert connection.read().status == 408
        assert 0.5 < time.monotonic() - begin < 5


def test_what_came_in_is_counted(site):
    """mod_logio counts every byte of it."""
    server = site('LogFormat "%I" in\n'
                  "CustomLog {root}/logs/access.log in\n")
    whole = request("/body/digest", method="POST", body=LONG)
    with server.connect() as connection:
        for _ in range(2):
            connection.send(whole)
            assert seen(connection.read()) == (len(LONG), SHA)
    access = server.root / "logs/access.log"
    wait_until(lambda: access.exists()
               and len(access.read_text().split()) == 2)
    assert access.read_text().split() == [str(len(whole))] * 2


def test_a_filter_may_change_the_body(site):
    """mod_deflate inflates it; the length is not known then."""
    server = site("SetInputFilter DEFLATE\n", extra=("filter", "deflate"))
    packed = gzip.compress(LONG, 1)
    encoding = (("Content-Encoding", "gzip"),)
    with server.connect() as connection:
        for _ in range(2):
            answer = connection.ask(
                "/body/digest", method="POST", body=packed, chunked=True,
                headers=encoding)
            assert seen(answer) == (len(LONG), SHA)


def test_over_tls(site):
    server = site(start=False, extra=TLS_MODULES)
    host, port = tls_host(server)
    with open(server.conf, "a", encoding="utf-8") as conf:
        conf.write(host)
    server.start()
    server.allow_log(NOISE)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with Connection(port, tls=context) as connection:
        for _ in range(2):
            answer = connection.ask("/body/digest", method="POST", body=LONG)
            assert seen(answer) == (len(LONG), SHA)


@pytest.mark.http2
def test_over_http_2(site):
    server = site("Protocols h2c http/1.1\n", extra=("http2",))
    done = subprocess.run(
        ["/usr/bin/curl", "-sS", "--http2-prior-knowledge", "--data-binary",
         "@-", f"http://127.0.0.1:{server.port}/body/digest"],
        input=LONG, capture_output=True, check=True, timeout=30)
    assert json.loads(done.stdout) == {"length": len(LONG), "sha": SHA}


def test_a_client_that_leaves_is_an_error(site):
    server = site()
    server.expect_log("body broke: ", 1)
    server.allow_log("(?i)client|partial|body|connection")
    with server.connect() as connection:
        connection.send(request("/body/failing", method="POST",
                                body=LONG)[:2_000_000])
    server.log.wait_for("body (broke|looked whole)")


def test_a_limit_stops_a_long_chunked_body(site):
    server = site("LimitRequestBody 2000000\n")
    server.allow_log("AH0\\d+|LimitRequestBody")
    server.expect_log("body broke: ", 1)
    with server.connect() as connection:
        try:
            connection.send(request("/body/failing", method="POST", headers=(
                ("Transfer-Encoding", "chunked"),)).replace(
                    b"Content-Length: 0\r\n", b"") + chunk(LONG, 100_000))
        except OSError:
            pass
        assert connection.read().status == 413


def test_half_a_connection_uploads_a_whole_body(site):
    """Whoever shuts the sending side down has said all, and waits."""
    server = site()
    for tail, answers in ((b"", 1), (request("/hello"), 2)):
        with server.connect() as connection:
            connection.send(request("/body/digest", method="POST", body=LONG)
                            + tail)
            connection.sock.shutdown(socket.SHUT_WR)
            assert seen(connection.read()) == (len(LONG), SHA)
            if answers == 2:
                assert connection.read().body == b"Hello, world!\n"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_long_body_that_waits_for_100(site, chunked):
    """It is asked for when the application reads, and once."""
    server = site()
    whole = request("/body/digest", method="POST", body=LONG, chunked=chunked,
                    headers=(("Expect", "100-continue"),))
    head, body = whole.split(b"\r\n\r\n", 1)
    with server.connect() as connection:
        for _ in range(2):
            connection.send(head + b"\r\n\r\n")
            assert connection.read_head().status == 100
            connection.send(body + request("/hello"))
            assert seen(connection.read()) == (len(LONG), SHA)
            assert connection.read().body == b"Hello, world!\n"


def test_a_filter_of_the_connection_sees_all_of_it(site):
    """mod_dumpio: whoever looks at the bytes, gets them from httpd."""
    server = site("DumpIOInput On\nLogLevel dumpio:trace7\n",
                  extra=("dumpio",))
    server.allow_log("mod_dumpio|dumpio_in")
    with server.connect() as connection:
        assert seen(connection.ask("/body/digest", method="POST",
                                   body=LONG)) == (len(LONG), SHA)
    assert sum(int(size) for size in re.findall(
        r"dumpio_in \(data-\w+\): (\d+) bytes", server.log.text())
               ) > len(LONG)


def test_a_child_ends_after_a_long_body(site):
    """MaxConnectionsPerChild: filters end with their connection."""
    server = site("MaxConnectionsPerChild 3\n")
    for _ in range(12):
        assert seen(server.ask("/body/digest", method="POST",
                               body=LONG)) == (len(LONG), SHA)


def test_bad_chunks_in_the_middle_of_a_long_body(site):
    """What came before them is no body, and nothing follows on it."""
    server = site()
    server.allow_log("AH0\\d+|chunk")
    server.expect_log("body broke: ", 1)
    head = request("/body/failing", method="POST", chunked=True)[:-5]
    with server.connect() as connection:
        connection.send(head + chunk(LONG[:1_000_000], 100_000)[:-5]
                        + b"no length\r\n" + LONG[:50_000])
        assert connection.read().status == 400
        with pytest.raises((EOFError, OSError)):
            connection.ask("/hello")

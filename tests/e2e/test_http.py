"""Connections: keep-alive, pipelining, and nothing that can be smuggled."""

import socket
import struct
import time

import pytest

from client import ProtocolError, request
from leftovers import resident_kb
from puppet import headers, play_on
from waiting import wait_for_hello

ONE_GROUP = """
    WSGIDaemonProcess g python-path={apps}
    WSGIProcessGroup g
    WSGIScriptAlias /hello {apps}/hello.py
    WSGIScriptAlias /puppet {apps}/puppet.py
    WSGIScriptAlias /body {apps}/body.py
    WSGIScriptAlias /environ {apps}/environ.py
    WSGIScriptAlias /streams {apps}/streams.py
"""
SECRET = b"GET /hello?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.every_mpm
def test_a_connection_serves_many_requests(web):
    with web.connect() as connection:
        for number in range(100):
            how = {"blocks": [str(number)], "how": "generator"}
            assert play_on(connection, **how).text == str(number)


@pytest.mark.parametrize("version, given, open_", [
    ("1.1", (), True), ("1.1", (("Connection", "close"),), False),
    ("1.0", (), False), ("1.0", (("Connection", "keep-alive"),), True)])
def test_the_connection_lives_as_http_says(web, version, given, open_):
    with web.connect() as connection:
        connection.ask("/hello", version=version, headers=given)
        assert connection.is_open() is open_


BROKEN_ANSWERS = [
    ("/puppet", {"headers": [["Content-Length", "50"]], "blocks": ["short"]}),
    ("/failing/raises-late-length", None),
    ("/failing/dies-late-length", None),
    ("/failing/raises-late", None),
    ("/failing/dies-late", None),
    ("/failing/exits-late", None),
    ("/streams/too-late", None),
    ("/closing/late-wrong-item", None),
]


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("target, script", BROKEN_ANSWERS)
def test_a_broken_answer_never_meets_the_next_request(web, target, script):
    """Response desync on keep-alive, and broken responses that look
    complete: the client sees a truncated answer and then the end, however
    many requests wait in the pipeline."""
    web.allow_log(".*")
    with web.connect() as connection:
        if script:
            connection.send(request(target, headers=headers(script)))
        else:
            connection.send(request(target))
        connection.send(request("/hello") * 3)
        answer = connection.read()
        assert answer.status == 200 and not answer.complete
        assert b"Hello" not in answer.body
        assert connection.read_some() == b""
    wait_for_hello(web)


def raw_answers(server, data: bytes) -> list:
    """Every response that comes back for these bytes."""
    answers = []
    with server.connect(timeout=3) as connection:
        connection.send(data)
        try:
            connection.sock.shutdown(socket.SHUT_WR)
            while True:
                answers.append(connection.read())
        except (EOFError, OSError):
            pass
    return answers


def post(head: str, body: bytes = b"") -> bytes:
    lines = f"POST /body/all HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n"
    return lines.encode("latin-1") + body


SMUGGLERS = {
    "CL and TE": post("Content-Length: 4\r\nTransfer-Encoding: chunked",
                      b"0\r\n\r\n" + SECRET),
    "two lengths": post("Content-Length: 0\r\nContent-Length: 40", SECRET),
    "list of lengths": post("Content-Length: 0, 40", SECRET),
    "TE twice": post("Transfer-Encoding: chunked\r\n"
                     "Transfer-Encoding: identity", b"0\r\n\r\n" + SECRET),
    "TE list": post("Transfer-Encoding: chunked, identity",
                    b"0\r\n\r\n" + SECRET),
    "TE unknown": post("Transfer-Encoding: xchunked",
                       b"0\r\n\r\n" + SECRET),
    "TE with tab": post("Transfer-Encoding:\tchunked\x0b",
                        b"0\r\n\r\n" + SECRET),
    "space before colon": post("Content-Length : 0", SECRET),
    "obs-fold": post("X-A: b\r\n Content-Length: 40", SECRET),
    "bare CR": post("X-A: b\rContent-Length: 40", SECRET),
    "bare LF": post("X-A: b\nContent-Length: 4444", SECRET),
    "NUL in value": post("X-A: b\0c", SECRET),
    "plus length": post("Content-Length: +0", SECRET),
    "hex length": post("Content-Length: 0x0", SECRET),
    "chunk size overflow": post(
        "Transfer-Encoding: chunked",
        b"10000000000000000\r\n" + SECRET),
    "chunk size with space": post("Transfer-Encoding: chunked",
                                  b"0 1\r\n\r\n" + SECRET),
    "chunk without CRLF": post("Transfer-Encoding: chunked",
                               b"1\r\nxGET /hello HTTP/1.1\r\n\r\n" + SECRET),
    "TE in 1.0": b"POST /body/all HTTP/1.0\r\nTransfer-Encoding: chunked"
                 b"\r\n\r\n0\r\n\r\n" + SECRET,
}


@pytest.mark.parametrize("name", SMUGGLERS)
def test_nothing_is_smuggled(web, name):
    """What could be read in two ways is refused and ends the connection, or
    is read as httpd reads it: never does the hidden request get an answer
    of the application after a refusal."""
    web.allow_log("AH0\\d+|ETCL0")
    answers = raw_answers(web, SMUGGLERS[name])
    refused = [a for a in answers if a.status in (400, 411, 413, 500, 501)]
    if refused:
        assert answers[-1] is refused[-1], [a.status for a in answers]
    else:
        assert len(answers) <= 2


def test_a_head_request_never_leaves_bytes_behind(web):
    with web.connect() as connection:
        connection.send(request("/hello", method="HEAD") + request("/hello"))
        assert connection.read("HEAD").body == b""
        assert connection.read().body == b"Hello, world!\n"


def test_an_error_in_the_first_of_two_pipelined_requests(web):
    """waitress CVE-2024-49768: the first fails, the second stands by."""
    web.expect_traceback("ValueError: raised before the headers", 1)
    with web.connect() as connection:
        connection.send(request("/failing/raises") + request("/hello"))
        assert connection.read().status == 500
        try:
            assert connection.read().body == b"Hello, world!\n"
        except EOFError:
            pass                # httpd closes after most errors: right, too


def test_a_client_that_resets_harms_nobody(web):
    web.allow_log("AH0")
    for _ in range(20):
        connection = web.connect()
        connection.send(request("/streams/large?size=10000000"))
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        connection.close()
    wait_for_hello(web)


def test_a_chunked_answer_is_framed_correctly(web):
    """Chunked coding, when used, fully correct."""
    answer = web.ask("/streams/large?size=100000&block=999")
    assert answer.framing == "chunked" and answer.complete
    try:
        web.ask("/streams/empty")
    except ProtocolError as error:
        pytest.fail(str(error))


def test_http_1_0_gets_no_chunks(web):
    with web.connect() as connection:
        answer = connection.ask("/streams/large?size=100000", version="1.0")
        assert answer.framing == "close" and len(answer.body) == 100000


@pytest.mark.slow(120)
@pytest.mark.differs
def test_slow_clients_do_not_hold_worker_threads(apache):
    """16 clients that send slowly, 4 threads: others are served."""
    server = apache(ONE_GROUP.replace(
        "python-path", "threads=4 python-path"), timeout=30)
    slow = [server.connect(timeout=30) for _ in range(16)]
    for connection in slow:
        connection.send(request("/body/none", method="POST",
                                body=b"x" * 1000)[:-999])
    begin = time.monotonic()
    for _ in range(10):
        assert server.ask("/hello").status == 200
    assert time.monotonic() - begin < 3
    for connection in slow:
        connection.close()
    server.allow_log("(?i)client|body|partial")


@pytest.mark.slow(120)
def test_a_slow_reader_costs_no_memory(web):
    """Response data is bounded while its client reads slowly."""
    web.ask("/streams/large?size=10000000")
    before = resident_kb(web.processes())
    with web.connect() as connection:
        connection.send(request("/streams/large?size=300000000"))
        connection.read_head()
        for _ in range(20):
            connection.read_some()
            time.sleep(0.05)
        grown = resident_kb(web.processes()) - before
    assert grown < 30_000

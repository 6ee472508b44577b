"""PEP 3333, "wsgi.input": the request's body."""

import hashlib
import json
import threading
import time

import pytest

from client import chunk, request
from waiting import wait_until

BODY = b"first line\nsecond\n\n" + bytes(range(256)) * 40 + b"\nno end"
SIZES = [0, 1, 8191, 8192, 8193, 65535, 65536, 65537, 1_000_003]
READERS = ["read?n=1", "read?n=7919", "read?n=100000", "all", "minus", "zero",
           "readline", "readline-n?n=10", "readline-n?n=100000", "readlines",
           "readlines-hint?n=50", "iterate", "mixed"]


def post(web, how, body, chunked=False) -> dict:
    answer = web.ask(f"/body/{how}", method="POST", body=body,
                     chunked=chunked)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


@pytest.mark.every_mpm
@pytest.mark.parametrize("how", READERS)
def test_every_way_to_read_gives_the_same_bytes(web, how):
    """read(size), readline(), readlines(hint), __iter__; values are bytes;
    read() without argument returns the rest; readline(size) honoured."""
    seen = post(web, how, BODY)
    assert seen["sha"] == hashlib.sha256(BODY).hexdigest()
    assert seen["bytes"]


@pytest.mark.parametrize("how", READERS)
@pytest.mark.differs
def test_a_chunked_body_is_decoded(web, how):
    """Inbound Transfer-Encoding decoded by the server."""
    seen = post(web, how, BODY, chunked=True)
    assert seen["sha"] == hashlib.sha256(BODY).hexdigest()
    assert seen["content_length"] is None and seen["terminated"] is True


@pytest.mark.parametrize("how", READERS)
def test_past_the_end_there_are_empty_bytes_for_ever(web, how):
    """Empty bytes past the end, again and again; end of file simulated at
    Content-Length."""
    for body in (BODY, b""):
        assert post(web, how, body)["after"] == ["b''", "b''", "b''", "[]"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chunked", [
    False, pytest.param(True, marks=pytest.mark.differs)])
def test_a_body_of_any_size_arrives_whole(web, size, chunked):
    body = (b"%d" % size * 8)[:7].ljust(7, b".") * (size // 7 + 1)
    seen = post(web, "read?n=8192", body[:size], chunked)
    assert seen["length"] == size
    assert seen["sha"] == hashlib.sha256(body[:size]).hexdigest()


def test_read_of_a_size_gives_that_much(web):
    """read(n) does not return short because data trickles in."""
    with web.connect() as connection:
        head = request("/body/read?n=10", method="POST", body=b"x" * 20)
        connection.send(head[:-20])
        for _ in range(10):
            connection.send(b"xx")
            time.sleep(0.01)
        assert json.loads(connection.read().body)["calls"] == 2


def test_readline_honours_its_size(web):
    """readline(size) honoured."""
    assert post(web, "readline-n?n=4", b"123456\n78")["calls"] == 3


def test_a_body_that_breaks_off_is_an_error(web):
    """A body that breaks off is an error to the application, never a clean
    end (RFC 9112 8)."""
    web.expect_log("body broke: ", 1)
    web.allow_log("(?i)client|partial|body|connection")
    with web.connect() as connection:
        connection.send(request("/body/failing", method="POST",
                                body=b"x" * 200000)[:50000])
    web.log.wait_for("body (broke|looked whole)")


@pytest.mark.differs
@pytest.mark.parametrize("broken", [
    b"5\r\nhello\r\n",                       # no last chunk
    b"5\r\nhello",                           # not even its end
    b"5\r\nhelloXX0\r\n\r\n",                # no CRLF after the chunk
    b"zz\r\nhello\r\n0\r\n\r\n",             # no number
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
])
def test_a_broken_chunked_body_never_looks_whole(web, broken):
    """No malformed chunked body reaches an application as a clean end."""
    web.allow_log("body broke: ")
    web.allow_log("(?i)AH0\\d+|client|chunk|body")
    with web.connect() as connection:
        connection.send(request("/body/failing", method="POST", headers=(
            ("Transfer-Encoding", "chunked"), ("Connection", "close")))
            .replace(b"Content-Length: 0\r\n", b"") + broken)
        connection.sock.shutdown(1)
        try:
            connection.read()
        except EOFError:
            pass
    time.sleep(0.1)
    assert not web.log.find("body looked whole")


@pytest.mark.differs
def test_continue_is_sent_when_the_body_is_wanted(web):
    """Expect: 100-continue supported transparently."""
    expect = (("Expect", "100-continue"),)
    whole = request("/body/all", method="POST", body=b"hello",
                    headers=expect)
    with web.connect() as connection:
        connection.send(whole[:-5])
        assert connection.read_head().status == 100
        connection.send(b"hello")
        assert json.loads(connection.read().body)["length"] == 5


@pytest.mark.differs
def test_continue_is_not_sent_when_nobody_reads(web):
    """100-continue is sent only when wanted: an unread body costs nothing."""
    with web.connect() as connection:
        connection.send(request(
            "/body/none", method="POST", body=b"x" * 100000,
            headers=(("Expect", "100-continue"),))[:-100000])
        answer = connection.read()
        assert (answer.status, answer.interim) == (200, [])


@pytest.mark.parametrize("size", [5, 5000, 300_000])
def test_an_unread_body_does_not_spoil_the_next_request(web, size):
    """Unread body and keep-alive: the rest is thrown away, no more."""
    with web.connect() as connection:
        connection.ask("/body/none", method="POST", body=b"G" * size)
        assert connection.ask("/hello").body == b"Hello, world!\n"


@pytest.mark.differs
@pytest.mark.slow(90)
def test_answering_while_reading_does_not_deadlock(web):
    """An application that answers while it reads: 8 MiB come back whole."""
    body = bytes(range(256)) * 32768
    with web.connect(timeout=30) as connection:
        sender = threading.Thread(target=connection.send, args=(
            request("/body/echo", method="POST", body=body),))
        sender.start()
        answer = connection.read()
        sender.join(10)
    assert answer.complete and answer.body == body


@pytest.mark.parametrize("value", [
    "1e9", "+5", "5, 5", "-1", "0x5", "5 5", "9223372036854775808", "",
    "99999999999999999999", "5,6"])
def test_a_content_length_that_is_none_is_refused(web, value):
    """No atoi on Content-Length; nothing of it reaches the application."""
    web.allow_log("(?i)AH0\\d+|content-length")
    with web.connect() as connection:
        connection.send(
            f"POST /body/all HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Length: {value}\r\n\r\nhello".encode())
        assert connection.read().status in (400, 413)


def test_limit_request_body_is_kept_before_the_application(apache):
    """Content-Length over LimitRequestBody: 413, application not called."""
    server = apache("""
        LimitRequestBody 1000
        WSGIDaemonProcess g python-path={apps}
        WSGIProcessGroup g
        WSGIScriptAlias /body {apps}/body.py""")
    server.allow_log("AH0\\d+|LimitRequestBody|limit")
    assert server.ask("/body/all", method="POST",
                      body=b"x" * 1001).status == 413
    assert server.ask("/body/all", method="POST",
                      body=b"x" * 1000).status == 200


MODES = {
    "daemon": "WSGIDaemonProcess g request-buffering=off\n"
              "WSGIProcessGroup g\n",
    "buffered": "WSGIDaemonProcess g\nWSGIProcessGroup g\n",
    "embedded": "",
}
STUBBORN = """
def application(environ, start_response):
    try:
        environ["wsgi.input"].read()
    except OSError as error:
        environ["wsgi.errors"].write(f"caught {type(error).__name__}\\n")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"own answer " * 5000] * int(environ["QUERY_STRING"])
"""


@pytest.mark.differs
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("blocks", [0, 1, 20])
@pytest.mark.parametrize("sizes", [(2000,), (600, 600)])
def test_a_chunked_body_above_the_limit_is_answered_413_once(
        apache, mode, blocks, sizes):
    """The application is told BodyTooLarge, unless the body was to be received
    before it; what it answers nevertheless is not sent after the 413, and the
    connection is closed."""
    server = apache("LimitRequestBody 1000\n" + MODES[mode]
                    + "WSGIScriptAlias / {work}/app.py\n"
                    "<Directory {work}>\nRequire all granted\n</Directory>\n"
                    'CustomLog {root}/logs/access.log "%>s"',
                    start=False)
    (server.work / "app.py").write_text(STUBBORN)
    server.start()
    server.allow_log("AH0\\d+|LimitRequestBody")
    asked = mode != "buffered"
    server.expect_log("caught BodyTooLarge" if asked
                      else "ETCL0156.*LimitRequestBody", 1)
    body = b"".join(chunk(b"x" * size)[:-5] for size in sizes) + b"0\r\n\r\n"
    with server.connect() as connection:
        connection.send(f"POST /?{blocks} HTTP/1.1\r\nHost: localhost\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n".encode() + body)
        raw = b"".join(iter(connection.read_some, b""))
    assert raw.startswith(b"HTTP/1.1 413 ")
    assert raw.endswith(b"</html>\n") and raw.count(b"</html>") == 1, raw
    assert b"own answer" not in raw
    access = server.root / "logs/access.log"
    assert wait_until(access.read_text)
    assert access.read_text() == "413\n"


def test_trailers_never_become_headers(web):
    """Trailer fields are never merged into the environ (CVE-2013-5704)."""
    with web.connect() as connection:
        connection.send(request("/environ", method="POST", headers=(
            ("Transfer-Encoding", "chunked"),)).replace(
                b"Content-Length: 0\r\n", b"")
            + chunk(b"hello")[:-2] + b"X-Auth-User: evil\r\n\r\n")
        answer = connection.read()
    assert b"evil" not in answer.body

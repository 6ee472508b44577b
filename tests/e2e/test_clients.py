"""Clients that leave, and clients that are slow: what the application can
know of them, and what they cost others."""

import time

import pytest

from client import request
from groups import group
from test_overload import reset
from waiting import wait_for_file, wait_until

CLIENTS = "WSGIScriptAlias /clients {apps}/clients.py\n"
EMBEDDED = ("WSGIPythonPath {apps}\n"
            "WSGIScriptAlias /hello {apps}/hello.py\n" + CLIENTS)
MODES = {"daemon": group("threads=4") + CLIENTS, "embedded": EMBEDDED}
LEFT = r"ETCL0(143|174|316|156|157)"
LEAVE = pytest.mark.parametrize(
    "leave", [reset, lambda connection: connection.close()],
    ids=["reset", "close"])


@pytest.fixture(params=MODES)
def site(request, apache):
    server = apache(MODES[request.param], start=False)
    server.work.chmod(0o777)
    server.allow_log(LEFT)
    return server.start()


def said(flag) -> tuple[str, float]:
    """What the application heard, and how long it waited at most."""
    wait_for_file(flag, 8)
    answer, longest = flag.read_text().split()
    return answer, float(longest)


@LEAVE
@pytest.mark.differs
@pytest.mark.parametrize("how", ["before", "in-thread"])
def test_an_application_sees_that_its_client_left(site, leave, how):
    """environ['etcl.client_disconnected'](): before the first byte, and asked
    by another thread."""
    flag, begun = site.work / "said", site.work / "begun"
    connection = site.connect()
    connection.send(request(f"/clients/{how}?flag={flag}&begun={begun}"))
    wait_for_file(begun)
    leave(connection)
    answer, longest = said(flag)
    assert answer == "True" and longest < 1
    assert site.ask("/hello").status == 200


@LEAVE
@pytest.mark.differs
def test_it_is_seen_in_the_middle_of_a_stream(site, leave):
    flag = site.work / "said"
    connection = site.connect()
    connection.send(request(f"/clients/streaming?flag={flag}"))
    connection.read_head()
    while b"first" not in connection.read_some():
        pass
    leave(connection)
    assert said(flag)[0] == "True"
    assert site.ask("/hello").status == 200


@LEAVE
@pytest.mark.differs
def test_it_is_seen_while_the_body_is_half_read(site, leave):
    flag, begun = site.work / "said", site.work / "begun"
    connection = site.connect()
    connection.send(request(f"/clients/half-read?flag={flag}&begun={begun}",
                            method="POST", body=b"x" * 300_000)[:90_000])
    wait_for_file(begun)
    leave(connection)
    assert said(flag)[0] == "True"


@pytest.mark.differs
@pytest.mark.parametrize("how, answer", [
    ("before", b"late"), ("streaming", b"first\nsecond\n"),
    ("half-read", b"300000"), ("in-thread", b"late")])
def test_a_client_that_stays_is_there(site, how, answer):
    """False, again and again, and nothing of the request is disturbed; also
    not of the next one on the same link."""
    for number in range(3):
        flag, begun = site.work / f"said{number}", site.work / f"begun{number}"
        body = b"x" * 300_000 if how == "half-read" else b""
        got = site.ask(f"/clients/{how}?seconds=0.2&flag={flag}&begun={begun}",
                       method="POST" if body else "GET", body=body)
        assert got.body == answer
        assert said(flag)[0] == "False"
        assert site.ask("/hello").status == 200


@pytest.mark.differs
def test_the_question_is_cheap(site):
    """A thousand questions; a client that stays."""
    answers, spent = site.ask("/clients/often").text.rsplit(" ", 1)
    assert answers == "{False}" and float(spent) < 2000


@pytest.mark.differs
def test_a_question_that_was_not_waited_for_harms_no_later_call(apache):
    """While Apache sends to a slow client it hears no question: the client is
    there. Its answer comes later, and is not taken for another call's."""
    server = apache(group("threads=1") + """
        WSGIScriptAlias /slow {work}/slow.py""", start=False)
    (server.work / "slow.py").write_text(SLOW)
    server.allow_log(LEFT)
    server.start()
    flag = server.work / "slow"
    with server.connect() as connection:
        connection.send(request(f"/slow?{flag}"))
        wait_for_file(flag)
        answers, longest = flag.read_text().rsplit(" ", 1)
        assert answers == "[False, False]" and float(longest) < 1
        assert len(connection.read().body) == 64 * 400_000
    for _ in range(5):
        assert server.ask("/hello").status == 200
    assert not server.log.find("ETCL0(140|250)")


# The link is full: Apache cannot pass on what it has.
SLOW = """
import pathlib, threading, time
def application(environ, start_response):
    gone, path = environ["etcl.client_disconnected"], environ["QUERY_STRING"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"x" * 400_000
    for number in range(63):
        if number == 20:
            time.sleep(0.2)
        yield b"x" * 400_000
        if number == 2:
            begin = time.monotonic()
            answers = [gone(), gone()]
            pathlib.Path(path).write_text(
                f"{answers} {time.monotonic() - begin:.3f}")
"""

HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def h2_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return (len(payload).to_bytes(3, "big") + bytes((kind, flags))
            + stream.to_bytes(4, "big") + payload)


def h2_get(path: str) -> bytes:
    """HEADERS of stream 1: GET, http, path and authority as literals."""
    name = path.encode()
    assert len(name) < 127
    return h2_frame(1, 5, 1, b"\x82\x86\x04" + bytes((len(name),)) + name
                    + b"\x01\x09localhost")


@pytest.mark.differs
@pytest.mark.http2
@pytest.mark.parametrize("mode", MODES)
def test_a_stream_that_is_reset_is_a_client_that_left(apache, mode):
    """HTTP/2: RST_STREAM; the connection stays."""
    server = apache("Protocols h2c http/1.1\n" + MODES[mode],
                    extra=("http2",), start=False)
    server.work.chmod(0o777)
    server.allow_log(LEFT)
    server.allow_log("AH0")
    server.start()
    flag, begun = server.work / "s", server.work / "b"
    with server.connect() as connection:
        connection.send(HTTP2 + h2_frame(4, 0, 0) + h2_get(
            f"/clients/before?flag={flag}&begun={begun}"))
        wait_for_file(begun)
        time.sleep(0.1)
        assert not flag.exists()
        connection.send(h2_frame(3, 0, 1, b"\0\0\0\x08"))
        assert said(flag)[0] == "True"


@pytest.mark.parametrize("framework", ["flask", "django"])
def test_a_streaming_framework_is_not_blamed_for_its_client(apache, framework):
    """A client that leaves in the middle of a stream is an info line: no
    traceback, no error."""
    server = apache(group("threads=2"), start=False)
    (server.work / "site.py").write_text(FRAMEWORKS[framework])
    server.allow_log(f"{LEFT}|stream ended")
    server.start()
    for leave in (reset, lambda connection: connection.close()):
        connection = server.connect()
        connection.send(request("/own/site.py/"))
        assert connection.read_head().status == 200
        connection.read_some()
        leave(connection)
    assert wait_until(lambda: len(server.log.find("stream ended")) == 2)
    assert server.log.find(LEFT)
    assert not server.log.find("Traceback|ConnectionError|BrokenPipe")


STREAM = """
import sys, time
def numbers():
    try:
        while True:
            yield b"x" * 10000
            time.sleep(0.01)
    finally:
        print("stream ended", file=sys.stderr)
"""
FRAMEWORKS = {"flask": STREAM + """
import flask
application = flask.Flask(__name__)
application.add_url_rule("/", view_func=lambda: flask.Response(numbers()))
""", "django": STREAM + """
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"],
                   SECRET_KEY="a test's own")
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: StreamingHttpResponse(numbers()))]
application = get_wsgi_application()
"""}

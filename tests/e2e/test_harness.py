"""The harness itself: what it is to find, it must find."""

import os
import socket
import subprocess
import threading

import pytest

from client import Connection, ProtocolError
from leftovers import Tree
from oracle import ErrorLog
from pressure import Ask, Event, Pressure, Report

HEAD = b"HTTP/1.1 200 OK\r\n"


def answered(data: bytes, method: str = "GET"):
    """What the client makes of these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            peer, _ = listener.accept()
            peer.sendall(data)
            peer.close()
        threading.Thread(target=serve, daemon=True).start()
        with Connection(listener.getsockname()[1], timeout=5) as connection:
            return connection.read(method)


WHOLE = {
    b"Content-Length: 2\r\n\r\nok": "length",
    b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n": "chunked",
    b"\r\nok": "close",
}
TRUNCATED = [
    b"Content-Length: 5\r\n\r\nok",
    b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n2\r\nok",
    b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
]
WRONG = [
    b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Content-Length: +2\r\n\r\nok", b"A B: c\r\n\r\n", b"A\r\n\r\n",
    b"A: b\nC: d\r\n\r\n", b"Transfer-Encoding: gzip\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nno\r\n",
]


@pytest.mark.parametrize("rest", WHOLE)
def test_a_whole_answer_is_whole(rest):
    answer = answered(HEAD + rest)
    assert (answer.body, answer.complete) == (b"ok", True)
    assert answer.framing == WHOLE[rest]


@pytest.mark.parametrize("rest", TRUNCATED)
def test_a_truncated_answer_is_told(rest):
    assert not answered(HEAD + rest).complete


@pytest.mark.parametrize("rest", WRONG)
def test_what_is_not_http_is_refused(rest):
    with pytest.raises(ProtocolError):
        answered(HEAD + rest)


LOG = """\
[Sun Nov 22 15:31:38.42 2026] [mpm_event:notice] [pid 7:tid 7] AH00489: up
[Sun Nov 22 15:31:38.42 2026] [etcl:error] [pid 7:tid 8] [client a:1] boom
Fatal Python error: not framed
"""


@pytest.fixture
def log(tmp_path):
    (tmp_path / "error.log").write_text(LOG)
    return ErrorLog([tmp_path / "error.log"])


def test_lines_that_nobody_named_are_problems(log):
    assert log.problems(0) == ["unexpected: [error] [client a:1] boom",
                               "unexpected: [raw] Fatal Python error: "
                               "not framed"]


def test_named_lines_are_no_problem(log):
    log.expect("boom", 1)
    log.allow("^Fatal")
    assert log.problems(0) == []


def test_lines_that_do_not_come_or_come_too_often_are_problems(log):
    log.allow("Fatal")
    log.expect("boom", 2)
    log.expect("bang")
    assert len(log.problems(0)) == 2
    log.expected.clear()
    log.allow("Fatal")
    log.expect("boom", 0)
    assert log.problems(0) == ["came 1 times, not 0: /boom/"]


OK = HEAD + b"Content-Length: 2\r\n\r\nok"
FAULTS = {
    OK: "", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n": "status 503",
    OK[:-1] + b"h": "wrong content", OK[:-1]: "truncated",
    OK[:9]: "EOFError", b"": "EOFError", b"no": "EOFError",
}


class Canned(threading.Thread):
    """A server that gives each connection these answers, one per request,
    and closes it when it has no more."""

    def __init__(self, *answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                for answer in self.answers:
                    if peer.recv(65536):
                        peer.sendall(answer)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def pressed(server, *asks):
    """What becomes of the load that this server gets."""
    with Pressure(server.port, *asks, connections=1) as load:
        load.pause(0.2)
    return load.report


@pytest.mark.parametrize("data", FAULTS)
def test_load_counts_each_fault(data):
    with Canned(data) as server:
        report = pressed(server, Ask("/x", holds="ok", length=2))
    assert report.sent > 3
    assert {one.fault for one in report.events} == {FAULTS[data]}


def test_load_repeats_what_a_closed_connection_did_not_hear():
    """But no POST, which may have been heard."""
    with Canned(OK, OK) as server:
        report = pressed(server, Ask("/x"))
        assert not report.failed and report.repeated > 3, report
        report = pressed(server, Ask("/x", method="POST", body="z"))
        assert not report.failed and not report.repeated, report


def test_load_of_a_time_is_what_was_under_way_in_it():
    events = [Event(start, 2, fault, "/", False)
              for start, fault in ((0, "a"), (1, "b"), (3, "c"), (6, ""))]
    report = Report(events).between(2.5, 5)
    assert [one.fault for one in report.failed] == ["b", "c"]
    assert (report.sent, report.max_ms, report.over(1999)) == (2, 2000, 2)
    assert Report(events).within(1, 5).sent == 2


def test_what_is_left_behind_is_found(tmp_path):
    cookie = f"ETCL_E2E=harness{os.getpid()}"
    tree = Tree(tmp_path, cookie)
    name, value = cookie.split("=")
    child = subprocess.Popen(["/bin/sleep", "60"], env={name: value})
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
    try:
        assert tree.leftovers()[0].startswith(f"process {child.pid}")
        assert any(what.startswith("socket ") for what in tree.leftovers())
    finally:
        child.kill()
        child.wait()
        (tmp_path / "s").unlink()
    assert tree.wait_until_gone(1) == []

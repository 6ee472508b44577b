"""What failure looks like: to the client, in the log, and afterwards."""

import os
import signal

import pytest

from client import request
from leftovers import identity
from waiting import wait_for_file, wait_for_hello, wait_until

NUMBER = r"ETCL0\d\d\d"
@pytest.mark.every_mpm
@pytest.mark.parametrize("path, words", [
    ("raises", "ValueError: raised before the headers"),
    ("raises-started", "ValueError: raised after start_response"),
    ("silent", "start_response"),
    ("exits", "SystemExit"),
])
def test_an_exception_before_the_head_is_a_500(web, path, words):
    """Exceptions that end the application are trapped and logged."""
    web.expect_traceback(words)
    answer = web.ask(f"/failing/{path}")
    assert answer.status == 500 and answer.complete
    assert b"Traceback" not in answer.body and b"raised" not in answer.body
    assert web.ask("/hello").status == 200


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("path, words", [
    ("raises-late", "ValueError: raised after the first block"),
    ("raises-late-length", "ValueError: raised after the first block"),
    ("exits-late", "SystemExit"),
])
def test_an_exception_after_the_head_truncates(web, path, words):
    """The client can tell a broken response (RFC 9112 8)."""
    web.expect_traceback(words)
    web.allow_log(NUMBER)
    answer = web.ask(f"/failing/{path}")
    assert (answer.status, answer.body) == (200, b"started\n")
    assert not answer.complete


def test_the_traceback_is_complete_and_carries_the_requests_id(web):
    """app raised before HEAD: traceback, with the request's id."""
    web.expect_traceback("ValueError: raised before the headers")
    web.ask("/failing/raises")
    text = web.log.text()
    assert "failing.py\", line" in text and "in raises" in text


# What CPython says on descriptor 2 when it is ended by a fatal signal.
LAST_WORDS = r"Fatal Python|^$|hread 0x|no Python frame|File \"|^Extension"


def kill_note(sign: int) -> str:
    name = signal.Signals(sign).name
    return rf"{NUMBER}.*(signal {sign}\b|{name})"


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("path, words", [
    ("dies-late", rf"{NUMBER}.*(exit|status|code)\D*3\b"),
    ("dies-late-length", rf"{NUMBER}.*(exit|status|code)\D*3\b"),
    ("crashes-late", kill_note(signal.SIGSEGV)),
])
def test_a_worker_that_dies_after_the_head_truncates(web, path, words):
    """app or worker died after HEAD: connection aborted; the log says who
    died and how."""
    web.expect_log(words)
    web.allow_log(NUMBER)
    web.allow_log(LAST_WORDS)
    answer = web.ask(f"/failing/{path}")
    assert answer.body == b"started\n" and not answer.complete
    wait_for_hello(web)


@pytest.mark.differs
@pytest.mark.parametrize("path, words", [
    ("dies", rf"{NUMBER}.*(exit|status|code)\D*3\b"),
    ("aborts", kill_note(signal.SIGABRT)),
    ("crashes", kill_note(signal.SIGSEGV)),
])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_worker_that_dies_before_the_head_is_a_502(web, path, words,
                                                     method):
    """A call that kills each worker it meets: 502, and the next request is
    served."""
    web.expect_log(words)
    web.allow_log(NUMBER)
    web.allow_log(LAST_WORDS)
    assert web.ask(f"/failing/{path}", method=method).status == 502
    wait_for_hello(web)


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_call_goes_to_another_worker_once(web, method):
    """A worker killed with -9 before HEAD: a retried answer."""
    web.expect_log(kill_note(signal.SIGKILL))
    web.allow_log(NUMBER)
    flag = web.work / f"once-{method}-{web.mpm}"
    answer = web.ask(f"/failing/dies-once?flag={flag}", method=method)
    assert answer.status == 200
    if method == "GET":
        first, second = answer.text.split()
        assert first != second


@pytest.mark.differs
@pytest.mark.parametrize("method, body, query", [
    ("POST", b"", ""), ("PUT", b"x", ""), ("DELETE", b"", ""),
    ("GET", b"x" * 300_000, "&read=1")])
def test_a_call_that_is_not_safe_to_repeat_is_not(web, method, body, query):
    """Others get 502: nothing runs twice."""
    web.expect_log(kill_note(signal.SIGKILL))
    web.allow_log(NUMBER)
    flag = web.work / f"never-{method}"
    answer = web.ask(f"/failing/dies-once?flag={flag}{query}", method=method,
                     body=body)
    assert answer.status == 502
    wait_for_hello(web)


@pytest.mark.every_mpm
@pytest.mark.differs
def test_a_worker_killed_in_the_middle_is_told_and_replaced(web):
    """The log says who died and of what, the next request is served."""
    web.expect_log(kill_note(signal.SIGKILL))
    web.allow_log(NUMBER)
    flag = web.work / f"sleeper-{web.mpm}"
    with web.connect() as connection:
        connection.send(request(f"/failing/sleeps?seconds=30&flag={flag}",
                                method="POST"))
        wait_for_file(flag)
        pid = int(flag.read_text())
        os.kill(pid, signal.SIGKILL)
        assert connection.read().status == 502
    assert str(pid) in web.log.text()
    wait_for_hello(web)


@pytest.mark.differs
@pytest.mark.parametrize("path", ["forks", "forks-exit"])
def test_a_forked_child_that_comes_back_is_ended(web, path):
    """the app forked and the child came back into the server: the child is
    ended at once; the parent's answer stands; pid of the child, warning."""
    if path == "forks":
        web.expect_log(rf"{NUMBER}.*fork", 1)
    web.allow_log(NUMBER)
    answer = web.ask(f"/failing/{path}")
    assert answer.status == 200 and answer.complete
    word, pid = answer.text.rsplit(" ", 1)
    assert word == "the parent answers"
    assert wait_until(lambda: identity(int(pid)) is None, 3), (
        "the child runs on")
    assert web.ask("/hello").status == 200

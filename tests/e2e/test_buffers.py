"""Options of a group that shape what crosses a link and what is flushed."""

import time

import pytest

from client import request

GROUP = """
    WSGIDaemonProcess g python-path={apps} %s
    WSGIProcessGroup g
    WSGIApplicationGroup %%{GLOBAL}
    WSGIScriptAlias /streams {apps}/streams.py
    WSGIScriptAlias /body {apps}/body.py
"""


def letters(server, count: int):
    """An answer whose one long header has `count` bytes of value."""
    return server.ask(f"/streams/header?count={count}")


@pytest.mark.differs
def test_a_header_longer_than_allowed_is_a_500(apache):
    """header-buffer-size: 500, and the log names the header."""
    server = apache(GROUP % "header-buffer-size=8192")
    server.expect_log(r"ETCL0141.*header X-Long is longer than "
                      r"header-buffer-size=8192", count=1)
    inside = letters(server, 8000)
    assert (inside.status, len(inside.get("X-Long"))) == (200, 8000)
    assert letters(server, 8200).status == 500


@pytest.mark.differs
def test_without_an_option_long_headers_pass(apache):
    """No limit on a header unless somebody asks for one."""
    answer = letters(apache(GROUP % ""), 60000)
    assert (answer.status, len(answer.get("X-Long"))) == (200, 60000)


def test_small_buffers_still_carry_everything(apache):
    """send-, receive- and response-buffer-size: a packet always fits,
    whatever is asked for."""
    server = apache(GROUP % ("send-buffer-size=512 receive-buffer-size=512 "
                             "response-buffer-size=65536"))
    answer = server.ask("/streams/large?size=3000000")
    assert (answer.status, answer.complete) == (200, True)
    sent = bytes(range(256)) * 1200
    assert server.ask("/body/echo", method="POST", body=sent).body == sent


def seconds_to_first_byte(server) -> float:
    begin = time.monotonic()
    with server.connect() as connection:
        connection.send(request("/streams/slowly?pause=0.1"))
        connection.read_head()
        assert connection.read_some()
    return time.monotonic() - begin


@pytest.mark.differs
@pytest.mark.parametrize("option, least, most", [
    ("", 0, 0.09), ("response-flush-delay=250", 0.15, 5)])
def test_a_flush_waits_for_more_only_when_asked_to(apache, option, least,
                                                    most):
    """response-flush-delay, in milliseconds; without it a block leaves as
    soon as the stream runs dry."""
    server = apache(GROUP % option)
    server.ask("/streams/slowly?pause=0")
    assert least <= seconds_to_first_byte(server) <= most

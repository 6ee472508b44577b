"""PEP 3333, "Optional Platform-Specific File Handling"."""

import gzip
import json

import pytest

from waiting import wait_until

CONTENT = b"".join(b"%07d\n" % number for number in range(16384))
SIZE = len(CONTENT)


def closed_by(web, name) -> int:
    return json.loads(web.ask("/files/closed").body).get(name, 0)


@pytest.mark.every_mpm
@pytest.mark.parametrize("query", ["", "?size=100", f"?length={SIZE}",
                                   "?iterate=1"])
@pytest.mark.parametrize("path", ["regular", "memory", "only-read"])
def test_a_wrapped_file_arrives_whole(web, path, query):
    """One or two arguments; returns an iterable; works on any object with
    read(); falls back to iteration."""
    answer = web.ask(f"/files/{path}{query}")
    assert answer.complete and answer.body == CONTENT


@pytest.mark.parametrize("path, start", [("regular", 0), ("middle", 1000),
                                         ("at-end", SIZE)])
def test_it_starts_at_the_position_of_the_file(web, path, start):
    """Starts at the file's position, ends at its end."""
    answer = web.ask(f"/files/{path}")
    assert answer.complete and answer.body == CONTENT[start:]


@pytest.mark.parametrize("path", ["regular", "middle", "memory", "only-read"])
@pytest.mark.parametrize("length", [0, 1, 1000, 65537])
def test_it_ends_at_content_length(web, path, length):
    """ends at its end or at Content-Length."""
    web.allow_log("Content-Length|longer|more|promised")
    start = 1000 if path == "middle" else 0
    answer = web.ask(f"/files/{path}?length={length}")
    assert answer.complete
    assert answer.body == CONTENT[start:start + length]


@pytest.mark.parametrize("path", ["regular", "middle", "at-end", "memory"])
@pytest.mark.differs
def test_nothing_is_invented_beyond_the_end(web, path):
    """A Content-Length beyond the end of the file: what there is, and no
    clean end."""
    web.expect_log("ETCL0", 1)
    start = {"middle": 1000, "at-end": SIZE}.get(path, 0)
    try:
        answer = web.ask(f"/files/{path}?length={SIZE + 50}")
    except EOFError:
        assert path == "at-end"
        return
    assert answer.status >= 500 or (
        not answer.complete and answer.body == CONTENT[start:])


@pytest.mark.parametrize("path", ["regular", "memory", "pipe", "lying",
                                  "middle", "at-end"])
def test_the_files_close_is_called_once(web, path):
    """The file's close() is called."""
    before = closed_by(web, f"/{path}")
    web.ask(f"/files/{path}")
    assert wait_until(lambda: closed_by(web, f"/{path}") == before + 1, 3)


def test_a_pipe_is_iterated(web):
    answer = web.ask("/files/pipe")
    assert answer.complete and answer.body == CONTENT[:4096]


def test_a_descriptor_that_is_no_regular_file_is_not_used(web):
    """fileno() that does not belong to the content: no other file's bytes
    are sent, and the device is not read."""
    assert web.ask("/files/lying").body in (CONTENT, b"")


def test_nothing_is_sent_until_it_is_returned(web):
    """nothing sent until it is returned."""
    answer = web.ask("/files/not-returned")
    assert answer.body.startswith(b"made, not returned")


def test_head_of_a_file_has_no_body(web):
    with web.connect() as connection:
        answer = connection.ask("/files/regular", method="HEAD")
        assert answer.status == 200 and connection.is_open()


@pytest.mark.differs
@pytest.mark.parametrize("wanted, first, last", [
    ("bytes=0-9", 0, 9), ("bytes=100-199", 100, 199),
    ("bytes=-10", SIZE - 10, SIZE - 1)])
def test_a_range_of_a_file_is_a_206(web, wanted, first, last):
    """A regular file leaves with ranges (httpd's byterange filter)."""
    answer = web.ask("/files/regular", headers=(("Range", wanted),))
    assert answer.status == 206
    assert answer.get("Content-Range") == f"bytes {first}-{last}/{SIZE}"
    assert answer.body == CONTENT[first:last + 1]


def test_a_deflated_file_is_still_the_file(apache):
    """Output filters read the bytes (mod_deflate), as with any handler."""
    server = apache("""
        WSGIDaemonProcess g python-path={apps}
        WSGIProcessGroup g
        SetOutputFilter DEFLATE
        WSGIScriptAlias /files {apps}/files.py""",
                    extra=("filter", "deflate"))
    answer = server.ask("/files/regular",
                        headers=(("Accept-Encoding", "gzip"),))
    assert answer.get("Content-Encoding") == "gzip"
    assert gzip.decompress(answer.body) == CONTENT


def test_descriptors_do_not_pile_up(web):
    """Neither files nor links."""
    def count():
        return int(web.ask("/process/count-fds").text)
    for _ in range(60):
        web.ask("/files/regular")
    before = count()
    for _ in range(100):
        web.ask("/files/regular")
    assert count() <= before + 16      # a link to each thread of a child

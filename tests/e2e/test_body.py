"""PEP 3333, "The iterable and write()", "Content-Length and errors"."""

import json
import time

import pytest

from client import request
from puppet import headers, play, play_on


def arrival_times(web, target) -> list[float]:
    """When each of the lines of a stream came, in seconds."""
    with web.connect() as connection:
        connection.send(request(target))
        connection.read_head()
        begin, times, seen = time.monotonic(), [], b""
        while b"0\r\n\r\n" not in seen and (data := connection.read_some()):
            seen += data
            times += [time.monotonic() - begin] * data.count(b"e\n")
            times += [time.monotonic() - begin] * data.count(b"two\n")
    return times


@pytest.mark.every_mpm
@pytest.mark.parametrize("path", ["slowly", "write-slowly"])
def test_no_block_is_delayed(web, path):
    """Each block is transmitted before the next is asked for; none
    delayed; write() output precedes the iterable; both unbuffered."""
    one, two, three = arrival_times(web, f"/streams/{path}?pause=0.3")
    assert one < 0.25 and 0.25 < two < 0.55 and three > 0.55


@pytest.mark.every_mpm
@pytest.mark.parametrize("how", ["list", "tuple", "generator", "lazy",
                                 "write"])
def test_every_kind_of_iterable_arrives_whole(web, how):
    """start_response may come in the first iteration; any iterable."""
    answer = play(web, how=how, blocks=["a", "", "bc", "\xff\x00\n", "d"])
    assert answer.body == b"abc\xff\x00\nd" and answer.complete


@pytest.mark.parametrize("how", ["empty", "lazy", "write"])
def test_an_empty_answer_is_an_answer(web, how):
    answer = play(web, how=how, blocks=[], headers=[["X-Here", "yes"]])
    assert (answer.status, answer.body) == (200, b"")
    assert answer.complete and answer.get("X-Here") == "yes"


@pytest.mark.parametrize("blocks", [[{"text": "x"}], [None], [7], [[1]]])
@pytest.mark.parametrize("how", ["list", "generator"])
def test_items_must_be_bytes(web, how, blocks):
    """Items are bytes; anything else is an error."""
    web.expect_traceback("TypeError|bytes")
    assert play(web, how=how, blocks=blocks).status == 500


@pytest.mark.parametrize("how", ["none", "bytes"])
def test_what_is_no_iterable_of_bytes_is_a_500(web, how):
    web.expect_traceback("TypeError|iter|bytes")
    assert play(web, how=how, blocks=["abc"]).status == 500


@pytest.mark.differs
def test_a_wrong_item_after_output_truncates(web):
    """The client can tell a broken response (RFC 9112 8)."""
    web.expect_traceback("TypeError|bytes")
    answer = play(web, how="generator", blocks=["x", {"text": "y"}])
    assert (answer.status, answer.body) == (200, b"x")
    assert not answer.complete


def test_write_takes_bytes_only(web):
    """write() takes bytes only."""
    answer = web.ask("/streams/write-wrong")
    assert answer.text == "str NoneType int bytearray list"


def test_bytes_are_untouched(web):
    """Line endings and bytes untouched."""
    assert web.ask("/streams/line-ends").body == (
        bytes(range(256)) + b"\n\r\n\r\r\n")


# close()

CLEAN = ["normal", "nothing", "empty-blocks", "with-length", "enough"]
FAILING = {
    "iter-fails": "RuntimeError: iter failed",
    "next-fails": "RuntimeError: next failed",
    "late-failure": "RuntimeError: late failure",
    "wrong-item": "TypeError|bytes",
    "late-wrong-item": "TypeError|bytes",
    "not-started": "start_response",
    "exits": "SystemExit",
    "close-fails": "RuntimeError: close failed",
}


def closed(web, name, seconds=5.0) -> dict:
    """The counters of one case, as soon as it was closed."""
    end = time.monotonic() + seconds
    while True:
        counts = json.loads(web.ask("/closing/counts").body)[f"/{name}"]
        if counts["closed"] or time.monotonic() > end:
            return counts
        time.sleep(0.05)


@pytest.mark.parametrize("name", CLEAN)
def test_close_is_called_once_after_a_normal_end(web, name):
    """close() is called once: normal end."""
    web.allow_log("Content-Length|longer|more")
    assert web.ask(f"/closing/{name}").status == 200
    assert closed(web, name) == {"closed": 1, "same thread": True}


@pytest.mark.parametrize("name", FAILING)
def test_close_is_called_once_after_an_error(web, name):
    """close() is called once: error."""
    web.expect_traceback(FAILING[name])
    web.ask(f"/closing/{name}")
    assert closed(web, name) == {"closed": 1, "same thread": True}


def test_close_is_called_once_when_the_client_leaves(web):
    """close() is called once: early disconnect; no traceback for it."""
    with web.connect() as connection:
        connection.send(request("/closing/client-leaves"))
        connection.read_head()
    assert closed(web, "client-leaves") == {"closed": 1, "same thread": True}


@pytest.mark.every_mpm
def test_an_answer_does_not_wait_for_a_slow_close(web):
    """What an application does in close() is not the client's to wait for,
    once it has all that was promised; what it says there is logged."""
    web.allow_log("closing slowly")
    with web.connect() as connection:
        begin = time.monotonic()
        assert connection.ask("/closing/slow").body == b"abc"
        assert time.monotonic() - begin < 0.7
    assert closed(web, "slow") == {"closed": 1, "same thread": True}


def test_close_is_called_once_for_head(web):
    web.ask("/closing/head", method="HEAD")
    assert closed(web, "head") == {"closed": 1, "same thread": True}


def test_an_endless_stream_ends_with_its_client(web):
    web.expect_log("forever was closed", 1)
    with web.connect() as connection:
        connection.send(request("/streams/forever"))
        connection.read_head()
        connection.read_some()


# Content-Length

def test_never_more_bytes_than_content_length(web):
    """Never more bytes than Content-Length; the connection stays good;
    write() past that point raises."""
    web.expect_traceback("Content-Length|promised|write")
    with web.connect() as connection:
        for how in ("list", "generator", "write", "lazy"):
            answer = play_on(connection, how=how,
                             headers=[["Content-Length", "5"]],
                             blocks=["123", "456", "789"])
            assert answer.body == b"12345" and answer.complete


@pytest.mark.differs
def test_an_endless_iterable_ends_at_its_length(web):
    """Stop iterating when enough was sent."""
    web.expect_log("endless was closed", 1)
    web.allow_log("Content-Length|longer|more|promised")
    assert web.ask("/streams/endless").body == b"1234567890"


@pytest.mark.every_mpm
@pytest.mark.parametrize("how", ["list", "generator", "write", "lazy"])
@pytest.mark.differs
def test_too_few_bytes_close_the_connection(web, how):
    """Too few bytes: close the connection and report."""
    web.expect_log("ETCL0.*promised 10 .*gave 3:", 1)
    with web.connect() as connection:
        answer = play_on(connection, how=how, blocks=["123"],
                         headers=[["Content-Length", "10"]])
        assert answer.body == b"123" and not answer.complete
        assert not connection.is_open()


@pytest.mark.differs
def test_no_bytes_at_all_are_too_few(web):
    """A length that was promised and nothing sent: no clean end."""
    web.expect_log("ETCL0.*promised 10 .*gave 0:", 1)
    with web.connect() as connection:
        try:
            answer = play_on(connection, headers=[["Content-Length", "10"]])
            assert answer.status >= 500 or not answer.complete
        except EOFError:
            pass


# HEAD, 204, 304

@pytest.mark.parametrize("method, status, blocks", [
    ("HEAD", "200 OK", ["a body"]), ("HEAD", "404 No", ["a body"]),
    ("GET", "204 No Content", []), ("GET", "304 Not Modified", []),
    ("GET", "204 No Content", ["forbidden"]),
    ("GET", "304 Not Modified", ["forbidden"]),
    ("HEAD", "200 OK", []), ("POST", "204 No Content", ["forbidden"]),
])
@pytest.mark.parametrize("length", [None, "same"])
@pytest.mark.parametrize("how", ["list", "generator", "write"])
def test_bodies_that_must_not_be_are_not_sent(web, method, status, blocks,
                                              length, how):
    """204, 304 and HEAD carry no body; the connection goes on."""
    web.allow_log("body|Content-Length")
    given = [["ETag", '"x"']]
    if length:
        given.append(["Content-Length", str(sum(map(len, blocks)))])
    with web.connect() as connection:
        answer = play_on(connection, method=method, status=status, how=how,
                         blocks=blocks, headers=given)
        assert answer.status == int(status[:3])
        assert answer.get("ETag") == '"x"'
        assert connection.is_open()


def test_head_tells_the_length_that_get_would_have(web):
    answer = play(web, method="HEAD", headers=[["Content-Length", "6"]],
                  blocks=["a body"])
    assert answer.get("Content-Length") == "6"


@pytest.mark.differs
def test_head_of_an_empty_answer_keeps_its_length(web):
    """An application that does not make the body for HEAD is right."""
    with web.connect() as connection:
        answer = play_on(connection, method="HEAD", blocks=[],
                         headers=[["Content-Length", "12345"]])
        assert answer.get("Content-Length") == "12345"
        assert connection.is_open()


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 65535, 65536, 65537,
                                  1 << 20, (1 << 23) + 1])
@pytest.mark.parametrize("block", [999, 65536, 1 << 20])
def test_a_stream_of_any_size_arrives_whole(web, size, block):
    if size // block > 5000:
        pytest.skip("too many small blocks to be worth the time")
    for target in (f"/streams/large?size={size}&block={block}",
                   f"/streams/large?size={size}&block={block}&length"):
        answer = web.ask(target)
        assert answer.complete and len(answer.body) == size


@pytest.mark.parametrize("size", [1, 65536, 100_000, 1 << 24])
def test_one_large_block_arrives_whole(web, size):
    answer = web.ask(f"/streams/one-block?size={size}")
    assert answer.complete and answer.body == b"x" * size


@pytest.mark.parametrize("path", ["list", "generator", "write", "reads",
                                  "lines", "logs", "nothing"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.every_mpm
def test_wsgiref_validate_has_nothing_to_say(web, path, method):
    """wsgiref.validate around a battery of applications passes."""
    if path == "logs":
        web.expect_log("a valid line", 1)
    body = b"a\nb" if method == "POST" else b""
    answer = web.ask(f"/validated/{path}", method=method, body=body)
    assert answer.status == (204 if path == "nothing" else 200)
    if method == "POST" and path == "reads":
        assert answer.body == body


def test_blocks_of_a_pipeline_stay_in_their_answers(web):
    """Pipelined requests get their own answers, in order."""
    with web.connect() as connection:
        connection.send(b"".join(
            request("/puppet", headers=headers({"blocks": [f"<{n}>"]}))
            for n in range(50)))
        for number in range(50):
            assert connection.read().body == f"<{number}>".encode()

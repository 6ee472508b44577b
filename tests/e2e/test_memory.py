"""100 MB either way leave Apache and the workers as small as they were."""

import hashlib
import json

import pytest

from client import request
from leftovers import resident_kb

SIZE = 100_000_000
SLACK_KB = 12_000
BLOCK = bytes(range(256)) * 4096


def upload(server, target, chunked: bool) -> None:
    """Send SIZE bytes in pieces; they must arrive as they were."""
    digest, left = hashlib.sha256(), SIZE
    with server.connect(timeout=60) as connection:
        head = request(target, method="POST", headers=(
            ("Transfer-Encoding", "chunked") if chunked
            else ("Content-Length", str(SIZE)),))
        connection.send(head.replace(b"Content-Length: 0\r\n", b""))
        while left:
            piece = BLOCK[:min(left, len(BLOCK))]
            digest.update(piece)
            left -= len(piece)
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece)
                            if chunked else piece)
        if chunked:
            connection.send(b"0\r\n\r\n")
        seen = json.loads(connection.read().body)
    assert (seen["length"], seen["sha"]) == (SIZE, digest.hexdigest())


def download(server, target) -> int:
    """Take the body without keeping it; give its length."""
    with server.connect(timeout=60) as connection:
        connection.send(request(target, headers=(("Connection", "close"),)))
        head = connection.read_head()
        total = len(connection.buffer)
        while data := connection.sock.recv(1 << 20):
            total += len(data)
    assert head.status == 200
    return total


def grown_by(server, action) -> int:
    """How much resident memory the whole tree has gained, in kB."""
    action(server)
    before = resident_kb(server.processes())
    for _ in range(2):
        action(server)
    return resident_kb(server.processes()) - before


WAYS = {
    "upload": lambda s: upload(s, "/body/digest", False),
    "download": lambda s: download(
        s, f"/streams/large?size={SIZE}&length"),
    "chunked download": lambda s: download(
        s, f"/streams/large?size={SIZE}"),
}


@pytest.mark.slow(180)
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_megabytes_leave_memory_flat(web, way):
    """A 100 MB upload and a 100 MB download leave the resident memory of
    Apache and of the workers flat (a few MB)."""
    web.ask("/body/digest", method="POST", body=b"x")
    assert grown_by(web, WAYS[way]) < SLACK_KB


@pytest.mark.slow(180)
@pytest.mark.differs
def test_a_hundred_chunked_megabytes_leave_memory_flat(web):
    web.ask("/body/digest", method="POST", body=b"x")
    assert grown_by(web, lambda s: upload(
        s, "/body/digest", True)) < SLACK_KB


def test_downloads_are_whole(web):
    assert download(web, f"/streams/large?size={SIZE}&length") == SIZE

"""Defects that a review found, each held shut: descriptors and who has them."""

import os
import socket
import time
from pathlib import Path

import pytest

from server import Server
from waiting import wait_until

FILES = """
WSGIDaemonProcess etcl threads=16
WSGIProcessGroup etcl
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAlias /download {work}/download.py
"""
DOWNLOAD = """
import os

def application(environ, start_response):
    wrapped = open(environ['QUERY_STRING'], 'rb')
    size = os.fstat(wrapped.fileno()).st_size
    start_response('200 OK', [('Content-Length', str(size)),
        ('Last-Modified', 'Mon, 01 Jan 2024 00:00:00 GMT')])
    return environ['wsgi.file_wrapper'](wrapped)
"""


@pytest.fixture
def downloads():
    server = Server("<Directory {work}>\nRequire all granted\n</Directory>"
                    + FILES)
    (server.work / "download.py").write_text(DOWNLOAD)
    try:
        yield server.start()
        server.stop()
        assert not server.leftovers(12)
    finally:
        server.remove()


def holders(server, path) -> int:
    """How many descriptors of the server's processes are this file."""
    count = 0
    for pid in server.processes():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                count += os.readlink(link) == str(path)
            except OSError:
                pass
    return count


def slow_client(server, path) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", server.port))
    sock.sendall(f"GET /download?{path} HTTP/1.1\r\nHost: x\r\n"
                 "Connection: close\r\n\r\n".encode())
    return sock


def test_a_slow_download_leaves_no_descriptor_behind(downloads):
    """A file that Apache has set aside for a slow client is closed when it
    has been sent."""
    path = downloads.work / "big"
    path.write_bytes(bytes(8 << 20))
    clients = [slow_client(downloads, path) for _ in range(8)]
    assert wait_until(lambda: holders(downloads, path) >= len(clients))
    time.sleep(0.5)
    for client in clients:
        while client.recv(1 << 20):
            pass
        client.close()
    assert wait_until(lambda: not holders(downloads, path))


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no tmpfs")
def test_a_file_on_tmpfs_has_conditions_like_any(downloads):
    """Only a memory file of our own is without validators."""
    path = Path(f"/dev/shm/etcl-e2e-{downloads.port}")
    path.write_bytes(b"x" * 2000)
    try:
        answer = downloads.ask(f"/download?{path}", headers=[
            ("If-Modified-Since", "Tue, 02 Jan 2024 00:00:00 GMT")])
    finally:
        path.unlink()
    assert answer.status == 304


FORKING = """
import os, signal, time

def application(environ, start_response):
    if os.fork() == 0:
        time.sleep(7)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_forked_copy_does_not_hide_the_death_of_its_worker(downloads):
    """The copy holds what its parent held, but no connection to Apache."""
    (downloads.work / "download.py").write_text(FORKING)
    downloads.restart()
    downloads.expect_log("ETCL0231.*SIGKILL")
    downloads.expect_log("ETCL0153")
    begin = time.monotonic()
    assert downloads.ask("/download", method="POST").status == 502
    assert time.monotonic() - begin < 5


def supervisors(server) -> int:
    count = 0
    for pid in server.processes():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        parent = int(stat.split()[1])
        count += parent == server.pid and title.startswith(b"etcld")
    return count


def test_a_module_that_forks_does_not_keep_an_old_generation():
    """mod_cgid's daemon is a fork of Apache's parent, without exec."""
    server = Server("ScriptSock {root}/run/cgid.sock\n" + FILES,
                    extra=("cgid",))
    try:
        server.start()
        for _ in range(2):
            server.graceful()
        assert wait_until(lambda: supervisors(server) == 1, 20)
    finally:
        server.remove()


LOGS = """
import os

def application(environ, start_response):
    open_files = [os.path.realpath(f"/proc/self/fd/{fd}")
                  for fd in os.listdir("/proc/self/fd")]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["\\n".join(open_files).encode()]
"""


def test_an_application_does_not_hold_the_log_of_apache(downloads):
    """Who holds its descriptor can empty it: ftruncate(2)."""
    (downloads.work / "download.py").write_text(LOGS)
    downloads.restart()
    files = downloads.ask("/download").body.decode().splitlines()
    assert len(files) > 3
    assert not [name for name in files if name.endswith(".log")]

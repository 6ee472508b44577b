"""warm-up=: a worker asks itself for a page before it is ready, so that no
visitor waits for what an application does in its first request."""

import json
import os
import time

import pytest

from groups import GROUP
from waiting import wait_for_status, wait_until

pytestmark = pytest.mark.differs

APP = """
import json, os, threading
import mod_wsgi
VERSION = {version!r}
warmed = []
mod_wsgi.subscribe_events(lambda name, **_: events.append(name))
events = []
def application(environ, start_response):
    if environ.get("etcl.warm_up"):
        {warm}
        warmed.append({{key: str(environ[key]) for key in sorted(environ)
                       if key.isupper() or key[:5] == "etcl."}})
    else:
        {cold}
    start_response("{status}", [("Content-Type", "application/json")])
    return [json.dumps([VERSION, os.getpid(), warmed, events]).encode()]
"""


def write(server, version: str = "old", warm: str = "pass", cold: str = "pass",
          status: str = "200 OK") -> None:
    path = server.apps / "warm.py"
    path.write_text(APP.format(version=version, warm=warm, cold=cold,
                               status=status))
    path.chmod(0o644)
    write.count += 5
    os.utime(path, (time.time() + write.count,) * 2)


write.count = 0


def lines(options: str) -> str:
    return GROUP % options + "WSGIScriptAlias /warm {apps}/warm.py\n"


@pytest.fixture
def warm(apache):
    def begin(options: str, **how):
        server = apache(lines("processes=2 threads=3 " + options), start=False)
        write(server, **how)
        return server.start()
    return begin


def answer(server) -> list:
    return json.loads(server.ask("/warm").body)


@pytest.mark.parametrize("preload", ["off", "on"])
@pytest.mark.every_mpm
def test_a_worker_is_ready_when_it_has_answered_its_page(warm, preload):
    server = warm("warm-up=https://shop.example:8443/warm/in%20side?a=b"
                  f" preload={preload} maximum-requests=1000")
    server.log.wait_for(r"ETCL0360.*/warm/in.*: 200, after", 15, 2)
    _version, _pid, warmed, _events = answer(server)
    assert len(warmed) == 1
    for key, want in {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/warm",
            "PATH_INFO": "/in side", "QUERY_STRING": "a=b",
            "REQUEST_URI": "/warm/in%20side?a=b", "SERVER_PORT": "8443",
            "SERVER_NAME": "shop.example", "REQUEST_SCHEME": "https",
            "HTTP_HOST": "shop.example:8443", "REMOTE_ADDR": "127.0.0.1",
            "etcl.warm_up": "True"}.items():
        assert warmed[0][key] == want, key


def test_it_is_nobodys_request(warm):
    """It tells no subscriber of events, and does not count: a worker of one
    request answers one."""
    server = warm("warm-up=/warm maximum-requests=1")
    server.log.wait_for("ETCL0236", 15, 2)
    version, _pid, warmed, events = answer(server)
    assert version == "old" and len(warmed) == 1
    assert events.count("request_started") == 1


def test_after_a_change_no_visitor_comes_first(warm):
    """What only a first request does takes a second: nobody waits for it."""
    first = "import time; time.sleep(1)"
    server = warm("warm-up=/warm", warm=first)
    server.log.wait_for("ETCL0236", 15, 2)
    write(server, version="new", warm=first)
    end, longest, versions = time.monotonic() + 15, 0.0, set()
    while time.monotonic() < end and "new" not in versions:
        start = time.monotonic()
        version, _pid, warmed, _events = answer(server)
        longest = max(longest, time.monotonic() - start)
        versions.add(version)
        assert len(warmed) == 1
    assert versions == {"old", "new"}
    assert longest < 0.7


WRONG = {
    "raises": {"warm": "raise LookupError('cold')"},
    "is an error": {"status": "503 Not Yet"},
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("preload", ["off", "on"])
def test_code_whose_page_fails_leaves_the_old_serving(warm, name, preload):
    server = warm(f"warm-up=/warm preload={preload}")
    server.log.wait_for("ETCL0236", 15, 2)
    write(server, version="new", **WRONG[name])
    server.log.wait_for("ETCL0239", 15)
    server.expect_log("ETCL0362.*/warm with 50", 1)
    server.expect_log("ETCL0239", 1)
    if name == "raises":
        server.expect_traceback("LookupError: cold")
    assert {answer(server)[0] for _ in range(8)} == {"old"}
    write(server, version="newer")
    wait_until(lambda: answer(server)[0] == "newer", 15)


def test_at_a_cold_start_it_serves_all_the_same(warm):
    """There is no older code that would be better."""
    server = warm("warm-up=/warm", warm="raise LookupError('cold')")
    wait_for_status(server, "/warm", 200)
    server.log.wait_for("ETCL0236", 15, 2)
    server.expect_log("ETCL0362", 2)
    server.expect_traceback("LookupError: cold")


def test_a_page_that_is_not_there_is_a_warning(warm):
    server = warm("warm-up=/warm", status="404 Not Here")
    server.log.wait_for("ETCL0236", 15, 2)
    server.expect_log("ETCL0363.*with 404", 2)


def test_a_page_that_does_not_end_is_given_up(warm):
    server = warm("warm-up=/warm startup-timeout=2 shutdown-timeout=1"
                  " graceful-timeout=1",
                  warm="import time; time.sleep(30)")
    server.log.wait_for("ETCL0236", 15, 2)
    server.expect_log("ETCL0364.*in time", 2)
    server.allow_log("ETCL0248")
    assert answer(server)[:1] == ["old"]

"""Bugs that others fixed again and again, which fit no other file."""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest

from client import request
from conftest import missing
from groups import PROCESSES, daemons, keys, status
from waiting import wait_for_hello, wait_until

NUMBER = r"ETCL0\d\d\d"


# Life and death

@pytest.mark.differs
def test_the_module_can_be_unloaded_by_a_graceful_restart(apache):
    """No code pointer of ours survives an unload (mod_wsgi #77, #94)."""
    server = apache(PROCESSES)
    lines = [line for line in server.conf.read_text().splitlines()
             if not re.search(r"^\s*WSGI|LoadModule (etcl|wsgi)_", line)]
    server.conf.write_text(re.sub(" (etcl|wsgi):info", "",
                                  "\n".join(lines) + "\n"))
    before = daemons(server)
    server.allow_log("AH00488")     # nobody is left who knew its supervisor
    server.graceful()
    assert wait_until(lambda: not any(
        os.path.exists(f"/proc/{pid}/exe") for pid in before), 15)
    assert server.ask("/hello").status == 404


@pytest.mark.every_mpm
def test_the_module_can_be_loaded_first_by_a_graceful_restart(apache):
    """Loaded first at graceful (mod_wsgi 4.4.15: all children crashed)."""
    server = apache(module=False, start=False)
    server.conf.write_text(server.conf.read_text().replace(
        " etcl:info", "").replace(" wsgi:info", ""))
    server.start()
    server.options = {}
    server.configure(PROCESSES)
    server.graceful()
    assert wait_until(lambda: server.ask("/hello").status == 200)


@pytest.mark.differs
@pytest.mark.parametrize("pause", [0, 0.02, 0.1])
def test_a_stop_in_the_middle_of_the_start_leaves_nothing(apache, pause):
    """Signals during start-up."""
    server = apache(PROCESSES)
    time.sleep(pause)
    server.stop()
    assert server.leftovers() == []


@pytest.mark.slow(120)
@pytest.mark.differs
def test_a_storm_of_restarts_leaves_a_server_that_serves(apache):
    """SIGUSR1 and SIGHUP at random moments."""
    server = apache(PROCESSES)
    server.allow_log("AH0|" + NUMBER)
    dice = random.Random(7)
    for _ in range(12):
        os.kill(server.pid, dice.choice([signal.SIGUSR1, signal.SIGHUP]))
        time.sleep(dice.uniform(0, 0.4))
    wait_for_hello(server, 20)
    assert wait_until(lambda: len(daemons(server)) == 3, 30), (
        daemons(server))


@pytest.mark.slow(120)
@pytest.mark.differs
def test_workers_killed_under_load_are_always_replaced(apache):
    """Workers that vanish and are not replaced; a lock held by a killed
    worker: throughput recovers."""
    server = apache(PROCESSES)
    server.allow_log(NUMBER)
    stop, seen = threading.Event(), []

    def load():
        while not stop.is_set():
            seen.append(server.ask("/hello").status)
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    dice = random.Random(11)
    supervisor = status(server)["ppid"]
    for _ in range(6):
        victims = [pid for pid in daemons(server) if pid != supervisor]
        if victims:
            os.kill(dice.choice(victims), signal.SIGKILL)
        time.sleep(dice.uniform(0.1, 0.6))
    stop.set()
    for thread in threads:
        thread.join(20)
    assert set(seen) <= {200, 502, 503} and seen.count(200) > len(seen) / 2
    wait_for_hello(server)
    assert wait_until(lambda: len(daemons(server)) == 3, 15)


@pytest.mark.slow(120)
@pytest.mark.differs
def test_an_application_that_will_not_end_is_ended(apache):
    """GIL / thread state around shutdown: threads, a C sleep, an atexit
    that blocks, logging in __del__; the deadline holds."""
    server = apache("""
        WSGIDaemonProcess g shutdown-timeout=2 python-path={apps}
        WSGIScriptAlias / {apps}/stubborn.py process-group=g""")
    server.allow_log(NUMBER)
    assert int(server.ask("/").text) >= 4
    begin = time.monotonic()
    server.stop()
    assert server.leftovers() == []
    assert time.monotonic() - begin < 12


def test_streams_do_not_starve_the_others(apache):
    """N-1 streaming clients and normal traffic beside them."""
    server = apache("""
        WSGIDaemonProcess g threads=4 python-path={apps}
        WSGIProcessGroup g
        WSGIApplicationGroup %{GLOBAL}
        WSGIScriptAlias /hello {apps}/hello.py
        WSGIScriptAlias /streams {apps}/streams.py""")
    server.expect_log("forever was closed", 3)
    streams = [server.connect() for _ in range(3)]
    for stream in streams:
        stream.send(request("/streams/forever"))
        stream.read_head()
    begin = time.monotonic()
    for _ in range(20):
        assert server.ask("/hello").status == 200
    assert time.monotonic() - begin < 2
    for stream in streams:
        stream.close()


# Bytes of every value

BYTES = [byte for byte in range(1, 256) if chr(byte) not in "/.\\"]


def test_every_byte_passes_through_the_path(web):
    """Non-UTF-8, non-latin-1: latin-1 decode of bytes for environ."""
    encoded = "".join(f"%{byte:02X}" for byte in BYTES)
    seen = keys(web, f"/environ/{encoded}")
    assert seen["PATH_INFO"] == "/" + "".join(map(chr, BYTES))


def test_a_nul_in_the_path_never_arrives(web):
    web.allow_log("AH0")
    assert web.ask("/environ/a%00b").status in (400, 404)


def test_every_byte_passes_through_the_query(web):
    raw = "".join(chr(byte) for byte in range(0x80, 0x100))
    encoded = "".join(f"%{byte:02X}" for byte in range(256))
    assert keys(web, f"/environ?{encoded}")["QUERY_STRING"] == encoded
    with web.connect() as connection:
        connection.send(request(f"/environ?{raw}", headers=(
            ("Connection", "close"),)))
        answer = connection.read()
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert json.loads(answer.body)["keys"]["QUERY_STRING"] == raw


@pytest.mark.parametrize("target", [
    "//environ", "/environ//", "/environ/%2e%2e/hello", "/environ/;a/;b",
    "/environ/?", "/environ/" + "a" * 4000, "/environ/" + "/" * 3000,
    "/environ?" + "%" * 100, "/environ/%zz", "/environ/..%2f..%2f",
    "http://localhost/environ/absolute", "*", "/environ#fragment"])
def test_odd_targets_get_an_orderly_answer(web, target):
    """Over-read by crafted URI path (CVE-2021-36160)."""
    web.allow_log("AH0|AH10244")
    answer = web.ask(target)
    assert answer.status in (200, 400, 404, 405)
    assert web.ask("/hello").status == 200


# Other protocols and filters

MOUNTS = """
    WSGIDaemonProcess g python-path={apps}
    WSGIProcessGroup g
    WSGIApplicationGroup %{GLOBAL}
""" + "\n".join(f"WSGIScriptAlias /{name} {{apps}}/{name}.py"
                for name in ("files", "streams", "hello", "failing"))
SIZES = {
    "/hello": 14, "/files/regular": 131072,
    "/streams/large?size=300000&block=1000": 300_000,
    "/streams/one-block?size=900000": 900_000,
}
FILTERS = {
    "deflate": ("SetOutputFilter DEFLATE", ("filter", "deflate")),
    "ratelimit": ("SetOutputFilter RATE_LIMIT\nSetEnv rate-limit 20000",
                  ("ratelimit",)),
    "substitute": ("SetOutputFilter SUBSTITUTE\nSubstitute s/x/y/n",
                   ("substitute",)),
    "several": ("SetOutputFilter SUBSTITUTE;DEFLATE\nSubstitute s/x/y/n",
                ("filter", "deflate", "substitute")),
}


@pytest.mark.parametrize("name", FILTERS)
def test_output_filters_get_what_the_application_sent(apache, name):
    """HTTP/2 and output filters: file bucket freed, mod_ratelimit."""
    line, modules = FILTERS[name]
    server = apache(line + MOUNTS, extra=modules)
    for target, size in SIZES.items():
        answer = server.ask(target)
        assert answer.status == 200 and answer.complete
        assert len(answer.body) == size


def curl(server, target: str) -> subprocess.CompletedProcess:
    """Ask in HTTP/2; version and status come on stderr."""
    if not os.path.exists("/usr/bin/curl"):
        missing("curl")
    return subprocess.run(
        ["/usr/bin/curl", "-sS", "--http2-prior-knowledge", "-w",
         "%{stderr}%{http_version} %{http_code}",
         f"http://127.0.0.1:{server.port}{target}"],
        capture_output=True, check=False, timeout=30)


@pytest.mark.http2
def test_http_2_serves_the_same(apache):
    server = apache("Protocols h2c http/1.1" + MOUNTS, extra=("http2",))
    for target, size in SIZES.items():
        done = curl(server, target)
        assert (done.stderr, len(done.stdout)) == (b"2 200", size)


@pytest.mark.differs
@pytest.mark.http2
def test_a_broken_answer_is_broken_in_http_2_too(apache):
    server = apache("Protocols h2c http/1.1" + MOUNTS, extra=("http2",))
    server.allow_log(".*")
    assert curl(server, "/failing/raises-late").returncode != 0

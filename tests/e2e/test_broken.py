"""A graceful restart into code that does not load: the workers of before go
on, one line says so, and the mended code takes over."""

import os
import signal
import time

import pytest

from client import request
from footprint import Footprint
from groups import WIDE, daemons, supervisors
from pressure import Ask, Pressure
from waiting import wait_for_status, wait_until

GENERATION = 3          # processes of the group: a supervisor, two workers
KEPT = "ETCL0202: .*does not load"
LOADS = "ETCL0203: .*loads again"
GONE = "ETCL0204: .*serve no more"
BROKEN = "import no_such_module\n"

SITE = """
    WSGIDaemonProcess g processes=2 threads=5 python-path={apps} preload=%s
    WSGIScriptAlias / {work}/site.py process-group=g \\
        application-group=%%{GLOBAL}
    <Directory {work}>
        Require all granted
    </Directory>
"""

APP = """
import os
def application(environ, start_response):
    body = b"%s %%d" %% os.getpid()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def put(server, text):
    new = server.work / "site.new"
    new.write_text(text)
    new.rename(server.work / "site.py")


def said(server) -> str:
    answer = server.ask("/")
    return answer.body.decode() if answer.status == 200 else str(answer.status)


def site(apache, text=APP % "old", preload="off", lines=SITE):
    server = apache(start=False)
    put(server, text)
    server.configure(lines % preload + WIDE)
    server.allow_log("ETCL0308|ETCL0311|no_such_module|Traceback|  File ")
    server.allow_log("ETCL0154")
    server.start()
    server.log.wait_for("ETCL0236: worker", 10, 2)
    return server


def breaks(server, times=1):
    """Graceful restarts with broken code, each of which is noticed."""
    put(server, BROKEN)
    for number in range(times):
        server.graceful()
        assert wait_until(lambda count=number + 1: said(server) and len(
            server.log.find(KEPT)) == count), server.log.text()


def ended(server, pids, seconds=20):
    return wait_until(lambda: not set(pids) & set(daemons(server)), seconds)


@pytest.mark.slow(60)
@pytest.mark.parametrize("preload", ["off", "on"])
def test_old_code_goes_on_until_the_new_is_mended(apache, preload):
    server = site(apache, preload=preload)
    server.expect_log(KEPT, 1)
    server.expect_log(LOADS, 1)
    server.graceful()
    server.log.wait_for("ETCL0236: worker", 10, 4)
    size = GENERATION + (preload == "on")
    assert wait_until(lambda: len(daemons(server)) == size, 20)
    before = Footprint.of(server.pid, server.root)
    first = daemons(server)
    with Pressure(server.port, Ask("/", holds="old"), connections=4) as load:
        load.pause(0.2)
        breaks(server)
        load.pause(1.5)
    assert not load.report.failed, load.report
    with Pressure(server.port, Ask("/"), connections=4) as load:
        put(server, APP % "mended")
        assert wait_until(lambda: said(server).startswith("mended"), 5)
        load.pause(0.3)
    assert not load.report.failed, load.report
    assert ended(server, first)
    assert wait_until(lambda: len(daemons(server)) == size, 10)
    after = Footprint.of(server.pid, server.root)
    assert not after.grown(before), after.new_kinds(before)


@pytest.mark.slow(60)
def test_of_several_restarts_the_one_that_works_stays(apache):
    server = site(apache)
    server.expect_log(KEPT, 3)
    server.expect_log(LOADS, 1)
    first = daemons(server)
    with Pressure(server.port, Ask("/", holds="old"), connections=4) as load:
        breaks(server, 3)
    assert not load.report.failed, load.report
    assert wait_until(lambda: len(daemons(server)) == 2 * GENERATION, 10)
    assert set(first) < set(daemons(server))
    put(server, APP % "mended")
    assert wait_until(lambda: said(server).startswith("mended"), 5)
    assert ended(server, first)


def test_a_worker_of_before_that_crashes_leaves_the_other(apache):
    server = site(apache)
    server.expect_log(KEPT, 1)
    server.allow_log("ETCL0239|ETCL02")
    breaks(server)
    victim = int(said(server).split()[1])
    os.kill(victim, signal.SIGKILL)
    for _ in range(20):
        answer = said(server)
        assert answer.startswith("old") and answer.split()[1] != str(victim)
        time.sleep(0.05)


def test_without_its_supervisor_the_old_code_ends(apache):
    """It is as at a first start then: the reason is logged."""
    server = site(apache)
    server.expect_log(KEPT, 1)
    server.expect_log(GONE, 1)
    server.allow_log("ETCL0271")
    breaks(server)
    os.kill(supervisors(server)[0], signal.SIGKILL)
    begin = time.monotonic()
    wait_for_status(server, "/", 500, 5)
    assert time.monotonic() - begin < 5
    server.log.wait_for(GONE)
    put(server, APP % "mended")
    assert wait_until(lambda: said(server).startswith("mended"), 5)


def test_killed_with_all_of_its_workers_it_holds_nobody(apache):
    server = site(apache)
    server.allow_log("ETCL020|ETCL01|ETCL0271")
    first = daemons(server)
    breaks(server)
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    for _ in range(5):
        begin = time.monotonic()
        assert said(server) in ("500", "503")
        assert time.monotonic() - begin < 3
    wait_for_status(server, "/", 500, 5)


@pytest.mark.parametrize("preload", ["off", "on"])
def test_a_first_start_has_no_code_to_go_on_with(apache, preload):
    server = site(apache, BROKEN, preload)
    assert said(server) == "500"
    put(server, APP % "mended")
    assert wait_until(lambda: said(server).startswith("mended"), 5)


def test_code_that_ends_its_process_is_not_taken_either(apache):
    server = site(apache)
    server.allow_log("ETCL0")
    put(server, "import os\nos._exit(7)\n")
    server.graceful()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert said(server).startswith("old")
        time.sleep(0.02)
    assert len(server.log.find(KEPT)) == 1


@pytest.mark.parametrize("how", ["restart", "stop"])
def test_what_is_not_graceful_ends_the_old_code(apache, how):
    server = site(apache)
    server.expect_log(KEPT, 1)
    first = daemons(server)
    breaks(server)
    if how == "restart":
        server.restart()
        assert ended(server, first, 5)
        assert said(server) == "500"
    else:
        server.stop(signal.SIGWINCH)
        assert not server.leftovers()


def test_a_group_that_was_removed_does_not_live_on(apache):
    server = site(apache)
    server.expect_log(KEPT, 1)
    first = daemons(server)
    breaks(server)
    server.configure(WIDE)
    server.graceful()
    assert ended(server, first)


SLOW = APP.replace("    body", """    if environ["PATH_INFO"] == "/slow":
        import time
        time.sleep(0.5)
    body""", 1)


def test_who_waits_for_old_workers_goes_over_to_the_new(apache):
    """The queue of a generation that serves no more is nobody's place."""
    server = site(apache, SLOW % "old", lines=SITE.replace("threads=5",
                                                           "threads=1"))
    server.expect_log(KEPT, 1)
    server.expect_log(LOADS, 1)
    breaks(server)
    waiting = [server.connect() for _ in range(12)]
    for connection in waiting:
        connection.send(request("/slow"))
    put(server, SLOW % "mended")
    answers = [connection.read() for connection in waiting]
    assert [answer.status for answer in answers] == [200] * len(waiting)
    codes = {answer.body.split()[0] for answer in answers}
    assert codes == {b"old", b"mended"}
    server.log.wait_for(LOADS, 15)
    for connection in waiting:
        connection.close()

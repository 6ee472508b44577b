"""Processes that die, are killed or stand still, under load and not: what
requests see of it, and what the log says of the dead."""

import os
import re
import resource
import signal
import threading
import time
from pathlib import Path

import pytest

from groups import WIDE, daemons
from leftovers import children_of
from pressure import Ask, Pressure
from waiting import wait_until

GROUP = """
    WSGIDaemonProcess g python-path={apps} %s
    WSGIProcessGroup g
    WSGIScriptAlias /app {apps}/crashing.py
"""
MAIN = "WSGIApplicationGroup %{GLOBAL}\n"
TWO = WIDE + MAIN + GROUP % "processes=2 threads=5"
ONE = MAIN + GROUP % "processes=1 threads=4"

GET = Ask("/app/pid")
POST = Ask("/app/post", method="POST", body="x" * 100)
MAY_BREAK = Ask("/app/post", method="POST", body="x" * 100,
                statuses=(200, 502))


def supervisor(server) -> int:
    below, own = children_of(), daemons(server)
    [found] = [pid for pid in below[server.pid] if pid in own]
    return found


def workers(server) -> list[int]:
    return children_of().get(supervisor(server), [])


def apache_children(server) -> list[int]:
    own = daemons(server)
    return [pid for pid in children_of()[server.pid] if pid not in own]


def worker(server) -> int:
    return int(server.ask("/app/pid").text)


def in_background(server, target: str) -> threading.Thread:
    """A request whose answer nobody cares for."""
    thread = threading.Thread(target=server.ask, args=(target,))
    thread.start()
    return thread


# What the log says

@pytest.mark.differs
@pytest.mark.parametrize("preload", ["off", "on"])
def test_a_crash_is_told_with_its_stack_and_its_requests(apache, preload):
    server = apache(MAIN + GROUP % f"threads=4 preload={preload}")
    server.allow_log(r"ETCL015[34]|File \"|Thread 0x|^\s*$|no Python frame")
    server.expect_log(r"Fatal Python error: Segmentation fault")
    server.expect_log(r"Current thread 0x\w+ \(most recent call first\)")
    server.expect_log(r"crashing.py\", line \d+ in crash")
    server.expect_log(r"crashing.py\", line \d+ in hold")
    server.expect_log(
        r"ETCL0231: worker 0 of group g \(pid \d+\) died: signal 11 "
        r"\(SIGSEGV\).*; age \d+\.\d s, 1 requests answered, "
        r"\d+\.\d MiB resident; it held ")
    server.allow_log("ETCL0231")
    pid = worker(server)
    held = in_background(server, "/app/hold?seconds=2")
    time.sleep(1.2)
    assert server.ask("/app/crash").status == 502
    held.join()
    line = server.log.wait_for(rf"ETCL0231.*{pid}").text
    assert re.search(r"GET /app/crash \(0\.\d s\)", line), line
    assert re.search(r"GET /app/hold \(1\.\d s\)", line), line
    assert "seconds=2" not in line
    assert server.ask("/app/pid").status == 200


@pytest.mark.differs
def test_a_crash_in_a_sub_interpreter_has_a_stack(apache):
    server = apache("WSGIApplicationGroup sub\n" + GROUP % "threads=4")
    server.allow_log(r"ETCL015[34]|Thread 0x|^\s*$|no Python frame|Stack")
    server.allow_log(r"Fatal Python error|Current thread|File \"")
    server.expect_log("ETCL0355: in the interpreter of application-group sub:")
    server.expect_log(r"crashing.py\", line \d+ in crash")
    server.expect_log("ETCL0231.*SIGSEGV")
    assert server.ask("/app/crash").status == 502


@pytest.mark.differs
def test_a_crash_leaves_a_core_file_where_that_is_allowed(apache):
    """Otherwise workers are not dumpable, and nobody reads their memory."""
    pattern = open("/proc/sys/kernel/core_pattern", encoding="ascii").read()
    if "/" in pattern or pattern.startswith("|"):
        pytest.skip("the machine puts core files elsewhere")
    server = apache(ONE.replace("processes=1", "home={work}"), start=False)
    old = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (old[1], old[1]))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, old)
    server.allow_log(r"ETCL015[34]|File \"|Thread 0x|^\s*$|no Python frame")
    server.allow_log(r"Fatal Python error|Current thread")
    server.expect_log(r"ETCL0231: .*\(SIGSEGV\), core dumped")
    server.ask("/app/crash")
    assert wait_until(lambda: list(server.work.glob("core*")))


@pytest.mark.differs
def test_an_application_may_have_stacks_of_its_own(apache):
    """faulthandler.enable(file) of the application holds, and does not keep
    the process from dying by the signal."""
    server = apache(ONE)
    server.allow_log(r"ETCL015[34]")
    server.expect_log(r"ETCL0231.*SIGSEGV.*GET /app/watch", 2)
    stack = server.work / "stack"
    assert server.ask(f"/app/watch?into={stack}").status == 502
    assert re.search(r"Segmentation fault[^$]*in watch", stack.read_text())


@pytest.mark.differs
def test_an_exit_is_told_with_its_status(apache):
    server = apache(ONE)
    server.allow_log(r"ETCL015[34]")
    server.expect_log(r"ETCL0232: .* ended by itself with exit status 3; "
                      r"age .*; it held GET /app/exit \(0\.\d s\)$", 2)
    assert server.ask("/app/exit?status=3").status == 502


@pytest.mark.differs
@pytest.mark.parametrize("sign, says", [
    (signal.SIGKILL, r"ETCL0231: .*signal 9 \(SIGKILL\); somebody killed it: "
                     r"the kernel counted no out-of-memory kill; age .*held "
                     r"no request$"),
    (signal.SIGTERM, r"ETCL0262: .*got SIGTERM: .*; it was sent by pid %d "
                     r"\(\w+.*\), uid 0$")])
def test_who_killed_it_is_told_as_far_as_it_is_known(apache, sign, says):
    server = apache(ONE)
    pid = worker(server)
    time.sleep(0.2)     # its call has ended, too, not only been answered
    os.kill(pid, sign)
    if sign == signal.SIGKILL:
        server.expect_log(says)
    else:
        server.log.wait_for(says % os.getpid())
    assert server.ask("/app/pid").status == 200


@pytest.fixture
def tight():
    """A control group of 150 MB, and how to start something in it."""
    mine = [line.split(":") for line in
            Path("/proc/self/cgroup").read_text().splitlines()]
    old = next((f"/memory{path}" for _, kind, path in mine
                if kind == "memory"), None)
    limit = "memory.limit_in_bytes" if old else "memory.max"
    old = Path("/sys/fs/cgroup" + (old or mine[-1][2]))
    new = old / f"etcl-e2e-{os.getpid()}"
    try:
        new.mkdir()
        (new / limit).write_text(str(150_000_000))
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")

    def start(server):
        (new / "cgroup.procs").write_text(str(os.getpid()))
        try:
            return server.start()
        finally:
            (old / "cgroup.procs").write_text(str(os.getpid()))

    yield start
    assert wait_until(lambda: not (new / "cgroup.procs").read_text())
    new.rmdir()


@pytest.mark.differs
def test_a_worker_that_the_kernel_killed_for_memory_is_told_as_such(tight,
                                                                    apache):
    server = tight(apache(ONE, start=False))
    server.allow_log("ETCL015[34]")
    server.expect_log(
        r"ETCL0231: .*signal 9 \(SIGKILL\); .*out of memory.*"
        r"; it held GET /app/eat \(\d\.\d s\)$", 2)
    assert server.ask("/app/eat?size=400000000").status == 502
    assert server.ask("/app/pid").status == 200


@pytest.mark.differs
def test_descriptors_that_the_application_closed_end_the_worker(apache):
    server = apache(ONE)
    server.allow_log(r"ETCL015[34]|ETCL0232")
    server.expect_log(r"ETCL0294: worker \d of group g \(pid \d+\) ends", 2)
    server.ask("/app/close")
    assert server.ask("/app/pid").status == 200


# Under load

@pytest.mark.differs
def test_a_worker_killed_each_second_costs_no_get(apache):
    """And of others no more than it has threads."""
    server = apache(TWO)
    server.allow_log(r"ETCL0153: .*POST")
    server.expect_log(r"ETCL0231.*SIGKILL", 4)
    with Pressure(server.port, GET, MAY_BREAK) as load:
        for _ in range(4):
            load.pause(1)
            os.kill(workers(server)[0], signal.SIGKILL)
        load.pause(1)
    assert not load.report.failed, load.report
    assert len(server.log.find(r"ETCL0153: .*POST")) <= 4 * 5


@pytest.mark.differs
def test_a_supervisor_that_is_killed_costs_no_request(apache):
    """Its workers finish what they hold; others wait for new ones."""
    server = apache(TWO)
    server.expect_log(r"ETCL0271: .*a new one starts at once", 2)
    server.allow_log("ETCL0247")
    with Pressure(server.port, GET, POST) as load:
        for _ in range(2):
            load.pause(1)
            os.kill(supervisor(server), signal.SIGKILL)
            load.pause(1.5)
    assert not load.report.failed, load.report
    assert wait_until(lambda: len(daemons(server)) == 3)


@pytest.mark.differs
def test_a_supervisor_that_is_killed_often_is_waited_for(apache):
    """Also when its parent pauses before it starts another."""
    server = apache(MAIN + GROUP % "processes=1 threads=2")
    server.expect_log(r"ETCL0271: .*a new one starts (at once|in 1 s)", 4)
    server.allow_log("ETCL0247")
    for number in range(4):
        os.kill(supervisor(server), signal.SIGKILL)
        server.log.wait_for("ETCL0271", 5, number + 1)
        assert server.ask("/app/pid").status == 200


@pytest.mark.differs
def test_an_apache_child_that_is_killed_gives_its_leases_back(apache):
    """It held each thread of the worker; the others get them."""
    server = apache(MAIN + GROUP % "processes=1 threads=2")
    worker(server)              # until then a child may yet become a daemon
    below = set(apache_children(server))
    held = [in_background_of(server) for _ in range(2)]
    time.sleep(0.5)
    for pid in below:
        os.kill(pid, signal.SIGKILL)
    begin = time.monotonic()
    assert wait_until(lambda: answers(server), 5)
    assert time.monotonic() - begin < 5
    for thread in held:
        thread.join()


def in_background_of(server) -> threading.Thread:
    def ask():
        try:
            server.ask("/app/hold?seconds=2")
        except (OSError, EOFError):
            pass                # its Apache child was killed
    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def answers(server) -> bool:
    try:
        return server.ask("/app/pid", timeout=5).status == 200
    except (OSError, EOFError):
        return False            # nobody listens for a moment


@pytest.mark.differs
def test_a_stopped_worker_costs_its_own_requests_only(apache):
    """It is replaced after three seconds, and killed after ten; what it held
    is then asked of another worker where that is safe."""
    server = apache(TWO)
    server.conf.write_text(
        re.sub(r"(?m)^Timeout .*$", "", server.conf.read_text())
        + "Timeout 30\n")
    server.restart()
    server.expect_log(r"ETCL0266", 1)
    server.expect_log(r"ETCL0293: .*stood still for 10 s.*; it held", 1)
    server.allow_log(r"ETCL0153: .*POST")
    with Pressure(server.port, GET, MAY_BREAK, timeout=20) as load:
        load.pause(1)
        os.kill(workers(server)[0], signal.SIGSTOP)
        load.pause(12.5)
    report = load.report
    assert not report.failed, report
    late = [one for one in report.events if one.seconds > 1]
    assert len(late) <= 5, report
    assert max(one.seconds for one in report.events) < 12, report
    assert len(workers(server)) == 2


@pytest.mark.differs
def test_a_stopped_worker_that_goes_on_finishes(apache):
    server = apache(TWO)
    server.expect_log(r"ETCL0266", 1)
    with Pressure(server.port, GET, POST) as load:
        load.pause(0.5)
        victim = workers(server)[0]
        os.kill(victim, signal.SIGSTOP)
        load.pause(4)
        os.kill(victim, signal.SIGCONT)
        load.pause(0.5)
    assert not load.report.failed, load.report
    assert wait_until(lambda: not os.path.exists(f"/proc/{victim}"))
    assert wait_until(lambda: len(workers(server)) == 2)


@pytest.mark.differs
def test_a_worker_that_leaks_descriptors_is_replaced(apache):
    """It cannot take a new link: who wants one waits for its successor."""
    server = apache(MAIN + WIDE + GROUP % "processes=1 threads=20")
    server.expect_log("ETCL0245: .*Too many open files", 1)
    victim = int(server.ask("/app/leak").text)
    with Pressure(server.port, GET, Ask("/app/hold?seconds=0.1")) as load:
        server.log.wait_for(f"ETCL0237.*{victim}", 10)
        load.pause(0.3)
    assert server.log.find(rf"ETCL0263.*{victim}.*no descriptor left")
    assert not load.report.failed, load.report
    assert worker(server) != victim


# Again and again

CRASHES = {
    "at import": "import os\nos._exit(7)\n",
    "at each request": "import os\n"
                       "def application(environ, start_response):\n"
                       "    os._exit(7)\n",
}


@pytest.mark.differs
@pytest.mark.parametrize("when", CRASHES)
def test_an_application_that_keeps_crashing_is_held_back_and_heals(
        apache, when):
    """Pauses grow, requests get 502 or 503 with the reason in the log, and a
    mended script is served at once."""
    server = apache("""
        WSGIDaemonProcess g processes=2 threads=3
        WSGIScriptAlias /own {work}/own.py process-group=g \\
            application-group=%{GLOBAL}
        <Directory {work}>
            Require all granted
        </Directory>""", start=False)
    script = server.work / "own.py"
    script.write_text(CRASHES[when])
    server.allow_log(r"ETCL015[34]")
    server.expect_log(r"ETCL0232: .*exit status 7")
    server.expect_log(r"ETCL0234: .*starts in a row have failed")
    server.expect_log(r"ETCL0151: .*worker \d: exit status 7")
    server.start()
    begin = time.monotonic()
    seen = set()
    while time.monotonic() - begin < 4:
        seen.add(server.ask("/own").status)
        time.sleep(0.1)
    assert 503 in seen and seen <= {502, 503}, seen
    assert len(server.log.find("ETCL0232")) < 25
    script.write_text((server.apps / "hello.py").read_text())
    assert wait_until(lambda: server.ask("/own").status == 200, 3)

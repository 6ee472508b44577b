"""preload=on: workers are forked from a template, and nobody notices but the
machine's memory."""

import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo import DEMO, LOCALE, deploy, seed_for
from groups import PROCESSES, daemons, status
from leftovers import children_of, read_proc, stat_fields
from pressure import Ask, Pressure
from waiting import wait_until

PRELOAD = PROCESSES.replace("processes=2", "processes=2 preload=on")
READY = r"ETCL0236.*is ready"
TEMPLATE = r"ETCL0281.*pid (\d+)"
BIG = "big = [str(number) for number in range(300000)]\n"


def wait_ready(server, count: int = 2) -> None:
    server.log.wait_for(READY, 15, count)


def templates(server) -> list[int]:
    """Daemons of one thread whose parent is the supervisor."""
    found = daemons(server)
    return [pid for pid in found
            if int(stat_fields(pid)[1]) in found
            and len(os.listdir(f"/proc/{pid}/task")) == 1]


def workers(server) -> list[int]:
    found = daemons(server)
    return [pid for pid in found
            if int(stat_fields(pid)[1]) in found
            and len(os.listdir(f"/proc/{pid}/task")) > 1]


def pss_kb(pid: int) -> int:
    text = read_proc(pid, "smaps_rollup").decode()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])


def touch(server, name: str, text: str | None = None) -> None:
    path = server.apps / name
    path.write_text(text or path.read_text())
    os.utime(path, (time.time() + 5, time.time() + 5))


@pytest.mark.every_mpm
def test_workers_share_the_memory_of_what_was_loaded(apache):
    """Pages are really shared: what only one process would have counts for
    each of them without preload=on."""
    sums = {}
    for name, lines in (("off", PROCESSES), ("on", PRELOAD)):
        server = apache(lines, start=False)
        script = server.apps / "hello.py"
        script.write_text(BIG + script.read_text())
        server.start()
        wait_ready(server)
        assert server.ask("/hello").status == 200
        pids = daemons(server)
        assert len(pids) == (4 if name == "on" else 3)
        sums[name] = sum(map(pss_kb, pids))
        server.stop()
    assert sums["on"] < 0.75 * sums["off"], sums


def test_a_worker_is_what_it_would_be_without(apache):
    """Identity, parent, folder, environment, descriptors and streams."""
    options = "umask=0027 home={work} env=SHOP=yes python-path={apps}"
    seen = []
    for lines in (PROCESSES, PRELOAD):
        server = apache(lines.replace("python-path={apps}", options))
        wait_ready(server)
        one = status(server)
        assert one.pop("ppid") in children_of().get(server.pid, [])
        assert one.pop("name").startswith("_mod_wsgi_")    # and the path
        assert one["cwd"] == str(server.work)
        fds = json.loads(server.ask("/process/descriptors").body)
        texts = json.dumps([one, sorted(fds["inheritable"])])
        for part in (str(server.root), server.cookie.split("=")[1]):
            texts = texts.replace(part, "ROOT")
        texts = re.sub(r'"pid": \d+', "", texts)
        seen.append(texts)
        server.stop()
    assert seen[0] == seen[1]


def test_each_worker_has_its_own_pid_randomness_and_beginning(apache):
    server = apache(PRELOAD, start=False)
    touch(server, "own.py", OWN)
    server.configure(PRELOAD + "WSGIScriptAlias /mine {apps}/own.py\n")
    server.start()
    wait_ready(server)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(server.ask, ["/mine"] * 6))
    seen = {one["pid"]: one for one in
            (json.loads(answer.body) for answer in answers)}
    assert sorted(seen) == sorted(workers(server))
    for pid, one in seen.items():
        assert one["loaded_in"] == templates(server)[0]
        assert one["ran"] == ["before", "child"]
        assert one["log_pid"] == pid
        assert one["began"] >= one["loaded_at"]
    assert len({one["random"] for one in seen.values()}) == 2
    printed = [line.pid for line in server.log.lines()
               if "handler of a fork" in line.text]
    assert sorted(printed) == sorted(seen)


OWN = """
import json, os, random, sys, time
import mod_wsgi
loaded_in, loaded_at, ran = os.getpid(), time.time(), []
random.seed(7)
def child():
    ran.append("child")
    print("handler of a fork")
os.register_at_fork(before=lambda: ran.append("before"), after_in_child=child,
                    after_in_parent=lambda: ran.append("parent"))
first = None
def application(environ, start_response):
    global first
    first = first or random.random()
    time.sleep(0.3)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({
        "pid": os.getpid(), "loaded_in": loaded_in, "ran": ran,
        "loaded_at": loaded_at, "random": first,
        "log_pid": mod_wsgi.process_metrics()["pid"],
        "began": mod_wsgi.process_metrics()["restart_time"]}).encode()]
"""


@pytest.mark.every_mpm
def test_a_touch_makes_a_new_template_and_fails_no_request(apache):
    server = apache(PRELOAD)
    wait_ready(server)
    old, before = templates(server), workers(server)
    with Pressure(server.port, Ask("/hello"), connections=8) as load:
        load.pause(0.5)
        touch(server, "hello.py")
        server.log.wait_for(READY, 15, 4)
        load.pause(0.5)
    assert load.report.sent > 100 and not load.report.failed, load.report
    assert wait_until(lambda: not {*before, *old} & {*daemons(server)})
    assert len(templates(server)) == 1 and len(workers(server)) == 2


def test_code_that_does_not_load_leaves_the_old_template(apache):
    """A worker that is lost meanwhile comes from it, with the old code."""
    server = apache(PRELOAD)
    wait_ready(server)
    good = (server.apps / "hello.py").read_text()
    old = templates(server)
    server.expect_traceback("LookupError: new")
    server.expect_log("ETCL0239", 1)
    touch(server, "hello.py", "raise LookupError('new')\n")
    server.log.wait_for("ETCL0239", 15)
    assert wait_until(lambda: templates(server) == old)
    server.expect_log("ETCL0231", 1)
    os.kill(workers(server)[0], signal.SIGKILL)
    server.log.wait_for(READY, 15, 3)
    for _ in range(4):
        assert server.ask("/hello").status == 200
    touch(server, "hello.py", good)
    os.utime(server.apps / "hello.py", (time.time() + 9, time.time() + 9))
    server.log.wait_for(READY, 15, 5)
    assert templates(server) != old and server.ask("/hello").status == 200


def test_a_script_that_never_loads_is_a_500_as_without(apache):
    server = apache(PRELOAD, start=False)
    touch(server, "failing.py", "raise LookupError('never')\n")
    server.expect_traceback("LookupError: never")
    server.allow_log("ETCL0311")
    server.start()
    wait_ready(server)
    assert server.ask("/hello").status == 200
    assert server.ask("/failing").status == 500


def test_whoever_is_killed_is_replaced_and_nobody_else(apache):
    """A killed template costs no worker, and a killed worker is there again
    as soon as its template has forked."""
    server = apache(PRELOAD)
    wait_ready(server)
    before, [old] = workers(server), templates(server)
    server.expect_log(rf"ETCL0278.*{old}.*signal 9", 1)
    with Pressure(server.port, Ask("/hello"), connections=8) as load:
        os.kill(old, signal.SIGKILL)
        server.log.wait_for(TEMPLATE, 15, 2)
        load.pause(0.3)
        assert workers(server) == before
        server.expect_log(rf"ETCL0231.*{before[0]}", 1)
        os.kill(before[0], signal.SIGKILL)
        server.log.wait_for(READY, 15, 3)
        load.pause(0.3)
    assert not load.report.failed, load.report
    assert templates(server) != [old] and before[1] in workers(server)


def test_a_template_that_stands_still_is_replaced(apache):
    server = apache(PRELOAD)
    wait_ready(server)
    [old] = templates(server)
    server.expect_log("ETCL0277", 1)
    server.expect_log("ETCL0231", 1)
    os.kill(old, signal.SIGSTOP)
    os.kill(workers(server)[0], signal.SIGKILL)
    server.log.wait_for(READY, 20, 3)
    assert templates(server) != [old] and server.ask("/hello").status == 200


THREAD = """
import threading, time
def begin():
    threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
begin()
"""


def test_a_module_that_starts_a_thread_is_named_and_nothing_is_down(apache):
    server = apache(PRELOAD, start=False)
    touch(server, "starter.py", THREAD)
    good = (server.apps / "hello.py").read_text()
    touch(server, "hello.py", "import starter\n" + good)
    server.expect_log(r"ETCL0341: preload=on.*by module starter \(.*"
                      r"starter.py:4\).*OPENBLAS_NUM_THREADS", 1)
    server.start()
    wait_ready(server)
    assert server.ask("/hello").status == 200
    assert not templates(server) and len(workers(server)) == 2
    touch(server, "hello.py", good)  # the thread is gone with the module
    server.log.wait_for(TEMPLATE, 15)
    server.log.wait_for(READY, 15, 4)
    assert len(templates(server)) == 1 and server.ask("/hello").status == 200


def test_several_interpreters_go_on_without(apache):
    server = apache(PRELOAD.replace("WSGIApplicationGroup %{GLOBAL}", ""),
                    start=False)
    server.expect_log("ETCL0342", 1)
    server.start()
    wait_ready(server)
    assert server.ask("/hello").status == 200
    assert status(server)["pid"] in workers(server)
    assert not templates(server)


def test_programs_that_an_application_leaves_behind_are_no_zombies(apache):
    """The supervisor adopts them."""
    server = apache(PRELOAD + "WSGIScriptAlias /leave {apps}/leave.py\n",
                    start=False)
    touch(server, "leave.py", """
import subprocess
def application(environ, start_response):
    subprocess.run(["/bin/sh", "-c", "sleep 0.3 & exit 0"], check=True)
    start_response("200 OK", [])
    return [b"left"]
""")
    server.start()
    wait_ready(server)
    for _ in range(3):
        assert server.ask("/leave").status == 200
    time.sleep(0.6)
    pids = server.processes()
    assert not [pid for pid in pids if b"State:\tZ" in read_proc(
        pid, "status")], pids


@pytest.mark.every_mpm
@pytest.mark.parametrize("how", ["stop", "graceful", "kill"])
def test_nothing_is_left_of_a_template(apache, how):
    server = apache(PRELOAD)
    wait_ready(server)
    old = templates(server)
    if how == "graceful":
        server.graceful()
        assert wait_until(lambda: not {*old} & {*daemons(server)}, 15)
        assert server.ask("/hello").status == 200
    if how == "kill":
        server.processes()
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait(5)
        assert wait_until(lambda: not server.tree.alive(), 10)
        for path in server.root.rglob("*.sock"):
            path.unlink()      # nobody was left who could remove it
    server.stop()
    assert server.leftovers() == []


def test_a_supervisor_that_is_killed_takes_its_template_along(apache):
    server = apache(PRELOAD)
    wait_ready(server)
    old = templates(server)
    server.expect_log("ETCL0271", 1)
    server.allow_log("ETCL0247")
    os.kill(status(server)["ppid"], signal.SIGKILL)
    server.log.wait_for(READY, 15, 4)
    assert not {*old} & {*templates(server)}
    assert wait_until(lambda: len(daemons(server)) == 4, 15)


def test_limits_are_those_of_each_worker(apache):
    server = apache(PRELOAD.replace(
        "preload=on", "preload=on maximum-requests=20 memory-limit=900000000"
        " cpu-time-limit=1000"))
    wait_ready(server)
    limits = read_proc(workers(server)[0], "limits").decode()
    assert re.search(r"Max data size\s+900000000", limits)
    assert re.search(r"Max cpu time\s+1000", limits)
    limits = read_proc(templates(server)[0], "limits").decode()
    assert re.search(r"Max data size\s+900000000", limits)
    assert re.search(r"Max cpu time\s+unlimited", limits)
    with Pressure(server.port, Ask("/hello"), connections=4) as load:
        server.log.wait_for(READY, 15, 8)
    assert load.report.sent > 40 and not load.report.failed, load.report


@pytest.mark.differs
def test_a_new_worker_is_ready_at_once(apache):
    """However long the application takes to load."""
    server = apache(PRELOAD, start=False)
    good = (server.apps / "hello.py").read_text()
    touch(server, "hello.py", "import time\ntime.sleep(1)\n" + good)
    server.start()
    wait_ready(server)
    server.expect_log("ETCL0231", 1)
    begin = time.monotonic()
    os.kill(workers(server)[0], signal.SIGKILL)
    server.log.wait_for(READY, 15, 3)
    assert time.monotonic() - begin < 0.9


@pytest.mark.differs
def test_requests_wait_for_a_template_that_loads_slowly(apache):
    """As they would for a worker, at the start and without a worker later."""
    server = apache(PRELOAD, start=False)
    good = (server.apps / "hello.py").read_text()
    touch(server, "hello.py", "import time\ntime.sleep(3)\n" + good)
    server.start()
    assert server.ask("/hello").status == 200
    server.expect_log("ETCL0271", 1)
    os.kill(status(server)["ppid"], signal.SIGKILL)
    server.log.wait_for("ETCL0271", 5)
    assert server.ask("/hello").status == 200


@pytest.mark.every_mpm
def test_the_demo_works_with_it(apache):
    server = apache(start=False)
    base = server.root / "etcl"
    deploy(base)
    server.configure(seed_for(base).replace(
        "WSGIDaemonProcess etcl ", "WSGIDaemonProcess etcl preload=on "))
    server.allow_log(LOCALE)
    server.start()
    server.log.wait_for(TEMPLATE, 20)
    assert "Welcome to the board" in server.ask("/").text
    assert server.ask("/static/board/style.css").status == 200
    assert server.ask("/login/").status == 200
    assert DEMO.exists()


def test_a_service_is_told_that_it_has_no_effect(apache):
    server = apache(start=False)
    server.configure("WSGIDaemonProcess jobs threads=0 preload=on\n")
    code, said = server.configtest()
    assert code == 0 and re.search(r"ETCL0282: .*preload=on.*threads=0", said)

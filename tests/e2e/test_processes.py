"""Processes: they come, they are replaced, and nothing of them is left."""

import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from config import PYTHON_LIB
from groups import PROCESSES as GROUP
from groups import daemons, status
from leftovers import children_of, read_proc
from waiting import wait_until


@pytest.mark.every_mpm
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGWINCH])
def test_a_stop_leaves_nothing_behind(apache, sign):
    """no process, socket, fd or shared memory behind; the fixture looks
    again at the end of each test of this suite."""
    server = apache(GROUP)
    assert server.ask("/hello").status == 200
    server.stop(sign)
    assert server.leftovers() == []


@pytest.mark.every_mpm
@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_a_restart_brings_new_workers_and_ends_the_old(apache, how):
    server = apache(GROUP)
    old = status(server)["pid"]
    getattr(server, how)()
    assert wait_until(lambda: status(server)["pid"] != old)
    assert wait_until(lambda: not os.path.exists(f"/proc/{old}"), 15)
    assert server.ask("/hello").status == 200


@pytest.mark.every_mpm
@pytest.mark.differs
def test_killing_the_parent_ends_everything(apache):
    """Killing the parent with -9 ends everything within seconds."""
    server = apache(GROUP)
    assert server.ask("/hello").status == 200
    server.processes()
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait(5)
    assert wait_until(lambda: not server.tree.alive(), 10), [
        read_proc(pid, "cmdline") for pid in server.tree.alive()]
    for path in server.root.rglob("*.sock"):
        path.unlink()          # nobody was left who could remove it


@pytest.mark.differs
@pytest.mark.parametrize("victim", ["supervisor", "worker"])
def test_whoever_is_killed_is_replaced(apache, victim):
    server = apache(GROUP)
    worker = status(server)["pid"]
    pid = worker if victim == "worker" else status(server)["ppid"]
    server.expect_log(rf"ETCL0\d+.*{pid}|ETCL0\d+.*(9|SIGKILL)")
    server.allow_log(r"ETCL0\d+")
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: server.ask("/hello").status == 200)
    assert wait_until(lambda: len(daemons(server)) == 3, 15)
    assert not os.path.exists(f"/proc/{pid}/exe")


def test_the_group_has_as_many_workers_as_asked(apache):
    server = apache(GROUP)
    pids = {json.loads(server.ask("/process/status").body)["ppid"]
            for _ in range(3)}
    assert len(pids) == 1
    [parent] = pids
    assert wait_until(lambda: len([
        pid for pid in children_of().get(parent, [])
        if parent != server.pid]) in (0, 2))


def test_applications_known_from_the_configuration_are_loaded_ahead(apache):
    """A worker loads every application before it reports ready: the first
    request does not wait for an import."""
    server = apache(start=False)
    (server.work / "slow.py").write_text(
        "import time\ntime.sleep(1.5)\n"
        + (server.apps / "hello.py").read_text())
    server.configure("""
        WSGIDaemonProcess g python-path={apps}
        WSGIScriptAlias / {work}/slow.py process-group=g \\
            application-group=%{GLOBAL}
        <Directory {work}>
            Require all granted
        </Directory>""")
    server.start()
    time.sleep(2.5)
    begin = time.monotonic()
    assert server.ask("/").status == 200
    assert time.monotonic() - begin < 1


@pytest.mark.differs
def test_umask_home_language_and_locale(apache):
    """umask, home, lang, locale, display-name, python-path work."""
    server = apache("""
        WSGIDaemonProcess g umask=0027 home={work} lang=C.UTF-8 \\
            locale=C.UTF-8 display-name=%{GROUP} python-path={apps}
        WSGIScriptAlias /process {apps}/process.py process-group=g""")
    seen = status(server)
    assert seen["umask"] == 0o027
    assert seen["cwd"] == str(server.work)
    assert seen["path"][0] == str(server.work)
    assert str(server.apps) in seen["path"][:3]
    assert seen["environ"]["LANG"] == seen["environ"]["LC_ALL"] == "C.UTF-8"
    assert seen["locale"].lower().replace("-", "") == "c.utf8" or (
        "c.utf8" in seen["locale"].lower().replace("-", ""))
    assert seen["encoding"] == "utf-8"
    assert "(wsgi:g)" in seen["title"]


@pytest.mark.differs
def test_python_is_in_utf_8_mode_without_a_locale(apache):
    """UTF-8 mode when the locale would be C/POSIX."""
    server = apache(GROUP)
    assert status(server)["encoding"] == "utf-8"


def test_a_virtual_environment_is_used(apache):
    """python-home= and python-path= of a venv."""
    server = apache(start=False)
    env = server.root / "env"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip",
                    str(env)], check=True)
    server.configure(f"""
        WSGIDaemonProcess g python-home={env} python-path={{apps}}
        WSGIScriptAlias /process {{apps}}/process.py process-group=g""")
    server.start()
    seen = status(server)
    assert seen["prefix"] == str(env)
    assert f"{env}/{PYTHON_LIB}/site-packages" in seen["path"]


def test_a_supervisor_may_have_fewer_descriptors_than_places(apache):
    """A service manager gives 1024; a group of a hundred workers has places
    for more than that, and most are empty."""
    server = apache(GROUP.replace("processes=2", "processes=12 preload=on"),
                    start=False)
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, old[1]))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
    server.log.wait_for("ETCL0236", 20, 12)
    os.kill(status(server)["ppid"], signal.SIGUSR1)
    server.log.wait_for("ETCL0237", 20, 12)
    assert server.ask("/hello").status == 200


@pytest.mark.slow(120)
def test_descriptors_of_a_worker_do_not_pile_up(apache):
    server = apache(GROUP.replace("processes=2 ", ""))
    count = "/process/count-fds"
    for _ in range(30):
        server.ask(count)
    before = int(server.ask(count).text)
    for _ in range(300):
        server.ask("/hello")
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(b"GET /process/status HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.5)
    assert int(server.ask(count).text) <= before + 4

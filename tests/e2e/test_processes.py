"""Processes: who they are, and that nothing of them is left."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from config import GROUP as ACCOUNT_GROUP
from config import group_user
from leftovers import children_of, read_proc

GROUP = """
    WSGIDaemonProcess g processes=2 threads=3 python-path={apps}
    WSGIProcessGroup g
    WSGIApplicationGroup %{GLOBAL}
    WSGIScriptAlias /hello {apps}/hello.py
    WSGIScriptAlias /process {apps}/process.py
    WSGIScriptAlias /failing {apps}/failing.py
"""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def status(server) -> dict:
    return json.loads(server.ask("/process/status").body)


def daemons(server) -> list[int]:
    """The processes of the group: supervisor and workers."""
    return [pid for pid in server.processes()
            if b"etcld" in read_proc(pid, "cmdline")
            or os.readlink(f"/proc/{pid}/exe").endswith("etcld")]


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


def wait_until(condition, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow(180)
def test_many_restarts_do_not_pile_up(apache):
    """Processes, descriptors and sockets stay as many as they were."""
    server = apache(GROUP)

    def count():
        pids = server.processes()
        sockets = list(server.root.rglob("*.sock"))
        fds = len(os.listdir(f"/proc/{server.pid}/fd"))
        return len(daemons(server)), len(sockets), fds, len(pids)
    server.graceful()
    time.sleep(2)
    before = count()
    for _ in range(8):
        server.graceful()
        assert server.ask("/hello").status == 200
    assert wait_until(lambda: count()[:3] <= before[:3], 20), (
        before, count())


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


# Privileges

@root_only
@pytest.mark.every_mpm
def test_a_worker_is_the_groups_user_and_nothing_else(apache):
    """verified privilege drop: uid, gid, groups; no way back to root."""
    server = apache(GROUP)
    seen = status(server)
    import grp
    import pwd
    account = pwd.getpwnam(group_user())
    assert seen["uids"] == [account.pw_uid] * 3
    assert seen["gids"] == [account.pw_gid] * 3
    assert set(seen["groups"]) == set(
        os.getgrouplist(group_user(), grp.getgrnam(ACCOUNT_GROUP).gr_gid))
    assert json.loads(server.ask("/process/regain").body) == []


@root_only
@pytest.mark.differs
def test_no_new_privileges_can_be_gained(apache):
    server = apache(GROUP)
    assert status(server)["no_new_privs"] == "1"
    for pid in daemons(server):
        assert os.stat(f"/proc/{pid}/status").st_uid == 0, "dumpable"


@root_only
def test_user_and_group_of_a_group(apache):
    """user=, group=, supplementary-groups= and accounts by number."""
    server = apache("""
        WSGIDaemonProcess n user=nobody group=nogroup python-path={apps} \\
            supplementary-groups=games,mail
        WSGIDaemonProcess u user=#54321 group=#54321 python-path={apps}
        WSGIScriptAlias /named {apps}/process.py process-group=n
        WSGIScriptAlias /number {apps}/process.py process-group=u""")
    named = json.loads(server.ask("/named/status").body)
    assert named["uids"] == [65534] * 3 and named["gids"] == [65534] * 3
    assert set(named["groups"]) == {65534, 60, 8}
    server.allow_log("54321")
    number = json.loads(server.ask("/number/status").body)
    assert number["uids"] == [54321] * 3 and number["groups"] == [54321]


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
    assert f"{env}/lib/python3.11/site-packages" in seen["path"]


# Nothing that is not the group's own

def listed(server) -> list[str]:
    answer = json.loads(server.ask("/process/descriptors").body)
    return [line.split(" -> ")[-1] for line in answer["child"]
            if " -> " in line]


@pytest.mark.every_mpm
@pytest.mark.differs
def test_no_descriptor_is_inherited(apache):
    """app runs `ls -l /proc/self/fd`: the three standard ones, no more."""
    server = apache(GROUP)
    answer = json.loads(server.ask("/process/descriptors").body)
    assert set(answer["inheritable"]) <= {"0", "1", "2"}
    own = [target for target in listed(server)
           if not re.search(r"^/dev/null$|^pipe:|/proc/|^/dev/", target)]
    assert not [target for target in own if "socket" in target], own


@pytest.mark.differs
def test_a_worker_holds_neither_listener_nor_error_log(apache):
    """No fds of httpd: not the listening socket of the server, not a log
    that it may write as root."""
    server = apache(GROUP)
    worker = status(server)["pid"]
    listeners = tcp_inodes(server.port)
    held = [os.readlink(f"/proc/{worker}/fd/{name}")
            for name in os.listdir(f"/proc/{worker}/fd")]
    assert not [target for target in held if any(
        f"[{inode}]" in target for inode in listeners)]


def tcp_inodes(port: int) -> set[str]:
    rows = [row.split() for row in
            Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows
            if row[1].endswith(f":{port:04X}") and row[3] == "0A"}


@pytest.mark.differs
def test_the_tls_key_is_nowhere_in_a_workers_memory(apache):
    """The TLS private key of a mod_ssl vhost is nowhere in a worker's
    memory; what is in memory is found (the counter-check)."""
    server = apache(start=False, extra=("socache_shmcb", "ssl"))
    key, cert = server.root / "key.pem", server.root / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "2", "-subj", "/CN=localhost", "-keyout", str(key), "-out",
         str(cert)], check=True, capture_output=True)
    tls_port = free_tls_port()
    server.configure(GROUP + f"""
        Listen 127.0.0.1:{tls_port}
        <VirtualHost *:{tls_port}>
            ServerName localhost
            SSLEngine on
            SSLCertificateFile {cert}
            SSLCertificateKeyFile {key}
        </VirtualHost>""")
    server.start()
    server.allow_log("AH01909|AH02572|AH01906|AH02292")
    assert tls_status(tls_port) == 200
    for prime in primes(key):
        for needle in (prime[8:56], prime[8:56][::-1]):
            answer = server.ask(f"/process/scan?hex={needle[::-1].hex()}")
            assert answer.text == "clean"
    known = secrets.token_bytes(48)
    assert server.ask(
        f"/process/remember?hex={known.hex()}").text == "found"


def free_tls_port() -> int:
    from server import free_port
    return free_port()


def tls_status(port: int) -> int:
    import ssl

    from client import Connection
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with Connection(port, tls=context) as connection:
        return connection.ask("/hello").status


def primes(key: Path) -> list[bytes]:
    """The two primes of an RSA key, as the bytes that memory would hold."""
    text = subprocess.run(
        ["openssl", "rsa", "-in", str(key), "-noout", "-text"], check=True,
        capture_output=True, text=True).stdout
    found = []
    for name in ("prime1", "prime2"):
        block = re.search(rf"{name}:\n((?:\s+[0-9a-f:]+\n)+)", text)[1]
        found.append(bytes.fromhex(re.sub(r"[\s:]", "", block)).lstrip(b"\0"))
    return found


@root_only
@pytest.mark.differs
def test_another_user_cannot_speak_to_a_worker(apache):
    """Daemon socket spoofing: sockets are 0600 and belong to the user of
    Apache's children; a stranger cannot connect."""
    server = apache(GROUP)
    server.ask("/hello")
    sockets = [p for p in server.root.rglob("*") if p.is_socket()]
    for path in sockets:
        assert path.stat().st_mode & 0o077 == 0
        script = ("import os,socket,sys\nos.setgroups([]); os.setgid(65534); "
                  "os.setuid(65534)\n"
                  "s=socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                  "s.connect(sys.argv[1])")
        done = subprocess.run(["/usr/bin/python3", "-c", script, str(path)],
                              capture_output=True, text=True, check=False)
        assert "PermissionError" in done.stderr


@root_only
@pytest.mark.differs
def test_an_application_cannot_speak_to_a_worker(apache):
    """A peer without the group's secret is sent away: groups often share
    one uid. The server goes on."""
    import pwd
    server = apache(GROUP)
    server.ask("/hello")
    uid = pwd.getpwnam(group_user()).pw_uid
    script = ("import os,socket,sys\nos.setgroups([]); os.setuid(%d)\n"
              "s=socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
              "s.settimeout(5)\ns.connect(sys.argv[1])\n"
              "s.send(b'ET' + bytes(200))\n"
              "try:\n    print(s.recv(65536))\n"
              "except ConnectionResetError:\n    print(b'')" % uid)
    for path in [p for p in server.root.rglob("*") if p.is_socket()]:
        done = subprocess.run(["/usr/bin/python3", "-c", script, str(path)],
                              capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "b''", done
    server.allow_log(r"ETCL0\d+")
    assert server.ask("/hello").status == 200


@pytest.mark.differs
def test_mod_etcl_does_not_bring_python_into_httpd(apache):
    """No Python in the parent, nor in children without embedded requests."""
    server = apache(GROUP)
    server.ask("/hello")
    inside = set(daemons(server))
    for pid in server.processes():
        if pid not in inside:
            assert b"libpython" not in read_proc(pid, "maps")


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

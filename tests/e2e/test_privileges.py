"""Trust: what a worker may do, what it holds, and who may speak to it."""

import grp
import json
import os
import pwd
import re
import secrets
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from config import GROUP as ACCOUNT_GROUP
from config import group_user
from groups import PROCESSES as GROUP
from groups import daemons, status
from leftovers import read_proc
from tls import MODULES, NOISE, tls_ask, tls_host

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@root_only
@pytest.mark.every_mpm
def test_a_worker_is_the_groups_user_and_nothing_else(apache):
    """verified privilege drop: uid, gid, groups; no way back to root."""
    server = apache(GROUP)
    seen = status(server)
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
    """user=, group=, supplementary-groups="""
    server = apache("""
        WSGIDaemonProcess g user=nobody group=nogroup home=/tmp \
            supplementary-groups=games,mail python-path={apps}
        WSGIScriptAlias /process {apps}/process.py process-group=g""")
    seen = status(server)
    assert seen["uids"] == [65534] * 3 and seen["gids"] == [65534] * 3
    assert set(seen["groups"]) == {65534, 60, 8}


@root_only
@pytest.mark.differs
def test_an_account_without_a_passwd_entry(apache):
    """No passwd entry, odd users: run group as uid 54321."""
    server = apache("""
        WSGIDaemonProcess g user=#54321 group=#54321 home=/tmp \
            python-path={apps}
        WSGIScriptAlias /process {apps}/process.py process-group=g""")
    seen = status(server)
    assert seen["uids"] == [54321] * 3 and seen["gids"] == [54321] * 3
    assert seen["groups"] in ([], [54321])


JAILED = """
import json, os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([sorted(os.listdir("/")), os.getcwd(), os.getuid(),
                        __file__, os.path.exists(environ["QUERY_STRING"])]
                       ).encode()]
"""


@root_only
@pytest.mark.parametrize("preload", ["off", "on"])
def test_a_group_sees_nothing_outside_of_its_chroot(apache, preload):
    """And its application loads there, answers, and is replaced."""
    server = apache(start=False)
    jail, library = server.root / "jail", Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, jail / library.relative_to("/"), symlinks=True,
                    ignore=shutil.ignore_patterns(
                        "dist-packages", "config-*", "test", "idlelib",
                        "lib2to3", "ensurepip", "tkinter", "__pycache__"))
    script = jail / "srv/site.py"
    script.parent.mkdir()
    script.write_text(JAILED)
    server.configure(f"""
        WSGIDaemonProcess g chroot={jail} home=/srv preload={preload}
        WSGIScriptAlias / {script} process-group=g \\
            application-group=%{{GLOBAL}}
        <Directory {script.parent}>
            Require all granted
        </Directory>""")
    server.start()
    seen = [["srv", "usr"], "/srv", pwd.getpwnam(group_user()).pw_uid,
            "/srv/site.py", False]
    assert json.loads(server.ask(f"/?{server.root}").body) == seen
    script.touch()
    server.log.wait_for("ETCL0237", 10)
    assert json.loads(server.ask(f"/?{script}").body) == seen


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


@root_only
@pytest.mark.differs
def test_the_tls_key_is_nowhere_in_a_workers_memory(apache):
    """The TLS private key of a mod_ssl vhost is nowhere in a worker's
    memory; what is in memory is found (the counter-check)."""
    server = apache(start=False, extra=MODULES)
    host, tls_port = tls_host(server)
    server.configure(GROUP + host)
    server.start()
    server.allow_log(NOISE)
    assert tls_ask(tls_port).status == 200
    key = server.root / "key.pem"
    inside = daemons(server)
    assert len(inside) == 3
    for prime in primes(key):
        for needle in (prime[8:56], prime[8:56][::-1]):
            assert not [pid for pid in inside if memory_has(pid, needle)]
    known = secrets.token_bytes(48)
    worker = int(server.ask(f"/process/remember?hex={known.hex()}").text)
    assert memory_has(worker, known[::-1])


def memory_has(pid: int, needle: bytes) -> bool:
    """Search every readable byte of a process."""
    areas = read_proc(pid, "maps").decode().splitlines()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        return any(area_has(memory, area, needle) for area in areas)


def area_has(memory, area: str, needle: bytes) -> bool:
    span, rights = area.split()[:2]
    first, last = (int(edge, 16) for edge in span.split("-"))
    if "r" not in rights or first >= 1 << 63:
        return False
    try:
        memory.seek(first)
        return needle in memory.read(last - first)
    except OSError:            # a hole that the kernel does not lend
        return False


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
    server = apache(GROUP)
    server.ask("/hello")
    uid = pwd.getpwnam(group_user()).pw_uid
    script = ("import os,socket,sys\nos.setgroups([]); os.setuid(%d)\n"
              "s=socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
              "s.settimeout(5)\ns.connect(sys.argv[1])\n"
              "try:\n    s.send(b'ET' + bytes(200))\n"
              "    print(s.recv(65536))\n"
              "except ConnectionError:\n    print(b'')" % uid)
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

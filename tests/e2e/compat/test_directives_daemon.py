"""Contract 1.5 and 2: WSGIDaemonProcess, its options, groups, sockets."""

import os
import stat
import subprocess
import time

import pytest

import config
from waiting import wait_until

from compat.kit import MEMORY, do, environ

MODES = ("daemon",)
ROOT = os.geteuid() == 0
LOCALE = "C.UTF-8"
GROUPS = {
    "plain": "",
    "user": "user=daemon group=daemon",
    "uid": "user=#65534 group=#65534 home=/tmp",
    "supp": "user=daemon group=daemon supplementary-groups=mail,#4",
    "initgroups": "user=www-data group=www-data",
    "umask": "umask=027",
    "home": "home={work}",
    "display": "display-name=%{GROUP}",
    "display2": "display-name=own-title",
    "lang": f"lang={LOCALE}",
    "locale": f"locale={LOCALE}",
    "nolocale": "locale=xx_XX.nowhere",
    "path": "python-path={work}/one:{work}/two",
    "homepath": "home={work} python-path={work}/one",
    "venv": "python-home={work}/env",
    "eggs": "python-eggs={work}",
    "switch": "switch-interval=0.125",
    "two": "processes=2 threads=3",
    "one": "processes=1 threads=1",
    "stack": "stack-size=1048576 threads=2",
    "buffers": "send-buffer-size=65536 receive-buffer-size=65536 "
               "header-buffer-size=65536 response-buffer-size=131072",
    "zeros": "send-buffer-size=0 receive-buffer-size=0 header-buffer-size=0 "
             "response-buffer-size=0 memory-limit=0 virtual-memory-limit=0 "
             "cpu-time-limit=0 maximum-requests=0 inactivity-timeout=0 "
             "request-timeout=0 startup-timeout=0 queue-timeout=0 "
             "socket-timeout=0 deadlock-timeout=0",
    "scriptuser": "script-user=root",
    "scriptother": "script-user=daemon",
    "scriptgroup": "script-group=root",
    "scriptgroup2": "script-group=daemon",
    "socket": "socket-user=www-data",
    "quoted": 'display-name="a quoted title"',
}
CONF = "".join(
    f"WSGIDaemonProcess {name} "
    + (options if "python-path" in options
       else "python-path={apps} " + options)
    + f"\nWSGIScriptAlias /{name} {{apps}}/probe.py process-group={name} "
    "application-group=%{GLOBAL}\n" for name, options in GROUPS.items()) + """
<VirtualHost *:*>
    ServerName one.test
    WSGIDaemonProcess inone python-path={apps}
    WSGIScriptAlias /in {apps}/probe.py process-group=inone
    ErrorLog {root}/logs/one.log
</VirtualHost>
<VirtualHost *:*>
    ServerName one.test
    ServerAlias alias.test
    WSGIScriptAlias /in2 {apps}/probe.py process-group=inone
</VirtualHost>
<VirtualHost *:*>
    ServerName two.test
    SetEnvIf X-Group (.+) GROUP=$1
    <Location /plain>
        WSGIProcessGroup %{ENV:GROUP}
    </Location>
    WSGIScriptAlias /var {apps}/probe.py process-group=%{ENV:GROUP}
</VirtualHost>
"""


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(CONF, "")
    for name in ("one", "two", "three"):
        (server.work / name).mkdir()
    (server.work / "one/x.pth").write_text(f"{server.work}/three\n")
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip",
                    str(server.work / "env")], check=True, timeout=60)
    yield from life(server.start())


OS = "__import__('os')."
SYS = "__import__('sys')."
NEEDS_ROOT = pytest.mark.skipif(not ROOT, reason="accounts need root")


# Identity and environment

@NEEDS_ROOT
@pytest.mark.parametrize("target, uid, gid, groups", [
    ("/user", 1, 1, None), ("/uid", 65534, 65534, None),
    ("/supp", 1, 1, {1, 4, 8}), ("/plain", 33, 33, None),
    ("/initgroups", 33, 33, None)])
def test_the_account_of_a_group(web, target, uid, gid, groups):
    assert do(web, f"({OS}getresuid(), {OS}getresgid())", target) == (
        (uid,) * 3, (gid,) * 3)
    if groups:
        assert set(do(web, f"{OS}getgroups()", target)) == groups


@NEEDS_ROOT
def test_no_group_can_be_root_again(web):
    def regain(environ):
        import os
        try:
            os.setuid(0)
        except PermissionError:
            return "refused"
        return "root"
    for name in ("/plain", "/user"):
        assert do(web, regain, name) == "refused"


def test_umask(web):
    def umask(environ):
        import os
        old = os.umask(0o22)
        os.umask(old)
        return old
    assert do(web, umask, "/umask") == 0o27


def test_home_is_the_working_directory_and_first_on_the_path(web):
    assert do(web, f"({OS}getcwd(), {SYS}path[0])", "/home") == (
        str(web.work),) * 2
    path = do(web, f"{SYS}path", "/homepath")
    assert path[0] == str(web.work)
    assert path.index(str(web.work / "one")) > 0


@NEEDS_ROOT
def test_without_home_it_is_that_of_the_account(web):
    assert do(web, f"{OS}environ['HOME']", "/plain") == "/var/www"
    assert do(web, f"{OS}environ['HOME']", "/user") == "/usr/sbin"


@NEEDS_ROOT
@pytest.mark.parametrize("name", ["USER", "LOGNAME"])
def test_names_of_the_account_if_they_exist(web, name):
    assert do(web, f"{OS}environ.get({name!r})", "/user") in (
        None, "daemon")


def cmdline(web, target):
    pid = do(web, f"{OS}getpid()", target)
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().rstrip(b"\0").decode()


@pytest.mark.differs("mod_wsgi cuts the title to the length of argv[0]")
@pytest.mark.parametrize("target, want", [
    ("/display", "(wsgi:display)"), ("/display2", "own-title"),
    ("/quoted", "a quoted title")])
def test_the_title_of_a_process(web, target, want):
    assert cmdline(web, target).startswith(want)


def test_the_title_begins_as_stated(web):
    assert cmdline(web, "/display").startswith("(wsgi:")


@pytest.mark.parametrize("target, name, want", [
    ("/lang", "LANG", LOCALE), ("/locale", "LC_ALL", LOCALE)])
def test_lang_and_locale(web, target, name, want):
    assert do(web, f"{OS}environ[{name!r}]", target) == want
    if target == "/locale":
        assert "UTF-8" in do(
            web, "__import__('locale').setlocale("
                 "__import__('locale').LC_CTYPE)", target)


def test_a_locale_that_is_not_there_is_a_warning_and_no_more(web):
    assert web.ask("/nolocale").body == b"probe"


@pytest.mark.differs("UTF-8 where the locale would be C")
def test_text_is_utf8_by_default(web):
    assert do(web, "(__import__('sys').getfilesystemencoding(), "
                   "__import__('locale').getpreferredencoding())",
              "/plain") == ("utf-8", "utf-8")


def test_python_path_comes_first_and_reads_pth(web):
    path = do(web, f"{SYS}path", "/path")
    where = [path.index(str(web.work / name))
             for name in ("one", "three", "two")]
    assert where == sorted(where)
    assert max(where) < path.index(f"/usr/{config.PYTHON_LIB}")


def test_python_home_of_a_group(web):
    assert do(web, f"{SYS}prefix", "/venv") == str(web.work / "env")
    assert do(web, f"{SYS}prefix", "/plain") == "/usr"


def test_eggs(web):
    assert do(web, f"{OS}environ['PYTHON_EGG_CACHE']", "/eggs") == str(
        web.work)


@pytest.mark.since6("new in 6.0")
def test_switch_interval(web):
    assert abs(do(web, f"{SYS}getswitchinterval()", "/switch") - 0.125) < 1e-6


# Size

@pytest.mark.parametrize("target, multi, thread", [
    ("/plain", False, True), ("/two", True, True), ("/one", True, False)])
def test_processes_and_threads_in_the_environ(web, target, multi, thread):
    keys = environ(web, target)
    assert keys["wsgi.multiprocess"] is multi
    assert keys["wsgi.multithread"] is thread


def test_two_processes_share_the_work(web):
    def pid(environ):
        import os
        import time
        time.sleep(0.1)
        return os.getpid()
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(lambda _: do(web, pid, "/two"), range(18)))
    assert len(found) == 2


def test_one_thread_takes_one_request_at_a_time(web):
    def busy(environ):
        import threading
        import time
        lock = MEMORY.setdefault("lock", threading.Lock())
        free = lock.acquire(blocking=False)
        time.sleep(0.2)
        if free:
            lock.release()
        return free
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(lambda _: do(web, busy, "/one"), range(3)))


@pytest.mark.parametrize("target", ["/stack", "/buffers", "/zeros",
                                    "/socket"])
def test_options_of_sizes_are_taken(web, target):
    assert web.ask(target).body == b"probe"


def test_a_long_header_within_the_buffer(web):
    def app(environ, start_response):
        start_response("200 OK", [("X-Long", "v" * 50000)])
        return [b"x"]
    from compat.kit import play
    assert len(play(web, app, "/buffers").get("X-Long")) == 50000


# script-user, script-group

@NEEDS_ROOT
@pytest.mark.parametrize("target, want", [
    ("/scriptuser", 200), ("/scriptother", 403),
    ("/scriptgroup", 200), ("/scriptgroup2", 403)])
def test_the_owner_of_the_script(web, target, want):
    assert web.ask(target).status == want


@NEEDS_ROOT
@pytest.mark.parametrize("target, bits, want", [
    ("/scriptuser", 0o664, 403), ("/scriptuser", 0o646, 403),
    ("/scriptgroup", 0o664, 200), ("/scriptgroup", 0o646, 403)])
def test_a_script_that_others_may_write(web, target, bits, want):
    path = web.apps / "probe.py"
    path.chmod(bits)
    try:
        assert web.ask(target).status == want
    finally:
        path.chmod(0o644)


# Groups and virtual hosts

@pytest.mark.parametrize("host, target, want", [
    ("one.test", "/in", 200), ("alias.test", "/in2", 200),
    ("one.test", "/plain", 200), ("two.test", "/var", 500)])
def test_which_hosts_may_use_a_group(web, host, target, want):
    headers = (("X-Group", "inone"),) if host == "two.test" else ()
    assert web.ask(target, host=host, headers=headers).status == want


@pytest.mark.parametrize("group, want", [
    ("plain", 200), ("two", 200), ("nobody", 500), ("inone", 500)])
def test_a_group_by_a_variable(web, group, want):
    answer = web.ask("/var", host="two.test", headers=(("X-Group", group),))
    assert answer.status == want


def test_the_log_of_a_group_is_that_of_its_host(web):
    do(web, "print('to the log of one')", "/in", host="one.test")
    path = web.root / "logs/one.log"
    assert wait_until(lambda: path.exists()
                      and "to the log of one" in path.read_text())


def test_output_outside_a_request_goes_to_the_log_of_the_group(web):
    def later(environ):
        import threading
        threading.Timer(0.2, print, ("from a thread of one",)).start()
    do(web, later, "/in", host="one.test")
    paths = [web.root / "logs/one.log", web.root / "logs/error.log"]
    assert wait_until(lambda: any(
        path.exists() and "from a thread of one" in path.read_text()
        for path in paths))


# Sockets

def sockets(folder):
    return [path for path in folder.iterdir()
            if stat.S_ISSOCK(path.lstat().st_mode)]


@pytest.mark.since6("below DefaultRuntimeDir")
def test_the_sockets_belong_to_the_user_of_apache(web):
    found = sockets(web.root / "run")
    assert found
    for path in found:
        what = path.lstat()
        assert what.st_mode & 0o077 == 0
        if ROOT:
            assert what.st_uid == 33


@pytest.mark.parametrize("prefix, folder", [
    ("{root}/sock/own", "sock"), ("run/relative", "run")])
def test_socket_prefix(make, prefix, folder):
    server = make(f"WSGISocketPrefix {prefix}\n"
                  "WSGIScriptAlias /p {apps}/probe.py", "daemon", start=False,
                  lenient=False)
    (server.root / "sock").mkdir()
    (server.root / "sock").chmod(0o755)
    server.start()
    assert server.ask("/p").body == b"probe"
    name = prefix.rpartition("/")[2]
    assert [path for path in sockets(server.root / folder)
            if path.name.startswith(name + ".")]


@pytest.mark.parametrize("value", ["On", "Off"])
def test_socket_rotation_and_a_graceful_restart(make, value):
    server = make(f"WSGISocketRotation {value}\n"
                  "WSGIScriptAlias /p {apps}/probe.py", "daemon")
    assert server.ask("/p").body == b"probe"
    server.graceful()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if server.ask("/p").status == 200:
            break
    assert server.ask("/p").body == b"probe"


@pytest.mark.parametrize("value", ["default", "flock", "fcntl", "sysvsem",
                                   "posixsem", "pthread"])
def test_an_accept_mutex_is_accepted(configtest, value):
    code, said = configtest(f"WSGIAcceptMutex {value}")
    assert code == 0, said


def test_an_accept_mutex_that_is_none_is_refused(configtest):
    code, said = configtest("WSGIAcceptMutex nonsense")
    assert code != 0
    assert "flock" in said


# Every option: what configtest takes and refuses

NUMBERS = ["processes", "threads", "stack-size", "cpu-time-limit",
           "memory-limit", "virtual-memory-limit", "maximum-requests",
           "restart-interval", "startup-timeout", "deadlock-timeout",
           "inactivity-timeout", "request-timeout", "graceful-timeout",
           "eviction-timeout", "shutdown-timeout", "connect-timeout",
           "socket-timeout", "queue-timeout", "response-socket-timeout",
           "listen-backlog", "send-buffer-size", "receive-buffer-size",
           "header-buffer-size", "response-buffer-size"]
NEW = ["interrupt-timeout", "response-flush-delay", "switch-interval"]
TEXTS = {"user": "www-data", "group": "www-data", "umask": "022",
         "supplementary-groups": "www-data", "home": "/tmp",
         "display-name": "x", "lang": "C.UTF-8", "locale": "C.UTF-8",
         "python-path": "/tmp", "python-eggs": "/tmp",
         "script-user": "www-data", "script-group": "www-data",
         "socket-user": "www-data", "cpu-priority": "5",
         "server-metrics": "On", "python-home": "/usr"}
GOOD = {"stack-size": "65536", "send-buffer-size": "65536",
        "receive-buffer-size": "65536", "header-buffer-size": "65536",
        "response-buffer-size": "131072", "memory-limit": "100000000",
        "virtual-memory-limit": "1000000000", "switch-interval": "0.01"}


def option(configtest, text):
    return configtest(f"WSGIDaemonProcess own {text}")


@pytest.mark.parametrize("name", NUMBERS + [
    pytest.param(name, marks=pytest.mark.since6("new")) for name in NEW])
def test_a_number_is_taken_and_nonsense_is_not(configtest, name):
    code, said = option(configtest, f"{name}={GOOD.get(name, '3')}")
    assert code == 0, said
    for bad in ("-1", ""):
        assert option(configtest, f"{name}={bad}")[0] != 0, bad


@pytest.mark.differs("garbage in a number is an error")
@pytest.mark.parametrize("name", NUMBERS + NEW)
@pytest.mark.parametrize("bad", ["abc", "3x"])
def test_garbage_in_a_number_is_refused(configtest, name, bad):
    code, said = option(configtest, f"{name}={bad}")
    assert code != 0
    assert name in said


@pytest.mark.parametrize("name", TEXTS)
def test_an_option_is_taken(configtest, name):
    if name == "server-metrics" and config.PEER:
        pytest.skip("its value is read otherwise")
    code, said = option(configtest, f"{name}={TEXTS[name]}")
    assert code == 0, said


@pytest.mark.parametrize("text", [
    "umask=9", "umask=x", "home=relative", "home=/does/not/exist",
    "user=does-not-exist", "group=does-not-exist", "user=root",
    "supplementary-groups=does-not-exist", "script-user=does-not-exist",
    "script-group=does-not-exist", "processes=0", "threads=70000",
    "nonsense=1", "threads", "send-buffer-size=100",
    "receive-buffer-size=100", "header-buffer-size=100",
    "response-buffer-size=100", "user=", "home=", "chroot=relative",
    "script-user=root script-group=root",
    pytest.param("switch-interval=0", marks=pytest.mark.since6("new")),
    "proxy-buffer-size=65536", "workers=3", "server-metrics=Perhaps"])
def test_an_option_that_is_refused(configtest, text):
    if not ROOT and "root" in text:
        pytest.skip("accounts need root")
    if config.PEER and text in ("home=/does/not/exist", "user=root"):
        pytest.skip("not found by configtest in 4.9.4")
    assert option(configtest, text)[0] != 0


@pytest.mark.ours("the message names what was probably meant")
def test_a_misspelt_option_is_named(configtest):
    code, said = option(configtest, "thread=3")
    assert code != 0 and "threads" in said


def test_a_group_needs_a_name(configtest):
    assert configtest("WSGIDaemonProcess")[0] != 0


def test_two_different_groups_of_one_name_are_refused(configtest):
    code, said = configtest("WSGIDaemonProcess own threads=3\n"
                            "WSGIDaemonProcess own threads=4")
    assert code != 0, said


@pytest.mark.differs("two equal definitions are one group")
def test_two_equal_groups_are_one(configtest):
    code, said = configtest("WSGIDaemonProcess own threads=3\n"
                            "WSGIDaemonProcess own threads=3")
    assert code == 0, said


@NEEDS_ROOT
def test_a_chroot(make):
    """Script paths are below it; without Python in it nothing can run."""
    code, said = make("WSGIDaemonProcess own chroot={root}", start=False,
                      lenient=False).configtest()
    assert code == 0, said

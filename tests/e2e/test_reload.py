"""New code: when it is served, to whom, and what happens when it does not
load; workers that are replaced for what they are or have done (that nobody
notices it is shown by test_reasons.py)."""

import os
import re
import signal
import subprocess
import threading
import time

import pytest

from groups import WIDE, daemons
from pressure import Ask, Pressure
from waiting import wait_until

APP = """
import time
{imports}
TEXT = {text}


def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    body = str(TEXT).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
CHANGED = r"ETCL0241: .* has changed"


def app(text: object, imports: str = "") -> str:
    return APP.format(text=text, imports=imports)


def site(apache, options: str, text: str, **more: str):
    """A server whose only script is `work/site.py`; `more` are modules."""
    server = apache(start=False)
    (server.work / "site.py").write_text(text)
    for name, source in more.items():
        (server.work / f"{name}.py").write_text(source)
    server.configure(WIDE + f"""
        WSGIDaemonProcess g python-path={{work}} {options}
        WSGIScriptAlias / {{work}}/site.py process-group=g \\
            application-group=%{{GLOBAL}}
        <Directory {{work}}>
            Require all granted
        </Directory>""")
    server.start()
    wanted = re.search(r"processes=(\d)", options)
    server.log.wait_for("ETCL0236", count=int(wanted[1]) if wanted else 1)
    return server


def put(server, text: str, name: str = "site.py") -> None:
    """Another script in one step: a busy machine may stop a writer while the
    file is empty, for long enough to be taken at its word."""
    (server.work / "next").write_text(text)
    os.replace(server.work / "next", server.work / name)


def said(server) -> str:
    answer = server.ask("/")
    assert answer.status == 200, answer.status
    return answer.text


# reload=wait

@pytest.mark.every_mpm
@pytest.mark.parametrize("options", [
    "processes=1", "processes=3", "processes=2 preload=on"])
def test_after_a_change_the_answer_is_always_of_the_new_code(apache, options):
    server = site(apache, f"reload=wait threads=5 {options}", app(0))
    assert said(server) == "0"
    for number in range(1, 21):
        put(server, app(number))
        assert said(server) == str(number)
    assert len(server.log.find(CHANGED)) >= 20


def test_a_script_that_is_touched_or_replaced_is_new_code(apache):
    server = site(apache, "reload=wait", "import time\n" + app(
        "time.monotonic()"))
    script = server.work / "site.py"
    before = said(server)
    assert said(server) == before
    script.touch()
    touched = said(server)
    assert touched != before
    (server.work / "next").write_text(app(7))
    os.rename(server.work / "next", script)
    assert said(server) == "7"
    os.utime(script, (1000000000, 1000000000))
    assert said(server) == "7"


def test_nobody_loses_anything_while_requests_wait_for_new_code(apache):
    """The old workers finish what they hold; who comes later waits."""
    server = site(apache, "reload=wait processes=2 threads=5", app("'old'"))
    slow = []
    holder = threading.Thread(
        target=lambda: slow.append(server.ask("/slow").text))
    holder.start()
    time.sleep(0.3)
    with Pressure(server.port, Ask(), connections=8) as load:
        for number in range(5):
            put(server, app(number))
            assert said(server) == str(number)
    holder.join()
    assert slow == ["old"]
    assert load.report.sent and not load.report.failed, load.report


@pytest.mark.parametrize("preload", ["off", "on"])
def test_code_that_does_not_load_leaves_the_old_until_it_is_mended(apache,
                                                                   preload):
    server = site(apache, f"reload=wait processes=2 preload={preload}",
                  app("'old'"))
    server.expect_traceback("SyntaxError")
    server.expect_log("ETCL0239: .* does not load", 1)
    put(server, "def application(:\n")
    for _ in range(3):
        assert said(server) == "old"
    ready = len(server.log.find("ETCL0236"))
    time.sleep(0.7)
    assert len(server.log.find("ETCL0236")) == ready
    put(server, app("'mended'"))
    assert said(server) == "mended"


def test_code_that_takes_too_long_is_not_waited_for(apache):
    server = site(apache, "reload=wait queue-timeout=1", app("'old'"))
    server.expect_log("ETCL0200: .*within 1 s")
    put(server,
        "import time\ntime.sleep(3)\n" + app("'new'"))
    begin = time.monotonic()
    assert said(server) == "old"
    assert 0.9 < time.monotonic() - begin < 2.5
    assert wait_until(lambda: said(server) == "new", 6)


def test_rolling_is_the_default_and_waits_for_nobody(apache):
    server = site(apache, "processes=2", app("'old'"))
    put(server,
        "import time\ntime.sleep(1)\n" + app("'new'"))
    begin = time.monotonic()
    assert said(server) == "old"
    assert time.monotonic() - begin < 0.5
    assert wait_until(lambda: said(server) == "new", 8)


# reload-watch=

IMPORTS = app("module.NAME", "import module")


def watched(apache, options: str = "processes=2"):
    return site(apache, f"reload-watch={{work}} {options}", IMPORTS,
                module="NAME = 'old'\n")


def test_a_module_that_changes_is_new_code(apache):
    server = watched(apache)
    assert said(server) == "old"
    put(server, "NAME = 'newer'\n", "module.py")
    assert wait_until(lambda: said(server) == "newer", 4)
    assert len(server.log.find(rf"{CHANGED}")) == 1
    assert server.log.find(r"ETCL0241: .*/module\.py has changed")


def test_a_burst_of_changes_is_one_reload(apache):
    server = watched(apache)
    (server.work / "package").mkdir()
    for number in range(30):
        (server.work / f"part{number}.py").write_text(f"N = {number}\n")
        (server.work / "package" / f"p{number}.py").write_text("")
        time.sleep(0.01)
    (server.work / "site.py").touch()
    assert wait_until(lambda: server.log.find(CHANGED), 4)
    time.sleep(1.2)
    assert len(server.log.find(CHANGED)) == 1


def test_new_and_removed_files_and_folders_count_and_others_do_not(apache):
    server = watched(apache)
    (server.work / "__pycache__").mkdir(exist_ok=True)
    for name in ("notes.txt", ".hidden.py", "__pycache__/x.py"):
        (server.work / name).write_text("")
    (server.work / ".git").mkdir()
    (server.work / ".git" / "hook.py").write_text("")
    (server.work / "round").symlink_to(server.work)
    time.sleep(0.7)
    assert not server.log.find(CHANGED)
    steps = (lambda: (server.work / "a" / "b").mkdir(parents=True)
             or (server.work / "a" / "b" / "c.py").write_text("1"),
             lambda: (server.work / "a" / "b" / "c.py").write_text("22"),
             lambda: (server.work / "a" / "b" / "c.py").unlink())
    for count, step in enumerate(steps, 1):
        step()
        assert wait_until(
            lambda: len(server.log.find(CHANGED)) == count, 4), count
        time.sleep(0.3)


def test_with_wait_a_change_in_a_module_is_waited_for(apache):
    """As soon as the supervisor has seen it, for which even a busy machine
    has the time here; loading takes longer."""
    server = watched(apache, "reload=wait processes=2")
    for number in range(10, 13):
        put(server, f"import time\ntime.sleep(0.6)\nNAME = {number * 'x'!r}\n",
            "module.py")
        time.sleep(0.3)
        assert said(server) == number * "x"


def test_a_module_that_does_not_load_is_tried_again_when_mended(apache):
    server = watched(apache)
    server.expect_traceback("NameError")
    server.expect_log("ETCL0239", 1)
    put(server, "NAME = nonsense\n", "module.py")
    assert wait_until(lambda: server.log.find("ETCL0239"), 4)
    assert said(server) == "old"
    # A .pyc is told by the second and the size of its source.
    put(server, "NAME = 'mended' + ''\n", "module.py")
    assert wait_until(lambda: said(server) == "mended", 4)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a folder")
def test_a_folder_that_cannot_be_watched_is_named_once(apache):
    server = apache(start=False)
    (server.work / "secret").mkdir(mode=0o700)
    put(server, app(1))
    server.configure("""
        WSGIDaemonProcess g reload-watch={work}:{root}/none
        WSGIScriptAlias / {work}/site.py process-group=g
        <Directory {work}>
            Require all granted
        </Directory>""")
    code, text = server.configtest()
    assert code == 0 and "ETCL0201" in text and "/none" in text, text
    server.expect_log("ETCL0201: .*/none", 1)
    server.expect_log("ETCL0289: .*(/none|/secret)", 1)
    server.start()
    (server.work / "other.py").write_text("")
    assert wait_until(lambda: server.log.find(CHANGED), 4)


@pytest.mark.parametrize("option", [
    "reload=later", "reload-watch=srv", "reload-watch=/srv:",
    "reload-watch=", "rss-limit=lots", "rss-limit=1T"])
def test_nonsense_is_refused(apache, option):
    server = apache(f"WSGIDaemonProcess g {option}", start=False)
    code, text = server.configtest()
    assert code != 0 and option.split("=")[0] in text


# Replacements

def test_a_limit_below_the_code_is_said_once_and_nobody_is_replaced(apache):
    server = site(apache, "rss-limit=1M processes=2", app(1))
    server.expect_log("ETCL0287: ", 1)
    time.sleep(3)
    assert not server.log.find("ETCL0286")
    assert len(daemons(server)) == 3


def test_a_graceful_restart_takes_new_code_once(apache):
    server = site(apache, "processes=2", app("'old'"))
    put(server,
        "import time\ntime.sleep(2)\n" + app("'new'"))
    server.graceful()
    assert wait_until(lambda: said(server) == "new", 8)
    assert not server.log.find(CHANGED)


@pytest.mark.slow(90)
@pytest.mark.parametrize("how", ["rolling", "wait"])
def test_however_many_reasons_few_workers_are_more_than_wanted(apache, how):
    """At most one beyond those wanted, beside those that finish."""
    server = site(apache, f"processes=3 threads=4 maximum-requests=200 "
                  f"restart-interval=3 inactivity-timeout=2 reload={how} "
                  f"rss-limit=500M", app(0))
    [supervisor] = [pid for pid in daemons(server)
                    if parent_of(pid) == server.pid]
    most, end = 0, time.monotonic() + 5
    with Pressure(server.port, Ask(), connections=8) as load:
        while time.monotonic() < end:
            os.kill(supervisor, signal.SIGUSR1)
            (server.work / "site.py").touch()
            for _ in range(10):
                most = max(most, len(workers_of(supervisor)))
                time.sleep(0.05)
    assert not load.report.failed, load.report
    assert 3 <= most <= 6, most
    assert wait_until(lambda: len(workers_of(supervisor)) == 3, 10)


def parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def workers_of(supervisor: int) -> list[str]:
    return subprocess.run(
        ["pgrep", "-P", str(supervisor)], capture_output=True, text=True,
        timeout=5, check=False).stdout.split()

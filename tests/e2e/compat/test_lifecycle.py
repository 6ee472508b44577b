"""Contract 5: loading, reloading, interpreters, restarts, ends."""

import os
import signal
import threading
import time

import pytest

import config
from waiting import wait_until

from compat.kit import MEMORY, ONE_CHILD, PREFORK, do

SCRIPTS = ("counting", "reload", "noreload", "required", "always", "broken",
           "gone", "slow", "first", "second", "ext.wsgi", "ext.anything")
COMMON = ONE_CHILD + "".join(
    f"WSGIScriptAlias /{name} {{work}}/{name}"
    + (".py" if "." not in name else "") + "\n" for name in SCRIPTS) + """
WSGIScriptAlias /probe {apps}/probe.py
WSGIScriptAlias /sub1 {apps}/probe.py application-group=sub1
WSGIScriptAlias /sub2 {apps}/probe.py application-group=sub2
WSGIScriptAlias /sub1b {apps}/counting.py application-group=sub1
WSGIScriptAlias /again {apps}/probe.py
<Location /noreload>
    WSGIScriptReloading Off
</Location>
<Directory {work}>
    Require all granted
</Directory>
"""
REQUIRED = """
def reload_required(path):
    import os
    with open(os.path.join(WORK, "asked"), "w") as out:
        out.write(path)
    if os.path.exists(os.path.join(WORK, "required-fails")):
        raise ValueError("reload_required failed")
    return os.path.exists(os.path.join(WORK, "required-now"))
"""


def CONF(mode):
    # A group for each, so that one reload does not disturb another.
    if mode == "embedded":
        return COMMON
    lines = COMMON
    for name in ("reload", "noreload", "required", "broken", "gone"):
        lines = lines.replace(f"{{work}}/{name}.py\n",
                              f"{{work}}/{name}.py process-group={name}\n")
        lines = (f"WSGIDaemonProcess {name} threads=3 python-path={{apps}}\n"
                 + lines)
    return lines


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(CONF(mode), mode)
    text = (server.apps / "counting.py").read_text().replace(
        "os.path.join(os.path.dirname(os.path.dirname(__file__)), \"work\")",
        repr(str(server.work)))
    for name in SCRIPTS:
        path = server.work / (name if "." in name else name + ".py")
        path.write_text(text + REQUIRED * (name == "required"))
        os.utime(path, (1000000, 1000000))
    yield from life(server.start())


def version(web, name):
    answer = web.ask(f"/{name}")
    return answer.text.split()[0] if answer.status == 200 else answer.status


def edit(web, name, old, new, when=2000000):
    path = web.work / f"{name}.py"
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, (when, when))


def becomes(web, name, want, seconds=8):
    return wait_until(lambda: version(web, name) == want, seconds)


# Loading (5.7)

@pytest.mark.parametrize("name", ["counting", "ext.wsgi", "ext.anything"])
def test_a_script_may_have_any_extension(web, name):
    assert version(web, name) == "one"


@pytest.mark.parametrize("expression, want", [
    ("MODULE['__file__'].endswith('/counting.py')", True),
    ("MODULE['__name__'] == '__main__'", False),
    ("MODULE['__name__'].startswith('_mod_wsgi_')", True),
    ("MODULE['__name__'] in __import__('sys').modules", True),
    ("MODULE['__spec__'].origin == MODULE['__file__']", True),
    ("__import__('flask').Flask(MODULE['__name__']).instance_path == "
     "MODULE['__file__'].replace('counting.py', 'instance')", True),
    ("len(MODULE['__name__'])", 42),
    ("type(MODULE['__builtins__']).__name__ in ('dict', 'module')", True)])
def test_the_module_of_a_script(web, expression, want):
    if want == 42:      # the prefix and an MD5 in hexadecimal digits
        assert do(web, expression, "/counting") == 10 + 32
    else:
        assert do(web, expression, "/counting") == want


def test_no_bytecode_is_written_for_a_script(web):
    assert version(web, "counting") == "one"
    cache = web.work / "__pycache__"
    assert not [path for path in cache.glob("*")] if cache.exists() else True


def test_a_script_is_loaded_once_for_an_interpreter(web, one_process):
    for _ in range(5):
        version(web, "first")
    pid = int(web.ask("/first").text.split()[1])
    served = do(web, "MODULE['STATE']['served']", "/first")
    assert served >= 6
    assert pid


def test_scripts_of_one_interpreter_share_their_modules(web, one_process):
    def remember(environ):
        import sys
        sys.compat_shared = getattr(sys, "compat_shared", 0) + 1
        return sys.compat_shared
    assert do(web, remember, "/probe") == 1
    assert do(web, remember, "/again") == 2
    assert do(web, remember, "/sub1") == 1
    assert do(web, remember, "/sub2") == 1
    assert do(web, remember, "/sub1b") == 2


def test_two_mounts_of_one_script_share_its_module(web, one_process):
    def count(environ):
        MEMORY["n"] = MEMORY.get("n", 0) + 1
        return MEMORY["n"]
    first = do(web, count, "/probe")
    assert do(web, count, "/again") == first + 1
    assert do(web, count, "/sub1") == 1


# Reloading

def test_a_touched_script_is_loaded_again(web):
    assert version(web, "reload") == "one"
    edit(web, "reload", '"one"', '"two"')
    assert becomes(web, "reload", "two")


def test_any_other_time_counts_an_older_one_too(web):
    edit(web, "reload", "VERSION =", "VERSION = 'older' or", 500000)
    assert becomes(web, "reload", "older")


def test_without_reloading_nothing_changes(web, one_process):
    assert version(web, "noreload") == "one"
    edit(web, "noreload", '"one"', '"two"')
    time.sleep(1.5)
    for _ in range(5):
        assert version(web, "noreload") == "one"


def test_reload_required_is_asked(web, one_process):
    assert version(web, "required") == "one"
    assert version(web, "required") == "one"
    assert (web.work / "asked").exists()
    assert "/required" in (web.work / "asked").read_text()
    before = [row for row in life(web) if row[1] == "load one"]
    (web.work / "required-now").write_text("now")
    wait_until(lambda: web.ask("/required") and len(
        [row for row in life(web) if row[1] == "load one"]) > len(before), 5)
    (web.work / "required-now").unlink()
    assert len([row for row in life(web) if row[1] == "load one"]) > len(
        before)
    assert wait_until(lambda: version(web, "required") == "one", 8)


def test_a_reload_required_that_fails_reloads_nothing(web):
    (web.work / "required-fails").write_text("yes")
    try:
        assert wait_until(lambda: version(web, "required") == "one"
                          and web.log.find("reload_required failed"), 5)
        assert version(web, "required") == "one"
    finally:
        (web.work / "required-fails").unlink()


@pytest.mark.differs("the old code goes on when the new does not load")
def test_new_code_that_does_not_load(web, mode):
    if mode == "embedded":
        pytest.skip("of a group")
    assert version(web, "broken") == "one"
    edit(web, "broken", "import atexit", "import atexit, not_there", 3000000)
    time.sleep(2)
    assert version(web, "broken") == "one"


def test_mended_code_is_loaded(web):
    edit(web, "broken", '"one"', '"mended"', 4000000)
    path = web.work / "broken.py"
    path.write_text(path.read_text().replace(", not_there", ""))
    os.utime(path, (5000000, 5000000))
    assert becomes(web, "broken", "mended")


def test_a_script_that_does_not_load_is_tried_again(make, mode):
    server = make("WSGIScriptAlias /own {work}/own.py\n<Directory {work}>\n"
                  "Require all granted\n</Directory>", mode, start=False)
    path = server.work / "own.py"
    path.write_text("import not_there\n")
    server.start()
    assert server.ask("/own").status in (500, 503)
    path.write_text((server.apps / "probe.py").read_text())
    os.utime(path, (5000000, 5000000))
    assert wait_until(lambda: server.ask("/own").status == 200, 10)


def test_a_script_that_is_removed_is_a_404(web):
    assert version(web, "gone") == "one"
    (web.work / "gone.py").unlink()
    assert wait_until(lambda: web.ask("/gone").status == 404, 5)


@pytest.mark.differs("requests are served by the old code until then")
def test_reloading_fails_no_request_that_runs(make):
    server = make("WSGIScriptAlias /own {work}/own.py process-group=g\n"
                  "<Directory {work}>\nRequire all granted\n</Directory>",
                  "daemon", start=False)
    path = server.work / "own.py"
    path.write_text((server.apps / "probe.py").read_text())
    server.start()
    answers = []

    def slow():
        answers.append(do(server, "__import__('time').sleep(7)", "/own"))
    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.5)
    os.utime(path, (5000000, 5000000))
    for _ in range(10):
        begin = time.monotonic()
        assert server.ask("/own").status == 200
        assert time.monotonic() - begin < 2
        time.sleep(0.2)
    thread.join(15)
    assert answers == [None]


# Interpreters (5.8)

@pytest.mark.parametrize("target", ["/probe", "/sub1"])
@pytest.mark.parametrize("expression, want", [
    ("__import__('sys').argv", ["mod_wsgi"]),
    ("'mod_wsgi' in __import__('sys').modules or "
     "bool(__import__('mod_wsgi'))", True),
    ("hasattr(__import__('sys'), 'stdin')", True),
    ("__import__('time').sleep(0)", None)])
def test_every_interpreter_is_set_up(web, target, expression, want):
    assert do(web, expression, target) == want


def test_a_request_has_its_own_thread(web, mode):
    """But not with prefork, whose children have only the main one."""
    is_main = do(web, "__import__('threading').current_thread() is "
                      "__import__('threading').main_thread()", "/probe")
    assert is_main is False or (PREFORK and mode == "embedded")


def test_a_thread_local_stays_from_request_to_request(web, one_process):
    def remember(environ):
        import threading
        MEMORY.setdefault("local", threading.local())
        local = MEMORY["local"]
        local.n = getattr(local, "n", 0) + 1
        return local.n
    assert max(do(web, remember, "/probe") for _ in range(20)) >= 2


def test_os_environ_of_interpreters_is_their_own(web):
    def put(environ):
        import os
        os.environ["COMPAT_SUB"] = "sub1"
        return os.environ.get("COMPAT_SUB")
    assert do(web, put, "/sub1") == "sub1"
    assert do(web, "__import__('os').environ.get('COMPAT_SUB')", "/sub2") \
        is None


def test_a_background_thread_runs_on(web, one_process):
    def start(environ):
        import threading
        import time
        def later():
            time.sleep(0.3)
            MEMORY["later"] = True
        threading.Thread(target=later, daemon=True).start()
    do(web, start, "/probe")
    assert wait_until(lambda: do(web, look, "/probe"), 4)


def look(environ):
    return bool(MEMORY.get("later"))


def test_a_subprocess_runs(web):
    def run(environ):
        import subprocess
        return subprocess.run(["/bin/echo", "hello"], check=True,
                              capture_output=True).stdout
    assert do(web, run, "/probe") == b"hello\n"
    assert do(web, run, "/sub1") == b"hello\n"


def test_pickle_and_json_work(web):
    assert do(web, "__import__('pickle').loads(__import__('pickle').dumps("
                   "{'a': [1, 2.5, None]}))", "/probe") == {
                       "a": [1, 2.5, None]}


# Ends (5.4, 5.5, 5.6)

def life(web):
    path = web.work / "life"
    rows = path.read_text().splitlines() if path.exists() else []
    return [(int(row.split()[0]), row.partition(" ")[2]) for row in rows]


def test_exit_handlers_run_when_the_server_stops(make, mode):
    server = make(ONE_CHILD + "WSGIScriptAlias /own {apps}/counting.py", mode)
    pid = int(server.ask("/own").text.split()[1])
    server.stop()
    assert (pid, "atexit") in life(server)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1"])
def test_a_process_that_is_told_to_go_is_replaced(make, name):
    server = make("WSGIScriptAlias /own {apps}/counting.py", "daemon")
    old = int(server.ask("/own").text.split()[1])
    os.kill(old, getattr(signal, name))
    assert wait_until(lambda: int(
        (server.ask("/own").text.split() + ["0", "0"])[1]) not in (0, old), 8)
    assert wait_until(lambda: (old, "atexit") in life(server))


EVENT = pytest.mark.since6("a signal event since 6.0")


@pytest.mark.parametrize("name", [
    pytest.param("SIGHUP", marks=EVENT), pytest.param("SIGUSR2", marks=EVENT),
    "SIGPIPE"])
def test_other_signals_do_not_end_a_process(make, name):
    server = make("WSGIScriptAlias /own {apps}/counting.py", "daemon")
    old = int(server.ask("/own").text.split()[1])
    os.kill(old, getattr(signal, name))
    time.sleep(0.4)
    assert int(server.ask("/own").text.split()[1]) == old


def test_a_process_that_crashes_is_replaced(make):
    server = make("WSGIScriptAlias /own {apps}/counting.py", "daemon")
    server.log.allow(".*")
    old = int(server.ask("/own").text.split()[1])
    os.kill(old, signal.SIGKILL)
    assert wait_until(lambda: int(
        (server.ask("/own").text.split() + ["0", "0"])[1]) not in (0, old), 8)


@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_after_a_restart_there_is_a_new_process(make, mode, how):
    server = make("WSGIScriptAlias /own {apps}/counting.py", mode)
    old = int(server.ask("/own").text.split()[1])
    getattr(server, how)()
    assert wait_until(lambda: int(
        (server.ask("/own").text.split() + ["0", "0"])[1]) not in (0, old), 8)


@pytest.mark.differs("graceful is graceful for groups too")
def test_a_graceful_restart_lets_requests_finish(make):
    server = make("WSGIScriptAlias /own {apps}/probe.py", "daemon")
    answers = []

    def slow():
        answers.append(do(server, "__import__('time').sleep(5)", "/own"))
    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.5)
    server.graceful()
    assert server.ask("/own").status == 200
    thread.join(15)
    assert answers == [None]


def test_python_is_not_in_the_parent(make, mode):
    server = make("WSGIScriptAlias /own {apps}/probe.py", mode)
    assert server.ask("/own").status == 200
    with open(f"/proc/{server.pid}/maps", encoding="utf-8") as maps:
        if "libpython" in maps.read():
            assert config.PEER        # it links libpython, unused


def test_single_process_mode_has_its_groups(make, mode):
    """httpd -X, for pdb."""
    server = make("WSGIScriptAlias /own {apps}/probe.py", mode, start=False)
    import subprocess
    process = subprocess.Popen(
        server.command("-X"), env=server.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, cwd="/", start_new_session=True)
    server.process = process
    def answers():
        try:
            return server.ask("/own").status == 200
        except OSError:
            return False
    assert wait_until(answers, 8)
    server.stop()
    if not config.PEER:
        assert wait_until(lambda: not server.tree.alive(), 5)
    # httpd -X ends without its cleanups: its own httpd.pid stays as well.
    for path in (server.root / "run").glob("*.sock"):
        path.unlink()

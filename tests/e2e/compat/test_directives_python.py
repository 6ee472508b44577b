"""Contract 1.6: the interpreter, as directives make it."""

import os
import subprocess

import pytest

from config import PYTHON_LIB
from waiting import wait_until

from compat.kit import GIVEN, do

# One server with everything set, one with nothing: most are GLOBAL.
SET = """
WSGIPythonOptimize 1
WSGIDontWriteBytecode On
WSGIPythonWarnings error::ImportWarning
WSGIPythonHashSeed 12345
WSGIPythonEggs {work}
WSGISwitchInterval 0.25
WSGIRestrictStdin On
WSGIRestrictStdout On
WSGIRestrictSignal Off
WSGIVerboseDebugging On
WSGIScriptAlias /probe {apps}/probe.py
WSGIScriptAlias /sub {apps}/probe.py application-group=sub
"""
UNSET = """
WSGIScriptAlias /probe {apps}/probe.py
WSGIScriptAlias /sub {apps}/probe.py application-group=sub
"""


@pytest.fixture(scope="module")
def both(mode):
    """(with all of them, with none of them)"""
    from conftest import life
    from compat import kit
    lives, servers = [], []
    for lines in (SET, UNSET):
        servers.append(kit.scene(lines, mode))
        (servers[-1].apps / "sitedir").mkdir()
        lives.append(life(servers[-1]))
        next(lives[-1])
        servers[-1].start()
    yield servers
    for each in lives:
        next(each, None)


SYS = "__import__('sys')."


@pytest.mark.parametrize("expression, on, off", [
    (SYS + "flags.optimize", 1, 0),
    (SYS + "flags.dont_write_bytecode", 1, 0),
    (SYS + "dont_write_bytecode", True, False),
    (SYS + "warnoptions", ["error::ImportWarning"], []),
    (SYS + "flags.hash_randomization", 1, 1),
    (SYS + "flags.isolated", 0, 0), (SYS + "flags.no_site", 0, 0),
    (SYS + "argv", ["mod_wsgi"], ["mod_wsgi"]),
])
@pytest.mark.parametrize("target", ["/probe", "/sub"])
def test_a_setting_of_the_interpreter(both, target, expression, on, off):
    assert do(both[0], expression, target) == on
    assert do(both[1], expression, target) == off


@pytest.mark.parametrize("expression", [SYS + "getswitchinterval()"])
def test_the_switch_interval(both, mode, expression):
    want = 0.25 if mode == "embedded" else 0.005
    if not [line for line in both[0].missing if "Switch" in line]:
        assert abs(do(both[0], expression) - want) < 1e-6
    assert abs(do(both[1], expression) - 0.005) < 1e-6


def test_a_fixed_hash_seed_gives_one_hash(both):
    want = subprocess.run(
        ["/usr/bin/python3", "-c", "print(hash('some text'))"], check=True,
        env={"PYTHONHASHSEED": "12345"}, capture_output=True, text=True)
    assert do(both[0], "hash('some text')") == int(want.stdout)


@pytest.mark.differs("random is random; in mod_wsgi it is the seed 0")
def test_a_random_hash_seed_is_random(make, mode):
    seed0 = subprocess.run(
        ["/usr/bin/python3", "-c", "print(hash('some text'))"], check=True,
        env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True)
    server = make("WSGIPythonHashSeed random\n"
                  "WSGIScriptAlias /probe {apps}/probe.py", mode)
    assert do(server, "hash('some text')") != int(seed0.stdout)
    assert do(server, SYS + "flags.hash_randomization") == 1


@pytest.mark.parametrize("value, good", [
    ("random", True), ("0", True), ("4294967295", True),
    ("4294967296", False), ("-1", False), ("x", False), ("", False)])
def test_the_hash_seeds_that_configtest_takes(configtest, value, good):
    assert (configtest(f"WSGIPythonHashSeed {value}")[0] == 0) is good


@pytest.mark.since6("new in 6.0")
@pytest.mark.parametrize("value, good", [
    ("0.001", True), ("1", True), ("0", False), ("-1", False), ("x", False)])
def test_the_switch_intervals_that_configtest_takes(configtest, value, good):
    assert (configtest(f"WSGISwitchInterval {value}")[0] == 0) is good


@pytest.mark.differs("mod_wsgi takes garbage for 0")
@pytest.mark.parametrize("value", ["x", "3x", "-1"])
def test_optimize_is_a_number(configtest, value):
    assert configtest(f"WSGIPythonOptimize {value}")[0] != 0


# stdin, stdout

@pytest.mark.parametrize("source", [
    "sys.stdin.read()", "sys.stdin.readline()", "sys.stdin.fileno()",
    "input()"])
def test_a_restricted_stdin_raises(both, source):
    def attempt(environ):
        import sys
        try:
            eval(GIVEN["source"], {"sys": sys})
        except Exception as error:
            return type(error).__name__
        return "nothing"
    assert do(both[0], attempt, given={"source": source}) != "nothing"


def test_an_unrestricted_stdin_is_empty(both):
    """The counter-check: without the directive the same calls succeed."""
    assert do(both[1], "__import__('sys').stdin.read()") == ""
    assert do(both[1], "__import__('sys').stdin.readline()") == ""


def test_a_restricted_stdout_raises(both):
    def attempt(environ):
        try:
            print("to stdout")
        except Exception as error:
            return type(error).__name__
        return "printed"
    assert do(both[0], attempt) != "printed"
    assert do(both[1], attempt) == "printed"


def test_stderr_is_never_restricted(both):
    for server in both:
        do(server, "print('to stderr', file=__import__('sys').stderr)")
        server.log.wait_for("to stderr")


# signals

def set_handler(environ):
    import signal
    try:
        before = signal.getsignal(signal.SIGALRM)
        signal.signal(signal.SIGALRM, lambda number, frame: None)
        return signal.getsignal(signal.SIGALRM) is not before
    except ValueError:
        return "ValueError"


def test_signal_handlers_are_ignored_and_logged(both):
    before = len(both[1].log.find(r"signal\.signal|ignored"))
    assert do(both[1], set_handler) is False
    both[1].log.wait_for(r"signal\.signal|ignored", 5, before + 1)


def test_unrestricted_signals_are_pythons_own(both):
    """Python sets handlers in its main thread only."""
    assert do(both[0], set_handler) == "ValueError"


# paths

def test_eggs(both, mode):
    want = str(both[0].work)
    got = do(both[0], "__import__('os').environ.get('PYTHON_EGG_CACHE')")
    if mode == "embedded":
        assert got == want
    assert do(both[1], "__import__('os').environ.get('PYTHON_EGG_CACHE')"
              ) is None


def test_python_path_comes_first_and_reads_pth(make, mode):
    if mode == "daemon":
        pytest.skip("WSGIPythonPath is of embedded mode")
    server = make("WSGIPythonPath {work}/one:{work}/two\n"
                  "WSGIScriptAlias /probe {apps}/probe.py", mode, start=False)
    # The head of the scene has a line of its own; the later one counts.
    for name in ("one", "two", "three"):
        (server.work / name).mkdir()
    (server.work / "one/x.pth").write_text(f"{server.work}/three\n")
    server.start()
    path = do(server, SYS + "path")
    where = [path.index(str(server.work / name))
             for name in ("one", "three", "two")]
    assert where == sorted(where)
    assert max(where) < path.index(f"/usr/{PYTHON_LIB}")


def test_the_folder_of_the_script_is_not_on_the_path(make, mode):
    from compat.kit import HEADS
    head = HEADS[mode].replace("python-path={apps}", "").replace(
        "WSGIPythonPath {apps}\n", "")
    server = make(head + "WSGIScriptAlias /probe {apps}/probe.py")
    assert str(server.apps) not in do(server, SYS + "path")


def test_python_home_is_a_virtual_environment(make, mode):
    server = make("WSGIPythonHome {work}/env\n"
                  "WSGIScriptAlias /probe {apps}/probe.py", mode,
                  start=False, lenient=False)
    env = server.work / "env"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip",
                    str(env)], check=True, timeout=60)
    (env / PYTHON_LIB / "site-packages/only_in_env.py").write_text("A = 7")
    server.start()
    assert do(server, SYS + "prefix") == str(env)
    assert do(server, "__import__('only_in_env').A") == 7
    assert do(server, SYS + "base_prefix") == "/usr"


# WSGIDestroyInterpreter

@pytest.mark.parametrize("value, atexit", [("On", True), ("Off", False)])
def test_destroy_interpreter(make, mode, value, atexit):
    server = make(f"WSGIDestroyInterpreter {value}\n"
                  "WSGIScriptAlias /module {apps}/module.py", mode)
    from compat.test_module_api import do as ask
    assert wait_until(lambda: server.ask("/module").status == 201)
    pid = ask(server, "__import__('os').getpid()")
    server.stop()
    path = server.work / "signs"
    rows = [row for row in path.read_text().splitlines()
            if row.startswith(f"{pid} ")] if path.exists() else []
    assert [row for row in rows if "shutdown" in row], rows
    assert (f"{pid} atexit" in rows) is atexit


def test_the_environment_of_the_process(both, mode):
    def names(environ):
        import os
        return {key: os.environ.get(key) for key in (
            "HOME", "USER", "LOGNAME", "LANG", "PATH")}
    got = do(both[1], names)
    assert got["PATH"]
    if os.geteuid() == 0 and mode == "daemon":
        assert got["HOME"] == "/var/www"


@pytest.mark.parametrize("line", [
    "WSGILazyInitialization On", "WSGIPy3kWarningFlag On",
    "WSGINewRelicConfigFile x", "WSGIReloadMechanism Module"])
def test_a_directive_that_6_removed(configtest, line):
    code, said = configtest(line)
    if "Lazy" in line or "Py3k" in line or "NewRelic" in line:
        pytest.skip("known to 4.9.4, removed in 6.0") if code == 0 else None
    assert code != 0

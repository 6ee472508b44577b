"""Fixtures: a server of a test's own, and the battery that a file shares.

ETCL_BUILD   the folder with mod_etcl.so and etcl/ (default: build)
ETCL_MPM     event, worker, prefork: a list instead of the default choice
ETCL_PEER    mod_wsgi: run against Debian's module, to check a test itself
"""

import os
import signal
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

sys.dont_write_bytecode = True

import config  # noqa: E402
import demo  # noqa: E402
from server import Server  # noqa: E402

MPMS = os.environ.get("ETCL_MPM", "event,worker,prefork").split(",")
RUNNING: list[Server] = []
# They begin first, so that none of them is what the end waits for.
LONG = ("test_limits", "test_reload", "test_filters", "test_preload",
        "test_crashes", "test_lifecycle", "test_directives_daemon")

SCRIPTS = ("hello", "environ", "callables", "body", "puppet", "streams",
           "closing", "failing", "files", "talking", "validated", "keeping",
           "threads", "process")
BATTERY = """
LimitRequestFieldSize 300000
LimitRequestFields 3000
WSGIRestrictEmbedded On
WSGIDaemonProcess etcl processes=1 threads=8 python-path={apps}
WSGIProcessGroup etcl
WSGIApplicationGroup %{GLOBAL}
""" + "\n".join(
    f"WSGIScriptAlias /{name} {{apps}}/{name}.py" for name in SCRIPTS)


def pytest_generate_tests(metafunc):
    if "mpm" in metafunc.fixturenames:
        every = metafunc.definition.get_closest_marker("every_mpm")
        metafunc.parametrize("mpm", MPMS if every else MPMS[:1],
                             scope="module")


def pytest_runtest_setup(item):
    if item.get_closest_marker("http2") and (
            item.callspec.params["mpm"] == "prefork"):
        pytest.skip("httpd has no HTTP/2 under the prefork MPM")


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    """A file in which no test is found has lost them."""
    report = (yield).get_result()
    empty = report.passed and not report.result
    if empty and isinstance(collector, pytest.Module):
        report.outcome = "failed"
        report.longrepr = "there is no test in this file"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in LONG)
    for item in items if config.PEER else ():
        if item.get_closest_marker("differs"):
            item.add_marker(pytest.mark.xfail(strict=False))


def pytest_terminal_summary(terminalreporter):
    """Where the time went, file by file."""
    spent = Counter()
    for report in chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            spent[report.fspath] += report.duration
    terminalreporter.section("slowest files")
    for name, seconds in spent.most_common(8):
        terminalreporter.write_line(f"{seconds:6.1f} s  {name}")


@pytest.fixture(scope="module")
def battery(mpm):
    """The server with every script of tests/apps, one per file and MPM."""
    yield from life(Server(BATTERY, mpm=mpm).start())


@pytest.fixture
def web(battery):
    """The battery, with its log read from here on."""
    battery.log.mark()
    return battery


@pytest.fixture(scope="module")
def demo_site(mpm):
    """The etcl demo, deployed and served by its seed configuration."""
    server = Server(mpm=mpm)
    demo.deploy(server.root / "etcl")
    server.configure(demo.seed_for(server.root / "etcl"))
    yield from life(server.start())


@pytest.fixture
def site(demo_site):
    """The demo, with its log read from here on."""
    demo_site.log.mark()
    return demo_site


@pytest.fixture
def apache(mpm, request):
    """A function that makes servers of the test's own."""
    lives = []

    def make(lines: str = "", *, start: bool = True, **how) -> Server:
        server = Server(lines, **{"mpm": mpm, **how})
        lives.append(life(server))
        next(lives[-1])
        request.node.stash.setdefault(OWN, []).append(server)
        return server.start() if start else server

    yield make
    for each in lives:
        next(each, None)


OWN = pytest.StashKey[list]()


def life(server: Server):
    """Hold a server for its user; afterwards nothing of it may be left."""
    RUNNING.append(server)
    try:
        yield server
        problems = [] if server.left else end(server)
    finally:
        RUNNING.remove(server)
        server.remove()
    if problems and not config.PEER:
        pytest.fail("\n".join(problems), pytrace=False)


def end(server: Server) -> list[str]:
    """Stop it, and say what is left; once, since it may take seconds."""
    server.stop()
    return [f"left behind: {what}" for what in server.leftovers()]


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Bound the test's time; then hear what the logs have to say."""
    marker = pyfuncitem.get_closest_marker("slow")
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(marker.args[0] if marker else 60)
    outcome = yield
    signal.alarm(0)
    outcome.get_result()
    problems = []
    for server in pyfuncitem.stash.get(OWN, []):
        problems += end(server)
    for server in RUNNING:
        problems += server.log.problems()
    if problems and not config.PEER:
        pytest.fail("\n".join(problems), pytrace=False)
    if problems:
        print("\n".join(problems))


def too_long(*_):
    raise TimeoutError("the test took too long")


def missing(what: str):
    """Skip for want of an optional peer; in CI nothing may be wanting."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session", autouse=True)
def built():
    """There must be something to test."""
    module = config.our_module().split()[-1]
    if not Path(module).exists():
        pytest.exit(f"{module} does not exist: run make, set ETCL_BUILD", 2)

"""Fixtures of the compat collection: one server for each file and mode.

Run it by name: `pytest tests/e2e/compat`; a run of the folder above does not
collect it (pytest.ini).

ETCL_COMPAT_LENIENT=1   leave out of a configuration what configtest refuses,
                        so that a file can run before all of it is written
"""

import pytest

import config
from conftest import RUNNING, life

from compat import kit

MODES = ("daemon", "embedded")


def pytest_configure(config):
    for line in (
            "differs(reason): behaves otherwise in mod_wsgi, on purpose",
            "since6(reason): mod_wsgi 6 does this, and 4.9.4 does not",
            "ours(reason): an extension that mod_wsgi does not have"):
        config.addinivalue_line("markers", line)


def pytest_generate_tests(metafunc):
    if "mode" in metafunc.fixturenames:
        modes = getattr(metafunc.module, "MODES", MODES)
        metafunc.parametrize("mode", modes, scope="module", indirect=True)


def pytest_collection_modifyitems(items):
    if not config.PEER:
        return
    for item in items:
        if item.get_closest_marker("since6"):
            item.add_marker(pytest.mark.xfail(strict=False))
        if item.get_closest_marker("ours"):
            item.add_marker(pytest.mark.skip("not in mod_wsgi"))


@pytest.fixture(scope="module")
def mode(request):
    """daemon or embedded; indirect, so that pytest groups tests by it."""
    return request.param


@pytest.fixture(scope="module")
def shared(request, mode):
    """The server that the tests of one file share, in this mode."""
    module = request.module
    lines = module.CONF(mode) if callable(module.CONF) else module.CONF
    server = kit.scene(lines, mode, extra=getattr(module, "MODULES", ()))
    yield from life(server.start())


@pytest.fixture
def web(shared):
    """The shared server; its log is read from here on."""
    shared.log.mark()
    kit.tolerate(shared)
    return shared


@pytest.fixture
def make(request):
    """A function that makes servers of the test's own."""
    lives = []

    def one(lines="", mode="", *, start=True, **how):
        server = kit.scene(lines, mode, **how)
        kit.tolerate(server)
        lives.append(life(server))
        next(lives[-1])
        return server.start() if start else server

    yield one
    for each in lives:
        next(each, None)


@pytest.fixture
def one_process(mode):
    """For a test that asks the same process again and again."""
    if mode == "embedded" and kit.PREFORK:
        pytest.skip("with prefork, chance says which child answers")


@pytest.fixture(autouse=True)
def calm():
    """A test that is about answers does not fail for a line in a log."""
    for server in RUNNING:
        kit.tolerate(server)


@pytest.fixture
def configtest():
    """A function that says what configtest thinks of some lines."""
    servers = []

    def check(lines, **how):
        servers.append(kit.scene(lines, "", lenient=False, **how))
        return servers[-1].configtest()

    yield check
    for server in servers:
        server.remove()


def pytest_terminal_summary(terminalreporter):
    """What the lenient mode left out."""
    for line in sorted(set(kit.MISSING)):
        terminalreporter.write_line(f"left out: {line}")

"""Contract 1.8: <WSGIInterpreterOptions>."""

import pytest

from compat.kit import HEADS, do

SELECTORS = """
<WSGIInterpreterOptions>
    WSGIPythonPath {work}/all
</WSGIInterpreterOptions>
<WSGIInterpreterOptions application-group=named>
    WSGIPythonPath {work}/named
    WSGIRestrictStdin On
    WSGIRestrictStdout On
    WSGIRestrictSignal Off
</WSGIInterpreterOptions>
<WSGIInterpreterOptions process-group=GROUP>
    WSGIPythonPath {work}/group
    WSGISwitchInterval 0.03125
</WSGIInterpreterOptions>
<WSGIInterpreterOptions Process-Group=GROUP Application-Group=both>
    WSGIPythonPath {work}/both
</WSGIInterpreterOptions>
<WSGIInterpreterOptions application-group=%{GLOBAL}>
    WSGIPythonPath {work}/main
</WSGIInterpreterOptions>
<WSGIInterpreterOptions process-group=other>
    WSGIPythonPath {work}/other
</WSGIInterpreterOptions>
<WSGIInterpreterOptions application-group=named>
    WSGIPythonPath {work}/later
</WSGIInterpreterOptions>
<WSGIInterpreterOptions application-group=off>
    WSGIRestrictStdout On
</WSGIInterpreterOptions>
<WSGIInterpreterOptions process-group=GROUP application-group=off>
    WSGIRestrictStdout Off
</WSGIInterpreterOptions>
WSGIScriptAlias /main {apps}/probe.py application-group=%{GLOBAL}
WSGIScriptAlias /named {apps}/probe.py application-group=named
WSGIScriptAlias /both {apps}/probe.py application-group=both
WSGIScriptAlias /off {apps}/probe.py application-group=off
"""
NAMES = ("all", "named", "group", "both", "main", "other", "later")
pytestmark = pytest.mark.since6("new in 6.0")


def CONF(mode):
    group = "g" if mode == "daemon" else "%{GLOBAL}"
    return SELECTORS.replace("GROUP", group) + (
        "WSGIDaemonProcess other python-path={apps}\n"
        "WSGIScriptAlias /other {apps}/probe.py process-group=other "
        "application-group=named\n" if mode == "daemon" else "")


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(CONF(mode), mode)
    for name in NAMES:
        (server.work / name).mkdir()
    yield from life(server.start())


def order(web, target):
    """Our folders in the order of sys.path."""
    path = do(web, "__import__('sys').path", target)
    return [entry.rpartition("/")[2] for entry in path
            if entry.startswith((str(web.work), str(web.apps)))]


@pytest.mark.parametrize("target, want", [
    ("/main", {"apps", "all", "group", "main"}),
    ("/named", {"apps", "all", "group", "named", "later"}),
    ("/both", {"apps", "all", "group", "both"})])
def test_which_blocks_apply(web, target, want):
    assert set(order(web, target)) == want


def test_a_block_of_another_group_does_not_apply(web, mode):
    if mode == "embedded":
        pytest.skip("a daemon group")
    assert set(order(web, "/other")) == {"apps", "all", "named", "later",
                                         "other"}


@pytest.mark.parametrize("target, first, last", [
    ("/both", "both", "apps"), ("/named", "later", "apps")])
def test_the_most_specific_block_comes_first(web, target, first, last):
    found = order(web, target)
    assert (found[0], found[-1]) == (first, last)


def test_later_blocks_come_before_earlier_ones(web):
    found = order(web, "/named")
    assert found.index("later") < found.index("named")


def test_switch_interval_of_a_group(web):
    got = do(web, "__import__('sys').getswitchinterval()", "/main")
    assert abs(got - 0.03125) < 1e-6


def printing(environ):
    try:
        print("to stdout")
    except Exception as error:
        return type(error).__name__
    return "printed"


@pytest.mark.parametrize("target, printed", [
    ("/named", False), ("/main", True), ("/off", True)])
def test_restrict_stdout_of_a_block(web, target, printed):
    assert (do(web, printing, target) == "printed") is printed


@pytest.mark.parametrize("target, want", [
    ("/named", "ValueError"), ("/main", "ignored")])
def test_restrict_signal_of_a_block(web, target, want):
    def handle(environ):
        import signal
        try:
            signal.signal(signal.SIGALRM, lambda *_: None)
        except ValueError:
            return "ValueError"
        return "ignored"
    assert do(web, handle, target) == want


BLOCK = "WSGIDaemonProcess g\n<WSGIInterpreterOptions%s>\n%s\n" \
        "</WSGIInterpreterOptions>"


@pytest.mark.parametrize("selector, good", [
    ("", True), (" process-group=g", True), (" application-group=a", True),
    (" process-group=g application-group=a", True),
    (" PROCESS-GROUP=g", True), (" process-group=%{GLOBAL}", True),
    (" process-group", False), (" nonsense=g", False),
    (" process-group=g process-group=h", False), (" g", False)])
def test_the_selectors_of_a_block(configtest, selector, good):
    code, said = configtest(BLOCK % (selector, "WSGIRestrictStdin On"))
    assert (code == 0) is good, said


@pytest.mark.parametrize("line", [
    "WSGIPerInterpreterGIL On", "WSGIFreeThreading On",
    "WSGISwitchInterval 0.01", "WSGIPythonPath /tmp", "WSGIRestrictStdin On",
    "WSGIRestrictStdout On", "WSGIRestrictSignal Off"])
def test_a_directive_that_a_block_may_hold(configtest, line):
    code, said = configtest(BLOCK % ("", line))
    assert code == 0, said


@pytest.mark.differs("a foreign directive in a block is an error")
@pytest.mark.parametrize("line", [
    "WSGIPythonOptimize 1", "WSGIScriptAlias /x {apps}/probe.py",
    "WSGIDaemonProcess own", "WSGIPythonHome /usr", "ServerName x.test",
    "WSGICallableObject other", "WSGISocketPrefix {root}/run/x"])
def test_a_directive_that_a_block_may_not_hold(configtest, line):
    assert configtest(BLOCK % ("", line))[0] != 0


def test_a_block_needs_its_bracket(configtest):
    code, _ = configtest("<WSGIInterpreterOptions application-group=a\n"
                         "WSGIRestrictStdin On\n</WSGIInterpreterOptions>")
    assert code != 0


@pytest.mark.parametrize("place", [
    "<VirtualHost *:*>\nServerName v.test\n%s\n</VirtualHost>",
    "<Directory {apps}>\n%s\n</Directory>", "<Location /x>\n%s\n</Location>"])
def test_a_block_is_of_the_main_server(configtest, place):
    assert configtest(place % (BLOCK % ("", "WSGIRestrictStdin On"))
                      .partition("\n")[2])[0] != 0


def test_the_gil_directives_change_nothing_before_3_12(make, mode):
    server = make(HEADS[""] + "WSGIPerInterpreterGIL On\nWSGIFreeThreading "
                  "On\nWSGIScriptAlias /p {apps}/probe.py "
                  "application-group=sub", mode)
    assert server.ask("/p").body == b"probe"

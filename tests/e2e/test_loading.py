"""Applications that cannot be loaded: what the client and the log get."""

import os
import time

import pytest

from groups import group
from waiting import wait_for_status

NUMBER = r"ETCL0\d\d\d"

UNLOADABLE = {
    # what is in the script, what the log must say
    "syntax": ("def application(:\n", r"SyntaxError"),
    "raises": ("\nraise LookupError('at import')\n",
               r"LookupError: at import"),
    "import": ("import no_such_module_of_ours\n",
               r"no_such_module_of_ours"),
    "no_callable": ("aplication = 1\n", r"application"),
    "exits": ("import sys; sys.exit(4)\n", r"SystemExit"),
}


@pytest.mark.parametrize("name", UNLOADABLE)
def test_an_application_that_cannot_be_loaded_is_a_500(apache, name):
    """app not loadable: 500, classified; the source is never served; and
    once it is mended it is served."""
    server = apache(group(), start=False)
    text, words = UNLOADABLE[name]
    script = server.work / f"{name}.py"
    script.write_text(text)
    server.start()
    server.expect_traceback(words)
    server.allow_log(NUMBER)
    answer = server.ask(f"/own/{name}.py")
    assert answer.status == 500 and text.encode() not in answer.body
    assert server.ask("/hello").status == 200
    mend(script, server)
    wait_for_status(server, f"/own/{name}.py", 200)


def mend(script, server) -> None:
    script.write_text((server.apps / "hello.py").read_text())
    os.utime(script, (time.time() + 5, time.time() + 5))


@pytest.mark.differs
def test_a_missing_module_names_where_it_was_searched(apache):
    """module not found (searched ...)."""
    server = apache(group(), start=False)
    (server.work / "import.py").write_text(UNLOADABLE["import"][0])
    server.start()
    server.expect_traceback("no_such_module_of_ours")
    server.expect_log(f"{NUMBER}.*{server.apps}")
    server.ask("/own/import.py")


@pytest.mark.differs
def test_no_callable_names_what_was_found(apache):
    """no callable (found: ...)."""
    server = apache(group(), start=False)
    (server.work / "none.py").write_text("aplication = print\n")
    server.start()
    server.expect_log(f"{NUMBER}.*application.*aplication")
    assert server.ask("/own/none.py").status == 500


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a file")
@pytest.mark.differs
def test_an_unreadable_script_names_the_component_that_blocks(apache):
    """file not readable by user X (first blocking path component)."""
    server = apache(group(), start=False)
    script = server.work / "hidden.py"
    script.write_text("x = 1\n")
    os.chown(script, 0, 0)
    script.chmod(0o600)
    server.start()
    server.expect_log(f"{NUMBER}.*{script}.*(www-data|33)"
                      f"|{NUMBER}.*(www-data|33).*{script}")
    server.allow_log("AH0|Permission")
    assert server.ask("/own/hidden.py").status in (403, 500)


def test_a_script_that_does_not_exist_is_a_404(apache):
    server = apache(group())
    server.allow_log("not found|does not exist|AH0|ETCL0")
    assert server.ask("/own/nothing.py").status == 404
    assert server.ask("/nowhere").status == 404


@pytest.mark.differs
def test_a_group_that_cannot_start_answers_503(apache):
    """no worker ready, none starting: 503 + Retry-After; group, last exit
    reason of each worker."""
    server = apache(start=False)
    (server.work / "dying.py").write_text("import os\nos._exit(7)\n")
    server.configure("""
        WSGIDaemonProcess g processes=1 python-path={apps}
        WSGIScriptAlias / {work}/dying.py process-group=g \\
            application-group=%{GLOBAL}
        <Directory {work}>
            Require all granted
        </Directory>""")
    server.start()
    server.expect_log(rf"{NUMBER}.*\bg\b.*7")
    server.allow_log(NUMBER)
    begin = time.monotonic()
    answer = server.ask("/")
    assert answer.status == 503 and answer.get("Retry-After")
    assert time.monotonic() - begin < 8

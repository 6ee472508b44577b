"""env= and environment-file=: a group's environment, and who sees it."""

import pytest

import config
from groups import PROCESSES, daemons, status

pytestmark = pytest.mark.skipif(bool(config.PEER), reason="our extension")

GROUP = PROCESSES.replace("python-path={apps}", "python-path={apps} %s",
                          1).replace("%{", "%%{")
CANARY = "c4n4ry-of-a-secret"


def variables(server) -> dict:
    return status(server)["environ"]


def test_variables_of_the_directive(apache):
    """env=NAME=value, several times, before the application is loaded."""
    server = apache(GROUP % "env=MODE=live 'env=MOTTO=two words' env=EMPTY= "
                    "env=LANG=C.UTF-8 lang=C")
    seen = variables(server)
    assert (seen["MODE"], seen["MOTTO"]) == ("live", "two words")
    assert (seen["EMPTY"], seen["LANG"]) == ("", "C.UTF-8")


def write_file(server, text: str, mode: int = 0o600) -> str:
    path = server.root / "environment"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_variables_of_a_file_that_only_the_parent_may_read(apache):
    """systemd's syntax; env= wins over the file."""
    server = apache(start=False)
    path = write_file(server, "# settings\nMODE=test\nSECRET=\"a 'b' c\"\n"
                      "\nLONG=one\\\ntwo\n")
    server.configure(GROUP % f"environment-file={path} env=MODE=live")
    server.start()
    seen = variables(server)
    assert (seen["MODE"], seen["SECRET"], seen["LONG"]) == (
        "live", "a 'b' c", "onetwo")


@pytest.mark.parametrize("text, why", [
    ("A=1\nnot a pair\n", "line 2, is not NAME=value"),
    ("A=\"open\n", "line 1, is not NAME=value")])
def test_a_bad_file_fails_configtest(apache, text, why):
    server = apache(start=False)
    server.configure(GROUP % f"environment-file={write_file(server, text)}")
    code, said = server.configtest()
    assert code and why in said and "environment-file=" in said


@pytest.mark.parametrize("option, why", [
    ("environment-file=/does/not/exist", "cannot be read"),
    ("env=9LIVES=" + CANARY, "must be NAME=value"),
    ("env=" + CANARY, "must be NAME=value")])
def test_bad_options_fail_configtest(apache, option, why):
    server = apache(start=False)
    server.configure(GROUP % option)
    code, said = server.configtest()
    assert code and why in said
    assert CANARY not in said.replace(option, "")


def test_a_secret_is_shown_nowhere(apache):
    """Not in server-info, not in a process title, not in the log."""
    server = apache(GROUP % f"env=SECRET={CANARY} processes=1" + """
        <Location /info>
            SetHandler server-info
        </Location>""", extra=("info",))
    info = server.ask("/info?config").text
    assert "SECRET=..." in info and CANARY not in info
    assert variables(server)["SECRET"] == CANARY
    for pid in daemons(server):
        with open(f"/proc/{pid}/cmdline", "rb") as title:
            assert CANARY.encode() not in title.read()
    assert CANARY not in server.log.text()

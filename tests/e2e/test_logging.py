"""PEP 3333, "Input and Error Streams": what an application says is logged."""

import json
import time

import pytest

LATE = "late words"


@pytest.mark.every_mpm
def test_errors_takes_text_by_every_method(web):
    """write, writelines, flush; text."""
    for words in ("writelines one", "writelines two", "print to wsgi.errors"):
        web.expect_log(f"by {words}", 1)
    refused = json.loads(web.ask("/talking/methods").body)
    assert refused == ["bytes", "NoneType", "int"]


def test_errors_takes_arbitrary_unicode(web):
    """arbitrary unicode accepted."""
    web.expect_log("unicode: .* end", 1)
    assert web.ask("/talking/unicode").status == 200


def test_a_line_without_its_end_is_logged_with_the_request(web):
    web.expect_log("a line without its end", 1)
    web.ask("/talking/partial")


@pytest.mark.differs
def test_no_entry_can_be_forged(web):
    """Output recorded, one log entry cannot be forged from the
    application's text."""
    web.expect_log("harmless", 1)
    web.allow_log("forged entry|red|end")
    web.ask("/talking/forged")
    web.log.wait_for("harmless")
    raw = (web.root / "logs/error.log").read_bytes()
    assert b"\n[Thu Jan 01" not in raw and b"\0" not in raw
    assert b"\x1b" not in raw and b"\r" not in raw
    assert not [line for line in web.log.lines() if line.level == "alert"]


@pytest.mark.differs
def test_a_very_long_line_is_kept_whole_in_pieces(web):
    """httpd cuts an entry at 8 KiB; what is longer takes several."""
    web.expect_log("xxxx")
    web.ask("/talking/long")
    web.log.wait_for("long xxxx")
    end = time.monotonic() + 3
    while web.log.text().count("x") < 100_000:
        assert time.monotonic() < end, web.log.text().count("x")
        time.sleep(0.05)


@pytest.mark.parametrize("path, words", [
    ("stdout", "by print"), ("stderr", "by stderr"),
    ("thread", "by a thread"), ("warning", "UserWarning: by warnings")])
def test_the_standard_streams_are_logged(web, path, words):
    web.expect_log(words)
    web.allow_log("warnings.warn")
    assert web.ask(f"/talking/{path}").status == 200


@pytest.mark.differs
def test_what_c_code_writes_to_its_descriptor_is_logged(web):
    web.expect_log("by descriptor two", 1)
    web.ask("/talking/descriptor")


@pytest.mark.differs
def test_the_standard_streams_are_real_files(web):
    """sys.stdout/sys.stderr are real files on real fds."""
    stdout, stderr, terminal = json.loads(web.ask("/talking/real").body)
    assert (stdout, stderr, terminal) == (1, 2, False)


VHOSTS = """
    WSGIDaemonProcess g python-path={apps}
    WSGIProcessGroup g
    WSGIScriptAlias /talking {apps}/talking.py
    WSGIScriptAlias /failing {apps}/failing.py
    <VirtualHost *:*>
        ServerName one.test
        ErrorLog {root}/logs/one.log
    </VirtualHost>
    <VirtualHost *:*>
        ServerName two.test
        ErrorLog {root}/logs/two.log
    </VirtualHost>
"""


@pytest.mark.differs
@pytest.mark.parametrize("target, words", [
    ("/talking/errors?text=to-its-own-vhost", "to-its-own-vhost"),
    ("/failing/raises", "ValueError: raised before the headers")])
def test_a_request_logs_in_its_own_vhost(apache, target, words):
    """Wrong vhost for logs (mod_wsgi #307, #726): a request's lines stand
    in the log of the vhost that served it."""
    server = apache(VHOSTS)
    server.log.paths += [server.root / "logs/one.log",
                         server.root / "logs/two.log"]
    server.expect_traceback(words)
    server.ask(target, host="two.test")
    server.log.wait_for(words)
    assert words in (server.root / "logs/two.log").read_text()
    assert words not in (server.root / "logs/one.log").read_text()


def test_the_lines_of_a_request_name_its_client(web):
    web.expect_log("by wsgi.errors", 1)
    web.ask("/talking/errors")
    line = web.log.wait_for("by wsgi.errors")
    assert line.level == "error"
    assert "127.0.0.1:" in line.text


def test_objects_that_outlive_their_request_harm_nobody(web):
    """wsgi.input, start_response and write of an ended request raise a
    clear error, also in a thread of the application."""
    web.allow_log(LATE)
    assert web.ask("/keeping/keep").body == b"kept"
    for path in ("use", "use-in-thread"):
        outcome = json.loads(web.ask(f"/keeping/{path}").body)
        for name in ("start_response", "write"):
            assert outcome[name].endswith("Error"), outcome
        for name in ("read", "readline", "iterate"):
            assert outcome[name].endswith("Error") or outcome[name] in (
                "b''", "[]"), outcome
    assert web.ask("/keeping/log-late").status == 200
    assert web.ask("/hello").status == 200


def test_each_request_has_an_environ_of_its_own(web):
    before = int(web.ask("/keeping/count").text)
    for _ in range(5):
        web.ask("/keeping/keep")
    assert int(web.ask("/keeping/count").text) == before + 5


def test_an_application_that_keeps_everything_can_be_stopped(apache):
    """Objects that live until the interpreter ends."""
    server = apache("""
        WSGIDaemonProcess g python-path={apps}
        WSGIProcessGroup g
        WSGIScriptAlias /keeping {apps}/keeping.py""")
    for _ in range(3):
        server.ask("/keeping/keep")
    server.stop()
